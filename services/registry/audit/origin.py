"""Giving up the origin of the log: what follows is a new log, with the same events, that nobody has a record of yet."""

from sqlalchemy import Engine, update

from registry.audit.checkpoints import Published, published, store, was_signed
from registry.audit.keys import KeyFault, SigningKey
from registry.audit.standing import Kept
from registry.merkle.checkpoint import Checkpoint, format_checkpoint
from registry.merkle.note import check_name
from registry.store.database import reachable
from registry.store.head import lock_head
from registry.store.tables import log_head


def give_up_origin(engine: Engine, keys: list[SigningKey], kept: Kept | None, origin: str) -> Published:
    """Name the log anew and sign its head under the new name; an origin is never taken again.

    Raises KeyFault when the name cannot be one or was used before, or there is no key to sign with; Contradiction
    and Unavailable.
    """
    try:
        check_name(origin)
    except ValueError as error:
        raise KeyFault(f"{origin!r} is no origin: {error}") from error
    if not keys:
        raise KeyFault(
            "REGISTRY_LOG_KEY_FILE names the key that signs the first checkpoint of the new origin"
        )
    with reachable(), engine.begin() as connection:
        head = lock_head(connection)
        if origin == head.origin or was_signed(connection, origin):
            raise KeyFault(f"{origin} is or was the origin of this log; a new one is needed")
        connection.execute(update(log_head).values(origin=origin))
        checkpoint = Checkpoint(origin, head.size, head.root)
        text = format_checkpoint(checkpoint)
        store(connection, checkpoint, [key.sign_note(origin, text) for key in keys])
        first = published(connection)
    if first is None:
        raise KeyFault("the first checkpoint was not stored")
    if kept is not None:
        kept.write(first.note)
    return first
