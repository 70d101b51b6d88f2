"""Examples of good answers: what the application said of the demo story when its description was last written.

`registry contracts` records them; the running service takes them from the description that it was installed with, as
it has no such story of its own.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import msgspec

from registry.store.migrate import resource

Described = dict[str, Any]
Examples = Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]]
"""What a form of an answer shows, by operation, status and media type: ``example`` or ``examples``."""

SHOWN = ("example", "examples")


@cache
def published() -> Examples:
    """Read the examples of the description that came with this version; none where there is no such file."""
    try:
        content = (resource("contracts") / "openapi.json").read_bytes()
    except OSError:
        return {}
    found: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
    for operation, status, media_type, form in good_forms(msgspec.json.decode(content)["paths"]):
        if shown := {key: form[key] for key in SHOWN if key in form}:
            found.setdefault(operation, {}).setdefault(status, {})[media_type] = shown
    return found


def show(paths: Described, examples: Examples) -> None:
    """Put examples into described answers; what a route shows by itself stays."""
    for operation, status, media_type, form in good_forms(paths):
        if not any(key in form for key in SHOWN):
            form.update(examples.get(operation, {}).get(status, {}).get(media_type, {}))


def good_forms(paths: Described) -> Iterator[tuple[str, str, str, Described]]:
    """Yield every form of a good answer, with its operation, status and media type."""
    for methods in paths.values():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                for media_type, form in answer.get("content", {}).items() if status.startswith("2") else ():
                    yield operation["operationId"], status, media_type, form
