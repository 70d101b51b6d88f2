"""The posts that this process has refused lately: by which rule, about which agreement and whose they were.

They are kept in memory and bounded; of the events themselves nothing is kept.
"""

from collections import deque
from typing import Any

import msgspec

from registry.errors import Refusal
from registry.http.answer import Asked

MOST = 100


class Refused(msgspec.Struct, frozen=True):
    """A post that was refused."""

    at: int
    """Microseconds since 1970-01-01T00:00:00Z."""
    rule: str
    """The name of the rule, or of the kind of problem where no rule refused."""
    agreement: str
    """Its id; empty when the post could not be read so far."""
    principal: str
    """The label of whoever posted."""


Refusals = deque[Refused]
"""The last of them at the end."""


def no_refusals() -> Refusals:
    """Begin to keep them."""
    return deque(maxlen=MOST)


def note_refusal(request: Asked, label: str, kind: str, error: Exception, at: int) -> None:
    """Keep that a post was refused."""
    kept: Refusals = request.app.state.refusals
    blamed: Any = error if isinstance(error, Refusal) else getattr(error, "refusal", None)
    kept.append(Refused(at, getattr(blamed, "rule", kind), getattr(blamed, "subject", ""), label))
