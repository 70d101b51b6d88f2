"""The receipt: what a service is told about an event it posted, the first time and every time after."""

import msgspec

from registry.domain.decide import Advice
from registry.merkle.entry import event_uuid, format_time


class Receipt(msgspec.Struct, frozen=True):
    position: int
    agreement: str
    version: int
    event_uuid: str
    """UUIDv5 of the event's source and id, as hexadecimal digits in groups."""
    recorded_at: str
    """RFC 3339 in UTC, to the microsecond."""
    leaf_hash: str
    """64 hexadecimal digits."""
    warnings: tuple[Advice, ...] = ()
    """Empty in the receipt of a replay."""
    replayed: bool = False


def receipt(
    *,
    source: str,
    id: str,
    agreement: str,
    position: int,
    version: int,
    recorded_at: int,
    leaf: bytes,
    warnings: tuple[Advice, ...] = (),
    replayed: bool = False,
) -> Receipt:
    """Make out a receipt; ``recorded_at`` in microseconds since 1970."""
    digits = event_uuid(source, id).hex()
    return Receipt(
        position=position,
        agreement=agreement,
        version=version,
        event_uuid=f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}",
        recorded_at=format_time(recorded_at),
        leaf_hash=leaf.hex(),
        warnings=warnings,
        replayed=replayed,
    )
