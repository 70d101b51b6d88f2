"""The log as a Merkle tree: its head, and proofs of inclusion and of consistency (RFC 9162 section 2.1)."""

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from litestar import Response
from msgspec import Meta

from registry.domain.attributes import id_flaw, source_flaw
from registry.errors import NotFound
from registry.http.answer import JSON, Asked, digest, fresh_or_304
from registry.http.freshness import LOG
from registry.http.parameters import BadParameter, number, query
from registry.http.routing import Content, Operation, Parameter, read
from registry.http.threads import in_thread
from registry.merkle.entry import format_time
from registry.merkle.proof import (
    consistency_nodes,
    inclusion_nodes,
    prove_consistency,
    prove_inclusion,
    range_root,
    subtrees,
)
from registry.merkle.tiles import Node
from registry.merkle.tree import EMPTY_ROOT
from registry.store.head import Head
from registry.store.reader import Reader

Hash = Annotated[str, Meta(description="A SHA-256 hash as 64 hexadecimal digits", pattern="^[0-9a-f]{64}$")]


class LogHead(msgspec.Struct, frozen=True, kw_only=True):
    """Where the log ends."""

    origin: Annotated[str, Meta(description="The name of the log, fixed for ever")]
    size: Annotated[int, Meta(description="Events in the log, which is the position of the last")]
    root: Annotated[Hash, Meta(description="Root hash of the tree over all leaves")]
    recorded_at: Annotated[
        str | None, Meta(description="When the last event was recorded; null in an empty log")
    ]


class InclusionProof(msgspec.Struct, frozen=True, kw_only=True):
    """That an event is in the log (RFC 9162 section 2.1.3)."""

    position: Annotated[int, Meta(description="The position of the event")]
    leaf_index: Annotated[int, Meta(description="Its index in the tree: position - 1")]
    leaf_hash: Annotated[Hash, Meta(description="The hash of its entry")]
    size: Annotated[int, Meta(description="The size of the tree the proof is for")]
    root: Annotated[Hash, Meta(description="The root hash of that tree")]
    hashes: Annotated[list[Hash], Meta(description="The path from the leaf to the root")]


class ConsistencyProof(msgspec.Struct, frozen=True, kw_only=True):
    """That a later tree extends an earlier one (RFC 9162 section 2.1.4)."""

    from_size: Annotated[int, Meta(description="The size of the earlier tree")]
    from_root: Annotated[Hash, Meta(description="Its root hash")]
    to_size: Annotated[int, Meta(description="The size of the later tree")]
    to_root: Annotated[Hash, Meta(description="Its root hash")]
    hashes: Annotated[list[Hash], Meta(description="The proof; empty from size 0 and between equal sizes")]


_SIZE = {"type": "integer", "minimum": 0}


@read("/log", Operation(tag="Log", reads=(LOG,), answers={200: Content(JSON, LogHead)}))
async def get_log(request: Asked) -> Response[Any]:
    """Read where the log ends

    Its origin, how many events it has, and the root hash over all of them.
    """
    query(request)
    reader: Reader = request.app.state.reader
    head = await in_thread(reader.head)
    return _answer(
        request,
        head.size,
        LogHead(
            origin=head.origin,
            size=head.size,
            root=head.root.hex(),
            recorded_at=format_time(head.recorded_at) if head.size else None,
        ),
    )


@read(
    "/log/proof/inclusion",
    Operation(
        tag="Log",
        reads=(LOG,),
        parameters=(
            Parameter("position", "Position of the event", {"type": "integer", "minimum": 1}),
            Parameter(
                "source", "Source of the event, with `id`, instead of its position", {"type": "string"}
            ),
            Parameter("id", "Id of the event, with `source`", {"type": "string"}),
            Parameter("size", "Size of the tree the proof is for; by default the whole log", _SIZE),
        ),
        answers={200: Content(JSON, InclusionProof)},
        problems=(400, 404),
    ),
)
async def get_inclusion(request: Asked) -> Response[Any]:
    """Prove that an event is in the log

    The event is named by its `position`, or by its `source` and `id`.
    """
    given = query(request, "position", "source", "id", "size")
    return _answer(request, *await in_thread(inclusion, request.app.state.reader, given))


