"""Why an event is refused, on one line."""

from collections.abc import Sequence

from registry.errors import IdentityTaken, Invalid, Malformed, RegistryError, Rejected


def reason(error: RegistryError) -> str:
    """Say what is wrong, where, and which positions it conflicts with."""
    match error:
        case Malformed(flaws=flaws) | Invalid(flaws=flaws) if flaws:
            return "; ".join(
                f"{flaw.pointer}: {flaw.detail}" if flaw.pointer else flaw.detail for flaw in flaws
            )
        case Rejected():
            return f"{error.rule}: {error.detail}{behind(error.positions)}"
        case IdentityTaken():
            return f"identity-taken: {error.detail}"
    return error.detail


def behind(positions: Sequence[int]) -> str:
    """Name the positions that something rests on, if there are any."""
    if not positions:
        return ""
    return f" [position{'s' if len(positions) > 1 else ''} {', '.join(map(str, positions))}]"
