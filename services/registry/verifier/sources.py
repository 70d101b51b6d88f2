"""The kinds of evidence, each read to its end and put into the report."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from registry.merkle.checkpoint import Checkpoint
from registry.merkle.note import VerifierKey
from registry.merkle.tree import leaf_hash
from registry.verifier import archive, bundle, database, mirror
from registry.verifier.events import Given
from registry.verifier.examine import Examination
from registry.verifier.keys import Signed, Stored, authenticate, read_checkpoint
from registry.verifier.link import Shown, check_consistency
from registry.verifier.mirror import Fetch
from registry.verifier.outcome import UNAUTHENTICATED, Problem, broken
from registry.verifier.remote import Refusal
from registry.verifier.report import counted
from registry.verifier.walk import Tree, WholeLog, one_agreement

LATER = "that no later event of the agreement exists: only the whole log, or the next bundle, can show that"


def of_bundle(examination: Examination, path: Path) -> None:
    """Verify an evidence bundle. Raises Ended."""
    with archive.files(path) as files:
        manifest = bundle.read_manifest(files)
        whole = manifest.agreement is None
        examination.report.kind = "evidence bundle of " + (
            "the whole log" if whole else str(manifest.agreement)
        )
        signed = examination.authenticate(bundle.read_note(files), bundle.read_claimed_keys(files))
        if (manifest.origin, manifest.size) != signed.checkpoint[:2]:
            raise broken("manifest.json", "it names another log or size than the checkpoint")
        earlier = examination.earlier(manifest.origin)
        consistency = None if manifest.since is None else bundle.read_consistency(files)
        if consistency is not None and consistency.old_size != manifest.since:
            raise broken("consistency.json", "it begins at another size than the manifest says")
        if whole:
            sizes = {one.checkpoint.size for one in earlier} | {manifest.size}
            shown = _whole_bundle(examination, files, manifest, signed, sizes)
        else:
            shown = Shown(signed.checkpoint, {}, consistency)
            _one_agreement(examination, files, manifest, signed)
        check_consistency(shown._replace(consistency=consistency))
    examination.conclude(signed, shown, earlier, live=False)


def of_database(examination: Examination, path: Path) -> None:
    """Verify the SQLite file of a registry. Raises Ended."""
    examination.report.kind = "SQLite database"
    with database.opened(path) as opened:
        head = opened.head()
        stored = opened.checkpoints(head.origin)
        earlier = examination.earlier(head.origin)
        tree = Tree(
            {one.checkpoint.size for one in stored} | {one.checkpoint.size for one in earlier},
            opened.check_tile,
        )
        log = WholeLog(tree)
        examination.report.origin, examination.report.size = head.origin, head.size
        examination.count(log.events(opened.events(), opened.check_copies), head.size)
        examination.bury(log.erased)
        opened.check_end(head, tree.size, tree.frontier)
    last = _last_signed(examination, stored, tree)
    signed = (
        Signed(Checkpoint(head.origin, 0, tree.roots[0]), b"", ())
        if last is None
        else examination.authenticate(last.note)
    )
    examination.report.size, examination.report.root = tree.size, tree.root
    if tree.size > signed.checkpoint.size:
        unsigned = counted(tree.size - signed.checkpoint.size, "event")
        detail = f"{unsigned} behind the last checkpoint, of {signed.checkpoint.size}, are under no signature"
        examination.report.problems.append(Problem(UNAUTHENTICATED, f"position {tree.size}", detail))
    _agreements(examination)
    now = signed.checkpoint._replace(size=tree.size, root=tree.root)
    examination.conclude(signed, Shown(now, tree.roots, whole=True), earlier, live=True)


def of_log(examination: Examination, fetch: Fetch, kind: str, *, live: bool) -> None:
    """Verify a log that is served as static files. Raises Ended."""
    report, options = examination.report, examination.options
    report.kind = kind
    signed = examination.authenticate(fetch("checkpoint", 1_000_000))
    checkpoint = signed.checkpoint
    earlier = examination.earlier(checkpoint.origin)
    sizes = {one.checkpoint.size for one in earlier} | {checkpoint.size}
    try:
        tree = _entries(examination, fetch, checkpoint.size, sizes)
    except Refusal:
        tree = mirror.grow(fetch, checkpoint.size, sizes, options.progress)
        report.not_proven.append(
            "anything about the entries, which the server gives to others (REGISTRY_API_KEY)"
        )
    if tree.root != checkpoint.root:
        raise broken(f"checkpoint {checkpoint.size}", "its root is not that of the tiles")
    if not options.foreign:
        report.not_proven.append(
            "what the parts of the events say: a log serves entries only, a bundle has the parts"
        )
    examination.conclude(signed, Shown(checkpoint, tree.roots, whole=True), earlier, live=live)


def _whole_bundle(
    examination: Examination, files: archive.Files, manifest: bundle.Manifest, signed: Signed, sizes: set[int]
) -> Shown:
    stored = list(bundle.read_checkpoints(files, manifest.origin))
    log = WholeLog(Tree(sizes | {one.checkpoint.size for one in stored}))
    examination.count(log.events(bundle.read_events(files)), manifest.size)
    examination.bury(log.erased)
    if log.tree.size != manifest.size or log.tree.root != signed.checkpoint.root:
        raise broken(
            f"checkpoint {manifest.size}", f"its root is not that of the {log.tree.size} events given"
        )
    _last_signed(examination, stored, log.tree)
    _agreements(examination)
    return Shown(signed.checkpoint, log.tree.roots, whole=True)


def _one_agreement(
    examination: Examination, files: archive.Files, manifest: bundle.Manifest, signed: Signed
) -> None:
    agreement = str(manifest.agreement)
    erased: dict[tuple[int, int], int] = {}
    size, root = signed.checkpoint.size, signed.checkpoint.root
    taken = one_agreement(bundle.read_events(files), agreement, size, root, erased)
    examination.count(taken, max(1, files.size("entries.ndjson") // 2000), each=True)
    examination.bury(erased)
    report = examination.report
    if not report.events:
        raise broken("entries.ndjson", "there is no event of the agreement")
    report.agreement = agreement
    report.not_proven.append(LATER)
    claimed = bundle.read_claimed(files)
    if examination.replay is None or manifest.valid_as_of is None:
        report.not_proven.append("the status: the events were not replayed")
        return
    from registry.verifier.replay import differences

    replayed = examination.replay.shown(agreement, manifest.valid_as_of)
    if places := list(differences(claimed, replayed)):
        further = f" and {len(places) - 5} more" if len(places) > 5 else ""  # noqa: PLR2004 - enough for a line
        raise broken(
            "claimed.json", f"it is not what the events come to, at {', '.join(places[:5])}{further}"
        )
    report.agreements = 1
    report.status = f"{replayed['status_label']} on {replayed['on']}, as the registry says"


def _entries(examination: Examination, fetch: Fetch, size: int, sizes: set[int]) -> Tree:
    """Recompute the tree from the entries. Raises Refusal when they are not given out, and Ended."""
    higher = mirror.Higher()
    tree = Tree(sizes, higher.take)
    entries = mirror.read_entries(fetch, size)
    if examination.options.foreign:
        for entry in entries:
            tree.extend([leaf_hash(entry)])
            examination.report.events += 1
    else:
        log = WholeLog(tree)
        examination.replay = None  # what folds is in the parts
        examination.count(log.events(Given(entry, {}, None) for entry in entries), size)
    mirror.check_higher_tiles(fetch, size, tree, higher.levels)
    return tree


def _last_signed(examination: Examination, stored: Sequence[Stored], tree: Tree) -> Stored | None:
    """Verify every stored checkpoint against the tree and the keys, and give the last one. Raises Ended."""
    last = None
    for one in stored:
        checkpoint = one.checkpoint
        if tree.roots.get(checkpoint.size) != checkpoint.root:
            detail = f"its root is not that of the first {checkpoint.size} events"
            raise broken(f"checkpoint {checkpoint.size}", detail)
        if one.note:
            _check_signatures(one.note, examination.options.keys)
            last = one
    examination.report.checkpoints = len(stored)
    return last


def _check_signatures(note: bytes, keys: Iterable[VerifierKey]) -> None:
    """Verify what the keys given have signed; an earlier checkpoint may be by an earlier key. Raises Ended."""
    read, checkpoint = read_checkpoint(note)
    lines = {(one.name, one.key_id) for one in read.signatures}
    if known := [key for key in keys if (key.name, key.key_id) in lines and key.name == checkpoint.origin]:
        authenticate(note, known)


def _agreements(examination: Examination) -> None:
    if examination.replay is not None:
        examination.report.agreements = examination.replay.agreements
