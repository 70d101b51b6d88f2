"""All events in their order, and the tree over them."""

from collections.abc import Callable, Iterable, Iterator

from registry.merkle.entry import Entry, event_uuid, parse_entry
from registry.merkle.proof import verify_inclusion
from registry.merkle.tree import EMPTY_ROOT, Frontier, Subtree, append, leaf_hash, root
from registry.verifier.events import Given, Graves, read_entry
from registry.verifier.outcome import Ended, at, broken

PAGE = 256

Taken = tuple[Entry, Given]
Progress = Callable[[int, int], None]
"""Called with (events done, events in all)."""
Full = Callable[[Subtree, list[bytes]], None]
"""Called with every tile that becomes full, and its hashes."""


class Tree:
    """A tree that grows, and the roots that it had at some sizes. Owned by whoever walks."""

    def __init__(self, sizes: Iterable[int] = (), full: Full | None = None) -> None:
        self._wanted = sorted(set(sizes), reverse=True)
        self._full = full
        self._growing: list[list[bytes]] = [[]]
        self.frontier: Frontier = ()
        self.size = 0
        self.roots: dict[int, bytes] = {0: EMPTY_ROOT}
        """The root at every size asked for that it has reached, and at 0."""

    @property
    def root(self) -> bytes:
        """The root of the tree as it is."""
        return root(self.frontier)

    def extend(self, leaves: list[bytes]) -> None:
        """Append leaf hashes."""
        done = 0
        while done < len(leaves):
            while self._wanted and self._wanted[-1] <= self.size:
                self._wanted.pop()
            until = min(self._wanted[-1] - self.size + done, len(leaves)) if self._wanted else len(leaves)
            grown = append(self.size, self.frontier, leaves[done:until])
            if self._full is not None:
                self._fill(self._full, leaves[done:until], grown.subtrees)
            self.size, self.frontier, done = self.size + until - done, grown.frontier, until
            if self._wanted and self._wanted[-1] == self.size:
                self.roots[self.size] = self.root

    def _fill(self, full: Full, leaves: list[bytes], subtrees: Iterable[Subtree]) -> None:
        self._growing[0] += leaves
        for subtree in subtrees:
            hashes = self._growing[subtree.level][:PAGE]
            del self._growing[subtree.level][:PAGE]
            if len(self._growing) == subtree.level + 1:
                self._growing.append([])
            self._growing[subtree.level + 1].append(subtree.root)
            full(subtree, hashes)


class WholeLog:
    """Walks all events of a log. After ``events`` has ended, ``tree`` and ``erased`` say what it came to."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.erased: dict[tuple[int, int], int] = {}
        """(position, part) of everything erased, with the position of its tombstone."""

    def events(
        self, given: Iterable[Given], check: Callable[[Entry], None] = lambda _entry: None
    ) -> Iterator[Taken]:
        """Yield each event once it holds by itself and follows those before it. Raises Ended.

        ``check`` is called with every entry once it is read, and may raise Ended as well.
        """
        graves = Graves()
        versions: dict[str, int] = {}
        recorded_at = 0
        leaves: list[bytes] = []
        try:
            for position, one in enumerate(given, 1):
                leaves.append(leaf_hash(one.entry))
                entry = read_entry(one.entry, position)
                check(entry)
                if entry.recorded_at < recorded_at:
                    raise broken(at(position), "its record time is before that of the event before it")
                recorded_at = entry.recorded_at
                if entry.version != versions.get(entry.stream, 0) + 1:
                    raise broken(at(position), _version(entry, versions.get(entry.stream, 0)))
                versions[entry.stream] = entry.version
                graves.take(entry, event_uuid(entry.source, entry.id), one)
                if len(leaves) == PAGE:
                    self.tree.extend(leaves)
                    leaves = []
                yield entry, one
        except Ended:
            graves.settle()  # an earlier position comes first
            raise
        self.tree.extend(leaves)
        self.erased = graves.settle()


def one_agreement(
    given: Iterable[Given], agreement: str, size: int, root: bytes, erased: dict[tuple[int, int], int]
) -> Iterator[Taken]:
    """Yield the events of one agreement, each proved to be in the tree with this size and root.

    ``erased`` is filled in at the end, as ``WholeLog`` has it. Raises Ended.
    """
    graves = Graves()
    last: Entry | None = None
    for one in given:
        leaf = leaf_hash(one.entry)
        entry = _entry_of(one.entry)
        position = entry.position
        if entry.stream != agreement:
            raise broken(at(position), f"it is of the agreement {entry.stream}")
        if position > size or not verify_inclusion(position - 1, size, leaf, one.proof, root):
            raise broken(at(position), f"its proof does not lead to the root of {size} events")
        if last is not None and (position <= last.position or entry.recorded_at < last.recorded_at):
            raise broken(at(position), "it stands behind a later event")
        if entry.version != (last.version if last else 0) + 1:
            raise broken(at(position), _version(entry, last.version if last else 0))
        graves.take(entry, event_uuid(entry.source, entry.id), one)
        last = entry
        yield entry, one
    erased.update(graves.settle())


def _entry_of(raw: bytes) -> Entry:
    try:
        return parse_entry(raw)
    except ValueError as error:
        raise broken("entries.ndjson", f"an entry does not hold: {error}") from error


def _version(entry: Entry, before: int) -> str:
    return f"it has version {entry.version} of {entry.stream}, which was at {before}"
