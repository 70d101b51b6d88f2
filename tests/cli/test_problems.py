"""Why an event is refused, on one line."""

import pytest

from registry.cli.problems import reason
from registry.errors import Flaw, IdentityTaken, Invalid, Malformed, Rejected, TooLarge


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Malformed("no JSON"), "no JSON"),
        (Malformed("no", [Flaw("", "it ends in the middle")]), "it ends in the middle"),
        (
            Invalid("no", [Flaw("/type", "unknown"), Flaw("/data/a", "missing")]),
            "/type: unknown; /data/a: missing",
        ),
        (
            Rejected("already-claimed", "correct it instead", positions=[4]),
            "already-claimed: correct it instead [position 4]",
        ),
        (Rejected("loop", "a merge loops", positions=[4, 9]), "loop: a merge loops [positions 4, 9]"),
        (Rejected("unknown-agreement", "nothing founds it"), "unknown-agreement: nothing founds it"),
        (TooLarge("too many persons"), "too many persons"),
    ],
)
def test_a_refusal_says_what_and_where(error, said):
    assert reason(error) == said


def test_a_taken_identity_says_which_event_has_it():
    assert reason(IdentityTaken("/a", "1", 7)).startswith("identity-taken: ")
    assert "position 7" in reason(IdentityTaken("/a", "1", 7))
