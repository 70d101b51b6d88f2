"""The receipt: what a service is told about an event it posted, the first time and every time after."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from registry.domain.decide import Advice
from registry.merkle.entry import event_uuid, format_time

UUID_PATTERN = "^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"


class Receipt(msgspec.Struct, frozen=True):
    """What was recorded of an event, and where; the same each time the event is posted."""

    position: Annotated[int, Meta(description="Its position in the log")]
    agreement: Annotated[str, Meta(description="The id of its agreement")]
    version: Annotated[int, Meta(description="The version that its agreement has with it")]
    event_uuid: Annotated[str, Meta(description="UUIDv5 of its source and id", pattern=UUID_PATTERN)]
    recorded_at: Annotated[str, Meta(description="When it was recorded: RFC 3339 in UTC, to the microsecond")]
    leaf_hash: Annotated[
        str, Meta(description="The hash of its leaf: 64 hexadecimal digits", pattern="^[0-9a-f]{64}$")
    ]
    warnings: Annotated[tuple[Advice, ...], Meta(description="Empty in the receipt of a replay")] = ()
    replayed: Annotated[bool, Meta(description="True when it had been recorded before")] = False


class Forecast(msgspec.Struct, frozen=True):
    """What the receipt of an event would be if it were posted now; nothing was written, and no place is promised."""

    agreement: Annotated[str, Meta(description="The id of its agreement")]
    version: Annotated[int, Meta(description="The version that its agreement would have with it, or has")]
    event_uuid: Annotated[str, Meta(description="UUIDv5 of its source and id", pattern=UUID_PATTERN)]
    warnings: Annotated[tuple[Advice, ...], Meta(description="Empty for what is recorded already")] = ()
    replayed: Annotated[bool, Meta(description="True when it has been recorded before")] = False
    dry_run: Annotated[Literal[True], Meta(description="Says that this is no receipt")] = True


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
    uuid: bytes | None = None,
) -> Receipt:
    """Make out a receipt; ``recorded_at`` in microseconds since 1970, ``uuid`` if it is known already."""
    return Receipt(
        position=position,
        agreement=agreement,
        version=version,
        event_uuid=written(uuid or event_uuid(source, id)),
        recorded_at=format_time(recorded_at),
        leaf_hash=leaf.hex(),
        warnings=warnings,
        replayed=replayed,
    )


def written(uuid: bytes) -> str:
    """Write a UUID of 16 bytes in the usual way."""
    digits = uuid.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
