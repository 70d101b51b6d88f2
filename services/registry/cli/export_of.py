"""Where ``export`` gets a bundle: the database of this machine or a server; and the access log that says it did."""

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from registry.cli.console import note
from registry.cli.database import Held, check_revision, reader, require_file, write_lock, writer_engine
from registry.cli.exits import REFUSED, UNREACHABLE, USAGE, Stop
from registry.config import Settings

REASON = b"Access-Reason"
"""The header in which a server is told why."""
MOST_BYTES = 1 << 30
"""Of a bundle that a server sends."""


class Wanted(NamedTuple):
    """What is exported, and why."""

    agreement: str | None = None
    """None: the whole log."""
    from_size: int | None = None
    on: date = date.min
    withhold: bool = False
    reason: str | None = None


class Kept(NamedTuple):
    """An earlier checkpoint: its size, and its root if the whole of it was kept."""

    size: int | None = None
    root: bytes | None = None


def kept_checkpoint(text: str | None) -> Kept:
    """Read what ``--from`` means: a size, or a file with a checkpoint. Raises Stop."""
    from registry.merkle.checkpoint import parse_checkpoint
    from registry.merkle.note import parse_note

    if text is None:
        return Kept()
    if re.fullmatch(r"[0-9]{1,15}", text):
        size, root = int(text), None
    else:
        try:
            checkpoint = parse_checkpoint(parse_note(Path(text).read_bytes()).text)
        except OSError as error:
            raise Stop(
                USAGE, f"--from {text} is no size, and no file that can be read: {error.strerror}"
            ) from error
        except ValueError as error:
            raise Stop(USAGE, f"--from {text} holds no checkpoint: {error}") from error
        size, root = checkpoint.size, checkpoint.root
    if size < 1:
        raise Stop(USAGE, "--from is a size of at least 1: every log extends the empty one")
    return Kept(size, root)


def write_down(settings: Settings, wanted: Wanted) -> str:
    """Write into the access log, before anything is read, that this is exported.

    Returns the URL of the server that holds the database, empty if none does; the bundle of one agreement is to be
    asked of it, and it writes that down itself. Raises Stop and Unavailable.
    """
    from registry.store.access_log import MOST_LETTERS, Access, write_accesses
    from registry.store.principals import principal_id
    from registry.store.reader import Reader
    from registry.store.recorder import now

    if wanted.reason is not None and not (
        wanted.reason.isprintable() and 0 < len(wanted.reason) <= MOST_LETTERS
    ):
        raise Stop(USAGE, f"--reason is a line of at most {MOST_LETTERS} characters")
    if settings.require_reason and wanted.reason is None:
        raise Stop(USAGE, "--reason is required here (REGISTRY_REQUIRE_REASON): say why, and name nobody")
    require_file(settings)
    try:
        with write_lock(settings), writer_engine(settings) as engine:
            check_revision(Reader(engine).revision())
            access = Access(
                at=now(),
                principal=principal_id(engine, "command", "command line"),
                what="registry export",
                agreement=wanted.agreement,
                reason=wanted.reason,
            )
            write_accesses(engine, [access])
    except Held as held:
        if not held.url:
            raise
        note(
            f"the server at {held.url} writes the database; {'going through it' if wanted.agreement else 'telling it'}"
        )
        if wanted.agreement is None:
            tell(held.url, wanted)
        return held.url
    return ""


def tell(url: str, wanted: Wanted) -> None:
    """Have the server that holds a database write down that all of it is exported. Raises Stop and Unavailable."""
    import httpx

    from registry.cli.remote import answer, client_options, reached

    with httpx.Client(**client_options(url)) as client, reached(client.base_url):
        answer(client.post("/log/exports", headers=reason_header(wanted)))


def from_database(settings: Settings, wanted: Wanted) -> dict[str, bytes]:
    """Make the bundle of an agreement. Raises NotFound, Stop and Unavailable."""
    from registry.audit.bundle import make_bundle
    from registry.audit.evidence import gather, stand
    from registry.merkle.checkpoint import parse_checkpoint
    from registry.merkle.note import parse_note

    with reader(settings) as opened:
        standing = stand(opened, wanted.agreement or "")
        size = standing.published.size
        if wanted.from_size is not None and wanted.from_size > size:
            raise Stop(REFUSED, f"the last published checkpoint is of {size:,} events, --from asks for more")
        origin = parse_checkpoint(parse_note(standing.published.note).text).origin
        keys = keys_of(settings, origin)
        evidence = gather(opened, wanted.agreement or "", standing, keys=keys, from_size=wanted.from_size)
    return dict(make_bundle(evidence, wanted.on, parts=not wanted.withhold))


def from_server(url: str, wanted: Wanted) -> dict[str, bytes]:
    """Ask a server for the bundle of an agreement. Raises NotFound, RegistryError, Stop and Unavailable."""
    import httpx

    from registry.audit.bundle import unzipped
    from registry.cli.remote import answer, client_options, reached, strange

    query: dict[str, Any] = {"agreement": wanted.agreement, "valid_as_of": wanted.on.isoformat()}
    if wanted.from_size is not None:
        query["from"] = wanted.from_size
    with httpx.Client(**client_options(url)) as client, reached(client.base_url):
        headers = {b"Accept": b"application/zip, application/problem+json", **reason_header(wanted)}
        with client.stream("GET", "/log/bundle", params=query, headers=headers) as response:
            if not response.is_success:
                response.read()
                answer(response)
            content = bytearray()
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > MOST_BYTES:
                    raise Stop(UNREACHABLE, f"{url} sends a bundle of more than {MOST_BYTES:,} bytes")
            try:
                return dict(unzipped(bytes(content)))
            except ValueError as error:
                raise strange(response, f"no bundle: {error}") from error


def reason_header(wanted: Wanted) -> dict[bytes, bytes]:
    """Give the header that says why."""
    return {} if wanted.reason is None else {REASON: wanted.reason.encode()}


def keys_of(settings: Settings, origin: str) -> Iterable[Any]:
    """Give the verifier keys that are configured here; a bundle without any is as good, and says less."""
    from registry.audit.configured import public_keys
    from registry.audit.keys import KeyFault

    with suppress(KeyFault):
        return public_keys(settings, origin)
    note("there is no key of the log here, so keys.txt stays empty")
    return ()
