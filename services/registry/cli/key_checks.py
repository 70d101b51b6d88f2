"""What the doctor looks at beside the database: keys, the kept checkpoint, and whose keys are about to end."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from registry.audit.keys import KeyFault, kept_path, key_path, read_key
from registry.audit.standing import Behind, Kept, look
from registry.cli.checks import Check
from registry.config import Settings
from registry.store.api_keys import listed
from registry.store.reader import Reader

SOON = timedelta(days=14)
"""How long before its end a key is spoken of."""
SKEW = 2.0
"""Seconds by which the clock of a database server may differ: record times are this machine's."""


def key_files(settings: Settings) -> Iterator[Check]:
    """Whether the keys that sign can be read, by their owner alone."""
    named = {
        "key": key_path(settings),
        "next key": Path(settings.log_key_file_next) if settings.log_key_file_next else None,
        "witness key": Path(settings.witness_key_file) if settings.witness_key_file else None,
    }
    for name, path in named.items():
        if path is None:
            continue
        if name == "key" and not settings.log_key_file and not path.exists():
            yield Check(name, "ok", "none yet; the first start makes one beside the database")
            continue
        try:
            read_key(path)
        except KeyFault as fault:
            yield Check(name, "fail", str(fault))
        else:
            yield Check(name, "ok", f"{path} can be read by its owner alone")
    if named["key"] is None:
        yield Check("key", "warn", "none: checkpoints are signed by other processes, or by nobody")


def kept_checkpoint(settings: Settings, engine: Any) -> Check:
    """Whether the log is where it was last seen to be: by its checkpoints, the kept file and witnesses."""
    path = kept_path(settings)
    try:
        head = look(Reader(engine), Kept(path) if path is not None else None)
    except Behind as behind:
        return Check("checkpoint", "fail", str(behind))
    if path is None:
        return Check("checkpoint", "warn", "none is kept outside the database: a rollback would not be seen")
    if not path.exists():
        return Check("checkpoint", "warn", f"{path} is not there: a rollback would not be seen")
    return Check("checkpoint", "ok", f"the log of {head.size:,} extends the one kept in {path}")


def ending_keys(engine: Any) -> Check:
    """Which keys of clients are about to end."""
    today = datetime.now(UTC).date()
    live = [key for key in listed(engine) if key.revoked is None]
    soon = [
        f"{key.label} ({key.id}) on {key.expires}"
        for key in live
        if key.expires is not None and today <= key.expires <= today + SOON
    ]
    if soon:
        return Check("api keys", "warn", f"about to end: {', '.join(soon)}")
    return Check("api keys", "ok", f"{len(live)} in use, none ends within {SOON.days} days")


def skew(connection: Any) -> Check:
    """By how much the clock of a PostgreSQL server differs from this one."""
    before = time.time()
    theirs = float(connection.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp())").scalar())
    after = time.time()
    apart = max(0.0, before - theirs, theirs - after)
    text = f"{apart:.1f} s from that of the database server"
    return Check("skew", "ok" if apart <= SKEW else "warn", text)
