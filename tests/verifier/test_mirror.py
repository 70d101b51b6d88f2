"""Logs that are served as static files: a registry's own, and one that was written from the specifications alone."""

import shutil
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.static_log import path, root_of
from registry.merkle.note import parse_verifier_key
from registry.verifier.outcome import FORKED, HOLDS, MALFORMED, OLDER, TAMPERED, UNREADABLE
from verifier.world import World, facts, last_note, leaf

FOREIGN = "log.example/of-somebody-else"


class ForeignLog:
    """A log of somebody else, made from tlog-tiles, tlog-checkpoint and signed-note alone."""

    def __init__(self) -> None:
        self.private = Ed25519PrivateKey.from_private_bytes(sha256(b"a foreign log").digest())
        material = b"\x01" + self.private.public_key().public_bytes_raw()
        self.key_id = sha256(FOREIGN.encode() + b"\n" + material).digest()[:4]
        self.vkey = f"{FOREIGN}+{self.key_id.hex()}+{b64encode(material).decode()}"

    def note(self, size: int, root: bytes) -> bytes:
        text = f"{FOREIGN}\n{size}\n{b64encode(root).decode()}\n"
        signature = b64encode(self.key_id + self.private.sign(text.encode())).decode()
        return f"{text}\n— {FOREIGN} {signature}\n".encode()

    def mirror(self, entries: list[bytes], folder: Path) -> Path:
        leaves = [sha256(b"\x00" + entry).digest() for entry in entries]
        return static(entries, leaves, self.note(len(entries), root_of(leaves)), folder)


def static(entries: list[bytes], leaves: list[bytes], note: bytes, folder: Path) -> Path:
    """Write a log as the files that a client fetches."""
    shutil.rmtree(folder, ignore_errors=True)
    contents = {"checkpoint": note}
    level, hashes = 0, leaves
    while hashes:
        for n in range(-(-len(hashes) // 256)):
            row = hashes[256 * n : 256 * n + 256]
            contents[path(str(level), n, len(row))] = b"".join(row)
            if level == 0:
                some = entries[256 * n : 256 * n + 256]
                contents[path("entries", n, len(row))] = b"".join(len(e).to_bytes(2) + e for e in some)
        full = range(0, len(hashes) // 256 * 256, 256)
        level, hashes = level + 1, [root_of(hashes[i : i + 256]) for i in full]
    for name, content in contents.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (folder / "tile").mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def foreign() -> ForeignLog:
    return ForeignLog()


@pytest.fixture
def check_foreign(check, foreign: ForeignLog) -> Callable:
    def run(target: Path, **options):
        return check(target, keys=(parse_verifier_key(foreign.vkey),), foreign=True, **options)

    return run


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 600])
def test_a_log_written_from_the_specifications_alone_holds(check_foreign, foreign, tmp_path: Path, size: int):
    mirrored = foreign.mirror([f"entry {n}".encode() for n in range(size)], tmp_path / "log")
    report = check_foreign(mirrored)
    assert (report.code, report.size, report.events, report.origin) == (HOLDS, size, size, FOREIGN)


def test_a_log_with_three_levels_of_tiles_holds(check_foreign, foreign, tmp_path: Path):
    mirrored = foreign.mirror([b""] * (65_536 + 1), tmp_path / "log")
    assert (mirrored / "tile" / "2" / "000.p" / "1").exists()
    assert check_foreign(mirrored).code == HOLDS


def test_a_foreign_log_must_extend_what_was_kept_of_it(check_foreign, foreign, tmp_path: Path):
    entries = [f"entry {n}".encode() for n in range(400)]
    for size, code in ((300, HOLDS), (400, HOLDS), (300, OLDER)):
        assert (
            check_foreign(foreign.mirror(entries[:size], tmp_path / "log"), state=tmp_path / "s").code == code
        )
    other = [*entries[:350], b"another", *entries[351:]]
    report = check_foreign(foreign.mirror([*other, b"more"], tmp_path / "log"), state=tmp_path / "s")
    assert report.code == FORKED


def flip(file: Path, place: int = 0) -> None:
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize(
    "name",
    ["tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/001", "checkpoint"],
)
def test_a_changed_file_of_a_mirror_is_found(check_foreign, foreign, tmp_path: Path, name: str):
    mirrored = foreign.mirror([f"entry {n}".encode() for n in range(600)], tmp_path / "log")
    flip(mirrored / name, 7)
    assert check_foreign(mirrored).code in (TAMPERED, MALFORMED)


def test_a_truncated_missing_or_longer_tile_is_told(check_foreign, foreign, tmp_path: Path):
    mirrored = foreign.mirror([f"entry {n}".encode() for n in range(300)], tmp_path / "log")
    tile, entries = mirrored / "tile/0/000", mirrored / "tile/entries/000"
    good, good_entries = tile.read_bytes(), entries.read_bytes()
    for bad in (good[:-1], good[:-32], b""):
        tile.write_bytes(bad)
        assert check_foreign(mirrored).code == MALFORMED
    tile.write_bytes(good + bytes(32))
    assert "longer than 8192 bytes" in str(check_foreign(mirrored).problems)
    tile.unlink()
    assert check_foreign(mirrored).code == UNREADABLE
    tile.write_bytes(good)
    entries.write_bytes(good_entries[:-1])
    assert "ends within an entry" in str(check_foreign(mirrored).problems)
    entries.write_bytes(good_entries + b"x")
    assert "more in it than 256 entries" in str(check_foreign(mirrored).problems)


def test_a_link_out_of_a_mirror_is_refused(check_foreign, foreign, tmp_path: Path):
    mirrored = foreign.mirror([b"one"], tmp_path / "log")
    outside = tmp_path / "outside"
    outside.write_bytes(b"x" * 32)
    (mirrored / "tile/0/000.p/1").unlink()
    (mirrored / "tile/0/000.p/1").symlink_to(outside)
    report = check_foreign(mirrored)
    assert (report.code, "leads out of the directory" in str(report.problems)) == (MALFORMED, True)


def test_a_root_that_is_not_that_of_the_tiles_is_found(check_foreign, foreign, tmp_path: Path):
    mirrored = foreign.mirror([b"one", b"two"], tmp_path / "log")
    (mirrored / "checkpoint").write_bytes(foreign.note(2, bytes(32)))
    assert "its root is not that of the tiles" in str(check_foreign(mirrored).problems)


def test_a_registry_that_was_mirrored_holds_with_its_entries(check, standing: World, tmp_path: Path):
    log = facts(standing.path)
    entries = [fact.entry for fact in log]
    note = last_note(standing.path, standing.origin)
    mirrored = static(entries, [leaf(entry) for entry in entries], note, tmp_path / "log")
    report = check(mirrored)
    assert (report.code, report.events, report.withheld) == (HOLDS, 75, 87)
    assert any("a log serves entries only" in text for text in report.not_proven)


def test_entries_that_are_not_of_a_registry_are_told(check, foreign, tmp_path: Path):
    mirrored = foreign.mirror([b"one"], tmp_path / "log")
    report = check(mirrored, keys=(parse_verifier_key(foreign.vkey),))
    assert (report.code, "its entry does not hold" in str(report.problems)) == (TAMPERED, True)
