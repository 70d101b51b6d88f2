"""Checkpoints, and proofs that are complete by themselves because they carry one (C2SP tlog-checkpoint, tlog-proof)."""

from typing import Any

from litestar import Response

from registry.api.log import named_position
from registry.audit.checkpoints import Published, published
from registry.errors import NotFound
from registry.http.answer import Asked, digest, fresh_or_304
from registry.http.freshness import CHECKPOINT
from registry.http.parameters import number, query
from registry.http.routing import Content, Operation, Parameter, read
from registry.http.threads import in_thread
from registry.merkle.checkpoint import format_proof
from registry.merkle.proof import inclusion_nodes, prove_inclusion
from registry.store.reader import Reader

TEXT = "text/plain; charset=utf-8"
SHORT = {"Cache-Control": "public, max-age=1"}
SIZE = Parameter(
    "size",
    "Size of the tree that an earlier checkpoint is of; by default the last one is given",
    {"type": "integer", "minimum": 0},
)


@read(
    "/checkpoint",
    Operation(
        tag="Log",
        reads=(CHECKPOINT,),
        parameters=(SIZE,),
        answers={200: Content("text/plain", {"type": "string"})},
        problems=(400, 404),
    ),
    same_for_all=True,
)
async def get_checkpoint(request: Asked) -> Response[Any]:
    """Read the last checkpoint

    The origin of the log, its size and root hash, signed (C2SP tlog-checkpoint). An event is under a checkpoint
    within a second, and `min_position` waits for it. Cosignatures of witnesses follow as they come in.
    """
    size = number(query(request, "size"), "size")
    last = await _checkpoint(request, size)
    headers = {**SHORT, "Registry-Position": str(last.size)}
    return fresh_or_304(request, last.note, etag=digest(last.note), media_type=TEXT, headers=headers)


@read(
    "/log/proof/inclusion.tlog-proof",
    Operation(
        tag="Log",
        reads=(CHECKPOINT,),
        parameters=(
            Parameter("position", "Position of the event", {"type": "integer", "minimum": 1}),
            Parameter(
                "source", "Source of the event, with `id`, instead of its position", {"type": "string"}
            ),
            Parameter("id", "Id of the event, with `source`", {"type": "string"}),
            SIZE,
        ),
        answers={200: Content("text/plain", {"type": "string"})},
        problems=(400, 404),
    ),
)
async def get_tlog_proof(request: Asked) -> Response[Any]:
    """Prove that an event is in the log, with the checkpoint

    As C2SP tlog-proof: verified against the leaf hash of the event and the key of the log, without asking again.
    """
    given = query(request, "position", "source", "id", "size")
    checkpoint = await _checkpoint(request, number(given, "size"))
    reader: Reader = request.app.state.reader
    content = await in_thread(_proof, reader, given, checkpoint)
    headers = {"Registry-Position": str(checkpoint.size)}
    return fresh_or_304(request, content, etag=digest(content), media_type=TEXT, headers=headers)


@read(
    "/log/keys",
    Operation(
        tag="Log",
        answers={200: Content("text/plain", {"type": "string"})},
    ),
)
async def get_keys(request: Asked) -> Response[Any]:
    """Read the verifier keys of the log

    A line each (C2SP signed-note): those of the log, then those of the witnesses that it asks. They are here for
    convenience: a key that comes from the log itself proves nothing until it is compared with one from elsewhere.
    """
    query(request)
    content = "".join(f"{key}\n" for key in request.app.state.verifier_keys).encode()
    return fresh_or_304(request, content, etag=digest(content), media_type=TEXT)


async def _checkpoint(request: Asked, size: int | None) -> Published:
    found = await request.app.state.views.read(published, size)
    if found is None:
        raise NotFound("the log has signed no checkpoint" + ("" if size is None else f" of {size} events"))
    checkpoint: Published = found
    return checkpoint


def _proof(reader: Reader, given: dict[str, str], checkpoint: Published) -> bytes:
    position = named_position(reader, given)
    if position is None or position > checkpoint.size:
        raise NotFound(f"there is no such event in the checkpoint of {checkpoint.size} events")
    nodes = reader.hashes(inclusion_nodes(position - 1, checkpoint.size), checkpoint.size)
    return format_proof(position - 1, prove_inclusion(position - 1, checkpoint.size, nodes), checkpoint.note)
