"""GET /log/bundle: the evidence about one agreement, in one file that proves itself."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, NamedTuple

import msgspec
from litestar import Response
from msgspec import Meta

from registry.access import AGREEMENTS_READ, Sight
from registry.audit.bundle import make_bundle, zipped
from registry.audit.evidence import Standing, gather, stand
from registry.domain.attributes import subject_flaw
from registry.domain.values import AGREEMENT_ID_PATTERN
from registry.domain.visibility import is_restricted
from registry.errors import NotFound
from registry.http.answer import JSON, Answer, Asked, digest, fresh_or_304, has
from registry.http.as_of import EXAMPLE, VALID_AS_OF
from registry.http.disclosure import ACCESS_REASON, disclosed
from registry.http.freshness import CHECKPOINT
from registry.http.parameters import BadParameter, day, number, query
from registry.http.principal import require
from registry.http.reasons import reason
from registry.http.routing import Content, Operation, Parameter, post, read
from registry.http.threads import in_thread
from registry.merkle.note import VerifierKey
from registry.store.reader import Reader

ZIP = "application/zip"
MOST_BYTES = 64 << 20
"""Of the entries and parts of an agreement whose bundle is made for a request; it is held in memory as a whole."""


class Wanted(NamedTuple):
    agreement: str
    from_size: int | None
    on: date


@read(
    "/log/bundle",
    Operation(
        tag="Log",
        reads=(CHECKPOINT,),
        parameters=(
            Parameter(
                "agreement",
                "The id of the agreement",
                {"type": "string", "pattern": AGREEMENT_ID_PATTERN},
                required=True,
                example=EXAMPLE,
            ),
            Parameter(
                "from",
                "The size of an earlier checkpoint that you kept: the bundle then proves that the log extends it",
                {"type": "integer", "minimum": 1},
            ),
            VALID_AS_OF,
            ACCESS_REASON,
        ),
        answers={200: Content(ZIP, {"type": "string", "format": "binary"})},
        headers={"Content-Disposition": "Names the file after the agreement and the size of the checkpoint"},
        problems=(400, 404, 413),
    ),
)
async def get_bundle(request: Asked) -> Response[Any]:
    """Read the evidence about an agreement

    A ZIP: its events as they are sealed in the log, a proof for each, the last published checkpoint that they lead to,
    and a report to read and print. It is verified without asking the registry again. Personal values are in it for
    who may read them; of others it has the commitments.
    """
    sight = require(request, AGREEMENTS_READ).sight
    wanted = _wanted(query(request, "agreement", "from", "valid_as_of"))
    reason(request)  # before anything is said of the agreement
    state = request.app.state
    standing = await in_thread(_stand, state.reader, wanted, sight)
    await disclosed(request, agreement=wanted.agreement, always=True)
    etag = _etag(standing, wanted, sight)
    name = f"{wanted.agreement}-{standing.published.size}.zip"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Registry-Position": str(standing.published.size),
    }
    if has(request, etag):  # before it is made for nothing
        return fresh_or_304(request, b"", etag=etag, media_type=ZIP, headers=headers)
    content = await in_thread(_make, state.reader, state.verifier_keys, standing, wanted, sight)
    return fresh_or_304(request, content, etag=etag, media_type=ZIP, headers=headers)


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """That it was written down."""

    written: Annotated[bool, Meta(description="Always true: it is in the access log now")] = True


@post(
    "/log/exports",
    Operation(
        tag="Log",
        parameters=(ACCESS_REASON,),
        answers={201: Content(JSON, Exported)},
        problems=(400,),
    ),
)
async def post_export(request: Asked) -> Response[Any]:
    """Have it written down that the whole log is exported

    By `registry export` on the machine of the service, which reads the database itself and must not write to it while
    the service does.
    """
    query(request)
    await disclosed(request, always=True)
    return Answer(msgspec.json.encode(Exported()), status=201)


def _wanted(given: dict[str, str]) -> Wanted:
    agreement = given.get("agreement")
    if agreement is None:
        raise BadParameter("agreement", "is required: the id of the agreement")
    if (flaw := subject_flaw(agreement)) is not None:
        raise BadParameter("agreement", flaw)
    return Wanted(agreement, number(given, "from", least=1), day(given, "valid_as_of"))


def _stand(reader: Reader, wanted: Wanted, sight: Sight) -> Standing:
    """Read the events. Who may see an agreement is a question of today, not of the checkpoint."""
    state = reader.agreement(wanted.agreement)
    if state is None or (is_restricted(state) and not sight.restricted):
        raise NotFound(f"there is no agreement {wanted.agreement!r}")
    standing = stand(reader, wanted.agreement, most_bytes=MOST_BYTES)
    if wanted.from_size is not None and wanted.from_size > standing.published.size:
        raise _beyond(standing.published.size)
    return standing


def _make(
    reader: Reader, keys: Iterable[VerifierKey], standing: Standing, wanted: Wanted, sight: Sight
) -> bytes:
    evidence = gather(reader, wanted.agreement, standing, keys=keys, from_size=wanted.from_size)
    return zipped(make_bundle(evidence, wanted.on, parts=sight.parts))


def _etag(standing: Standing, wanted: Wanted, sight: Sight) -> str:
    """Name what the bundle is made of: the signed checkpoint, what is open, and what was asked for by whom."""
    open_parts = ";".join(f"{event.position}:{sorted(event.parts)}" for event in standing.events)
    asked = f"{wanted.agreement} {wanted.from_size} {wanted.on} {sight.parts}"
    return digest(standing.published.note, open_parts.encode(), asked.encode())


def _beyond(size: int) -> BadParameter:
    return BadParameter("from", f"is larger than the last published checkpoint, which is of {size} events")
