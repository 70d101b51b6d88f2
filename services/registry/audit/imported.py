"""Making a database of a bundle of the whole log: the same positions, leaves and root, or nothing at all.

Everything happens in one transaction, which is verified as a whole before it is committed. An import that is killed
has never happened, so there is no half of one that a service could serve.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import NamedTuple

from sqlalchemy import Connection, Engine, exc, insert, update

from registry.audit import taken
from registry.audit.bundle import CHECKPOINT, CHECKPOINTS
from registry.audit.checkpoints import NO_TIME
from registry.audit.keys import verify as verify_signature
from registry.audit.report import Report
from registry.audit.taken import Bundle, StoredCheckpoint, StoredSignature, Unfit
from registry.audit.verify import verify
from registry.merkle.checkpoint import Checkpoint, format_checkpoint
from registry.merkle.note import COSIGNATURE, ED25519, VerifierKey, verified, verifies
from registry.store import restricted
from registry.store.copied import is_empty, write_copied
from registry.store.database import reachable
from registry.store.head import lock_head
from registry.store.tables import log_checkpoint, log_head, log_signature, witnessed

PAGE = 1000

Progress = Callable[[int, int], None]
"""Called with (events done, events in all)."""


class Imported(NamedTuple):
    """What an import has made."""

    report: Report
    signatures: int
    """Signatures and cosignatures that hold."""
    unknown: int
    """Those by keys that are not known: earlier ones, or of witnesses that are no longer asked."""


class _Here:
    """The connection of a transaction as something to connect to: what reads there sees what was written."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        yield self._connection


def import_whole_log(
    engine: Engine,
    bundle: Bundle,
    *,
    trusted: Iterable[VerifierKey] = (),
    importing: Progress = lambda _done, _total: None,
    verifying: Progress = lambda _done, _total: None,
) -> Imported:
    """Make an empty, migrated database the registry that the bundle is of.

    ``trusted`` are keys of the log, one of which has to have signed the checkpoint; without them those in the bundle
    are believed. Memory does not grow with the log. Raises Unfit when the database is not empty or anything in the
    bundle does not hold, and Unavailable; then nothing was recorded.
    """
    keys = tuple(trusted) or tuple(key for key in bundle.keys if key.name == bundle.checkpoint.origin)
    try:
        verified(bundle.note, [key for key in keys if key.type == ED25519], verify_signature)
    except ValueError as error:
        raise Unfit(f"{CHECKPOINT}: {error}") from error
    try:
        with reachable(), engine.begin() as connection:
            _begin(connection, bundle)
            _events(connection, bundle, importing)
            signed = _Signed({*keys, *bundle.keys})
            _checkpoints(connection, bundle, signed)
            for row in taken.witnessed(bundle):
                connection.execute(
                    insert(witnessed).values(origin=row.origin, size=row.size, root=row.root, note=row.note)
                )
            restricted.write(connection, dict.fromkeys(restricted.find_all(connection), True))
            report = verify(_Here(connection), verifying)
            if report.finding is not None:
                raise Unfit(f"the log does not hold: {report.finding}")
    except exc.IntegrityError as error:
        raise Unfit("something stands twice in the bundle: a position, an identity or a version") from error
    return Imported(report, signed.held, signed.unknown)


def _begin(connection: Connection, bundle: Bundle) -> None:
    """Lock the log, see that there is nothing in it, and give it its name."""
    head = lock_head(connection)
    if head.size or not is_empty(connection):
        raise Unfit(
            "the database is not empty: something was recorded or signed in it; import into a new one, which "
            "`registry migrate` makes"
        )
    connection.execute(update(log_head).values(origin=bundle.checkpoint.origin))


def _events(connection: Connection, bundle: Bundle, progress: Progress) -> None:
    head = lock_head(connection)
    events = taken.events(bundle)
    while page := list(islice(events, PAGE)):
        head = write_copied(connection, head, page)
        progress(head.size, bundle.checkpoint.size)
    if (head.size, head.root) != (bundle.checkpoint.size, bundle.checkpoint.root):
        raise Unfit(f"{CHECKPOINT}: it is not of the {head.size} events in the bundle")


class _Signed:
    """Verifies what the log and its witnesses have signed. Counts what holds, and what nobody here can tell."""

    def __init__(self, keys: Iterable[VerifierKey]) -> None:
        self._keys = {(key.name, key.key_id): key for key in keys}
        self.held = self.unknown = 0

    def check(self, checkpoint: StoredCheckpoint, origin: str) -> None:
        """Check every signature on a checkpoint by a key that is known. Raises Unfit."""
        origins = {each.name for each in checkpoint.signatures if each.time == NO_TIME} or {origin}
        for each in checkpoint.signatures:
            key = self._keys.get((each.name, each.key_id))
            if key is None:
                self.unknown += 1
                continue
            # Of a size that was signed under two origins, nothing tells which of them was cosigned.
            texts = [each.name] if each.time == NO_TIME else sorted(origins)
            if not any(
                _holds(key, Checkpoint(name, checkpoint.size, checkpoint.root), each) for name in texts
            ):
                raise Unfit(
                    f"{CHECKPOINTS}: a signature of {each.name} on size {checkpoint.size} does not hold"
                )
            self.held += 1


def _holds(key: VerifierKey, checkpoint: Checkpoint, each: StoredSignature) -> bool:
    if (key.type == COSIGNATURE) == (each.time == NO_TIME) or not 0 <= each.time < 1 << 63:
        return False
    before = b"" if each.time == NO_TIME else each.time.to_bytes(8)
    try:
        text = format_checkpoint(checkpoint)
    except ValueError:
        return False
    return verifies(key, text, before + each.signature, verify_signature)


def _checkpoints(connection: Connection, bundle: Bundle, signed: _Signed) -> None:
    last = -1
    for each in taken.checkpoints(bundle):
        if each.size <= last:
            raise Unfit(f"{CHECKPOINTS}: size {each.size} comes behind size {last}")
        last = each.size
        signed.check(each, bundle.checkpoint.origin)
        connection.execute(insert(log_checkpoint).values(size=each.size, root=each.root))
        rows = [
            {
                "size": each.size,
                "name": one.name,
                "key_id": one.key_id,
                "time": one.time,
                "signature": one.signature,
            }
            for one in each.signatures
        ]
        if rows:
            connection.execute(insert(log_signature), rows)
    if last > bundle.checkpoint.size:
        raise Unfit(
            f"the log has signed {last} events, the bundle has {bundle.checkpoint.size}: stop the service, then export"
        )
    if last < bundle.checkpoint.size:
        raise Unfit(f"{CHECKPOINTS}: the checkpoint of the bundle is not among them")
