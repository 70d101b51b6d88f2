"""Folding the events of each agreement again, and holding what the registry says against it.

Parts that are erased or withheld are taken as not given, as the registry itself does for whoever may not see them. No
status, dispute or other derived answer depends on either.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import msgspec

from registry.domain.agreement import Agreement, evolve
from registry.domain.codec import event_and_missing, join
from registry.domain.envelope import Recorded
from registry.domain.values import write_custom
from registry.domain.view import view
from registry.errors import RegistryError
from registry.merkle.entry import Entry
from registry.verifier.events import Given
from registry.verifier.outcome import at, broken

_UNFIT = (msgspec.MsgspecError, RegistryError, LookupError, TypeError, ValueError, AttributeError)
"""What reading content that no registry has accepted may raise."""


class Replay:
    """The states of all agreements taken so far."""

    def __init__(self) -> None:
        self._states: dict[str, Agreement] = {}

    def take(self, entry: Entry, given: Given) -> None:
        """Evolve the agreement of an event by it. Raises Ended when it is no event of the vocabulary."""
        try:
            parts = {k: part.data for k, part in given.parts.items()}
            joined = join(parts.pop(0, None), parts, given.withheld or ())
            data, places_erased, places_withheld = event_and_missing(entry.type, joined)
            recorded = Recorded(
                position=entry.position,
                version=entry.version,
                recorded_at=entry.recorded_at,
                source=entry.source,
                id=entry.id,
                type=entry.type,
                subject=entry.stream,
                data=data,
                erased=joined.erased,
                places_erased=places_erased,
                withheld=joined.withheld,
                places_withheld=places_withheld,
            )
            self._states[entry.stream] = evolve(self._states.get(entry.stream), recorded)
        except _UNFIT as error:
            raise broken(at(entry.position), f"it cannot be replayed as {entry.type}") from error

    @property
    def agreements(self) -> int:
        """How many agreements there are."""
        return len(self._states)

    def shown(self, agreement: str, on: date) -> dict[str, Any]:
        """Show an agreement on a day, as ``GET /agreements/{id}`` does, as plain JSON values. Raises Ended."""
        state = self._states.get(agreement)
        if state is None:
            raise broken(agreement, "no event founds this agreement")
        try:
            shown: dict[str, Any] = msgspec.json.decode(
                msgspec.json.encode(view(state, on), enc_hook=write_custom)
            )
        except _UNFIT as error:
            raise broken(agreement, "its events do not make a state") from error
        return shown


def differences(claimed: Any, replayed: Any, at_: str = "") -> Iterator[str]:
    """Yield the JSON pointers at which two values differ, the deepest ones."""
    if isinstance(claimed, Mapping) and isinstance(replayed, Mapping):
        for name in sorted({*claimed, *replayed}):
            token = name.replace("~", "~0").replace("/", "~1")
            if name not in claimed or name not in replayed:
                yield f"{at_}/{token}"
            else:
                yield from differences(claimed[name], replayed[name], f"{at_}/{token}")
    elif isinstance(claimed, list) and isinstance(replayed, list) and len(claimed) == len(replayed):
        for i, (one, other) in enumerate(zip(claimed, replayed, strict=True)):
            yield from differences(one, other, f"{at_}/{i}")
    elif type(claimed) is not type(replayed) or claimed != replayed:
        yield at_ or "/"
