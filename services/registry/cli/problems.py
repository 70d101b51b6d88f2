"""Why an event is refused, on one line."""

from registry.errors import IdentityTaken, Invalid, Malformed, RegistryError, Rejected


def reason(error: RegistryError) -> str:
    """Say what is wrong, where, and which positions it conflicts with."""
    match error:
        case Malformed(flaws=flaws) | Invalid(flaws=flaws) if flaws:
            return "; ".join(
                f"{flaw.pointer}: {flaw.detail}" if flaw.pointer else flaw.detail for flaw in flaws
            )
        case Rejected(positions=positions) if positions:
            places = ", ".join(map(str, positions))
            return f"{error.rule}: {error.detail} (position{'s' if len(positions) > 1 else ''} {places})"
        case Rejected():
            return f"{error.rule}: {error.detail}"
        case IdentityTaken():
            return f"identity-taken: {error.detail}"
    return error.detail
