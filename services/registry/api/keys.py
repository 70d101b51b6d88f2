"""The API keys, for whoever operates the registry: made, listed, revoked."""

import re

import msgspec

from registry.domain import strict_json
from registry.errors import Flaw, Invalid, Malformed
from registry.http.answer import JSON, Answer, Asked
from registry.http.body import read_body
from registry.http.gate import Gate
from registry.http.parameters import query
from registry.http.routing import Content, Operation, Parameter, delete, post, read
from registry.http.threads import in_thread
from registry.store.api_keys import KeyRequest, KeyRow, Keys

MAX_BODY = 65_536
_INDEX = re.compile(r"\[(\d+)\]")
NO_STORE = {"Cache-Control": "no-store"}
ID = Parameter(
    "id",
    "The id of the key, as it is listed",
    {"type": "string"},
    required=True,
    where="path",
    example="5f0c1d7e9a3b2468",
)


class KeyList(msgspec.Struct, frozen=True):
    items: list[KeyRow]


class MadeKey(msgspec.Struct, frozen=True):
    """A new key. This is the only time that it is shown."""

    key: str
    made: KeyRow


EXAMPLE_REQUEST = {
    "label": "Gazette import",
    "scopes": ["events:write", "agreements:read"],
    "sources": ["https://gazette.example/"],
    "expires": "2027-12-31",
}


@read("/keys", Operation(tag="Operations", answers={200: Content(JSON, KeyList)}, tagged=False))
async def get_api_keys(request: Asked) -> Answer:
    """List the API keys

    Revoked ones as well, the oldest first. The keys themselves are not kept, only their hashes.
    """
    query(request)
    return _answer(KeyList(await in_thread(_keys(request).listed)))


@post(
    "/keys",
    Operation(
        tag="Operations",
        request=(Content(JSON, KeyRequest, EXAMPLE_REQUEST),),
        answers={201: Content(JSON, MadeKey)},
        problems=(400, 413),
    ),
)
async def post_api_key(request: Asked) -> Answer:
    """Make an API key

    `key` is shown this once. `sources` and `parties` bind what it may post; `expires` is its last day, in UTC. Keys
    of one label are of one principal, so that a key can be replaced by another.
    """
    query(request)
    wanted = _key_request(await read_body(request, MAX_BODY))
    keys = _keys(request)
    try:
        id, key = await in_thread(keys.create, wanted)
    except Invalid as error:
        raise Malformed(error.detail, error.flaws) from error
    await _gate(request).keys.anew()
    return _answer(MadeKey(key, await in_thread(keys.shown, id)), status=201)


@delete(
    "/keys/{id:str}",
    Operation(tag="Operations", parameters=(ID,), answers={200: Content(JSON, KeyRow)}, problems=(404,)),
)
async def delete_api_key(request: Asked) -> Answer:
    """Revoke an API key

    For good, and with it the sessions that were opened with it: here at once, elsewhere within two seconds. It
    stays in the list.
    """
    query(request)
    revoked = await in_thread(_keys(request).revoke, request.path_params["id"])
    await _gate(request).keys.anew()
    return _answer(revoked)


def _key_request(body: bytes) -> KeyRequest:
    """Read what a key is to be. Raises Malformed."""
    try:
        return msgspec.convert(strict_json.decode(body), KeyRequest)
    except msgspec.ValidationError as error:
        detail, _, path = str(error).partition(" - at `$")
        pointer = _INDEX.sub(r"/\1", path.rstrip("`").replace(".", "/"))
        raise Malformed("this makes no key", [Flaw(pointer, detail)]) from error


def _keys(request: Asked) -> Keys:
    keys: Keys = request.app.state.api_keys
    return keys


def _gate(request: Asked) -> Gate:
    gate: Gate = request.app.state.gate
    return gate


def _answer(shown: msgspec.Struct, status: int = 200) -> Answer:
    return Answer(msgspec.json.encode(shown), status=status, headers=NO_STORE)
