"""The read models as an operator sees them: how far they have come, what is parked, and what to do about it."""

from typing import Any

import msgspec

from registry.http.answer import JSON, Answer, Asked
from registry.http.as_of import EXAMPLE
from registry.http.parameters import query
from registry.http.routing import Content, Operation, Parameter, post, read
from registry.http.threads import in_thread
from registry.projections.operate import Operator, ProjectionStatus
from registry.projections.rebuild import Difference

NAME = Parameter(
    "name", "The name of the read model", {"type": "string"}, required=True, where="path", example="parties"
)
ID = Parameter(
    "id", "The id of the parked agreement", {"type": "string"}, required=True, where="path", example=EXAMPLE
)
NO_STORE = {"Cache-Control": "no-store"}


class Projections(msgspec.Struct, frozen=True):
    items: list[ProjectionStatus]


class Rebuilt(msgspec.Struct, frozen=True):
    """A read model was built anew and is live."""

    name: str
    generation: int


class Checked(msgspec.Struct, frozen=True):
    """The live rows of a read model beside those of a new build."""

    name: str
    differences: list[Difference]


class Resolved(msgspec.Struct, frozen=True):
    """What was asked for a parked agreement is recorded."""

    name: str
    agreement: str
    resolution: str


def _resolved(resolution: str) -> Any:
    return msgspec.to_builtins(Resolved(NAME.example, ID.example, resolution))


@read("/projections", Operation(tag="Operations", answers={200: Content(JSON, Projections)}, tagged=False))
async def get_projections(request: Asked) -> Answer:
    """Read how the read models do

    For each: its generations with their positions, and the agreements that are parked.
    """
    query(request)
    return _answer(Projections(await in_thread(_operator(request).status)))


@post(
    "/projections/{name:str}/rebuild",
    Operation(
        tag="Operations", parameters=(NAME,), answers={200: Content(JSON, Rebuilt)}, problems=(404, 503)
    ),
)
async def post_rebuild(request: Asked) -> Answer:
    """Build a read model anew

    The rows in place serve until the new ones have caught up; the answer comes when they have taken over.
    """
    query(request)
    name = request.path_params["name"]
    return _answer(Rebuilt(name, await in_thread(_operator(request).rebuild, name)))


@post(
    "/projections/{name:str}/check",
    Operation(
        tag="Operations", parameters=(NAME,), answers={200: Content(JSON, Checked)}, problems=(404, 503)
    ),
)
async def post_check(request: Asked) -> Answer:
    """Compare the rows of a read model with those of a new build

    Nothing is replaced. A difference is a fault of the registry; a rebuild mends it.
    """
    query(request)
    name = request.path_params["name"]
    return _answer(Checked(name, await in_thread(_operator(request).check, name)))


@post(
    "/projections/{name:str}/parked/{id:str}/retry",
    Operation(
        tag="Operations",
        parameters=(NAME, ID),
        answers={200: Content(JSON, Resolved, _resolved("retry"))},
        problems=(404,),
    ),
)
async def post_retry(request: Asked) -> Answer:
    """Try a parked agreement again"""
    query(request)
    name, id = request.path_params["name"], request.path_params["id"]
    await in_thread(_operator(request).retry, name, id)
    return _answer(Resolved(name, id, "retry"))


@post(
    "/projections/{name:str}/parked/{id:str}/skip",
    Operation(
        tag="Operations",
        parameters=(NAME, ID),
        answers={200: Content(JSON, Resolved, _resolved("skipped"))},
        problems=(404,),
    ),
)
async def post_skip(request: Asked) -> Answer:
    """Let a parked agreement go on with its next event

    Its rows stay as they are until then. A rebuild tries everything again.
    """
    query(request)
    name, id = request.path_params["name"], request.path_params["id"]
    await in_thread(_operator(request).skip, name, id)
    return _answer(Resolved(name, id, "skipped"))


def _operator(request: Asked) -> Operator:
    operator: Operator = request.app.state.operator
    return operator


def _answer(shown: msgspec.Struct) -> Answer:
    return Answer(msgspec.json.encode(shown), headers=NO_STORE)