def inclusion(reader: Reader, given: dict[str, str]) -> tuple[int, InclusionProof]:
    """Prove what a query asks for, in two statements; give with it the size of the log.

    Raises NotFound and BadParameter.
    """
    head = reader.head()
    position, size = named_position(reader, given), _size(given, "size", head)
    if position is None or position > size:
        raise NotFound(f"there is no such event in the first {size} of the log")
    index = position - 1
    leaf = Node(0, index)
    hashes = _hashes(reader, head, (leaf, *inclusion_nodes(index, size)), size)
    return head.size, InclusionProof(
        position=position,
        leaf_index=index,
        leaf_hash=hashes[leaf].hex(),
        size=size,
        root=_root(size, hashes),
        hashes=[node.hex() for node in prove_inclusion(index, size, hashes)],
    )


@read(
    "/log/proof/consistency",
    Operation(
        tag="Log",
        reads=(LOG,),
        parameters=(
            Parameter("from", "Size of the earlier tree", _SIZE, required=True, example=8),
            Parameter("to", "Size of the later tree; by default the whole log", _SIZE),
        ),
        answers={200: Content(JSON, ConsistencyProof)},
        problems=(400,),
    ),
)
async def get_consistency(request: Asked) -> Response[Any]:
    """Prove that the log was only added to

    Between any two sizes that it has had.
    """
    given = query(request, "from", "to")
    if "from" not in given:
        raise BadParameter("from", "is required: the size of the earlier tree")
    return _answer(request, *await in_thread(_consistency, request.app.state.reader, given))


def _consistency(reader: Reader, given: dict[str, str]) -> tuple[int, ConsistencyProof]:
    head = reader.head()
    old, new = _size(given, "from", head), _size(given, "to", head)
    if old > new:
        raise BadParameter("from", f"is larger than the later size, {new}")
    hashes = _hashes(reader, head, consistency_nodes(old, new), old, new)
    return head.size, ConsistencyProof(
        from_size=old,
        from_root=_root(old, hashes),
        to_size=new,
        to_root=_root(new, hashes),
        hashes=[node.hex() for node in prove_consistency(old, new, hashes)],
    )


def named_position(reader: Reader, given: dict[str, str]) -> int | None:
    """Find the position of the event that is asked for; None if there is none with its identity."""
    position = number(given, "position", least=1)
    source, id_ = given.get("source"), given.get("id")
    if position is not None:
        if source is not None or id_ is not None:
            raise BadParameter("position", "names the event already; leave out `source` and `id`")
        return position
    if source is None or id_ is None:
        raise BadParameter("position", "is required, or else `source` and `id`")
    if source_flaw(source) is not None or id_flaw(id_) is not None:
        return None
    return reader.position_of(source, id_)


def _size(given: dict[str, str], name: str, head: Head) -> int:
    size = number(given, name)
    if size is not None and size > head.size:
        raise BadParameter(name, f"is larger than the log, which has {head.size} events")
    return head.size if size is None else size


def _hashes(reader: Reader, head: Head, nodes: Iterable[Node], *sizes: int) -> dict[Node, bytes]:
    """Read at once what the proof and the roots of its trees are made from; the last size is the largest.

    What the head carries need not be read: in a proof for the whole log these are the nodes at its right edge.
    """
    known = dict(zip(subtrees(0, head.size), head.frontier, strict=True))
    needed = {*nodes, *(node for size in sizes for node in subtrees(0, size))} - known.keys()
    return known | reader.hashes(sorted(needed), sizes[-1])


def _root(size: int, hashes: dict[Node, bytes]) -> str:
    return (range_root(0, size, hashes) if size else EMPTY_ROOT).hex()


def _answer(request: Asked, position: int, shown: msgspec.Struct) -> Response[Any]:
    content = msgspec.json.encode(shown)
    headers = {"Registry-Position": str(position)}
    return fresh_or_304(request, content, etag=digest(content), headers=headers)
