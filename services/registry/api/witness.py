"""POST /add-checkpoint: this registry as a witness for the logs of others (C2SP tlog-witness v1.0.0)."""

from typing import Any

from litestar import Response
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler

from registry.audit.witness import SeenOther, Witness
from registry.errors import NotFound
from registry.http.access import needed
from registry.http.answer import Answer, Asked
from registry.http.body import read_body
from registry.http.parameters import query
from registry.http.principal import NEEDS, let_in
from registry.http.routing import OPERATION, Content, Operation
from registry.http.threads import in_thread

TEXT = "text/plain; charset=utf-8"
SIZE = "text/x.tlog.size"
MAX_BODY = 128 << 10
"""Room for a proof and for many signatures, also of algorithms whose signatures are long."""


@HTTPRouteHandler(
    "/add-checkpoint",
    http_method=HttpMethod.POST,
    status_code=200,
    before_request=let_in,
    opt={
        OPERATION: Operation(
            tag="Log",
            request=(Content("text/plain", {"type": "string"}),),
            answers={
                200: Content("text/plain", {"type": "string"}),
                409: Content(SIZE, {"type": "string"}, "20852163\n"),
            },
            problems=(400, 403, 404, 413, 422, 429),
        ),
        NEEDS: needed("POST", "/add-checkpoint"),
    },
)
async def post_checkpoint(request: Asked) -> Response[Any]:
    """Have a checkpoint of another log cosigned

    As C2SP tlog-witness: the old size, a consistency proof and the checkpoint. The answer is the cosignature; 409
    gives the size that was cosigned last. Open to every log that the operator has made known.
    """
    query(request)
    witness: Witness | None = request.app.state.witness
    if witness is None:
        raise NotFound("this registry is no witness")
    try:
        lines = await in_thread(witness.add_checkpoint, await read_body(request, MAX_BODY))
    except SeenOther as seen:
        return Answer(f"{seen.size}\n".encode(), status=409, media_type=SIZE)
    return Answer(lines.encode(), media_type=TEXT, headers={"Cache-Control": "no-store"})
