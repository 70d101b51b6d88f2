"""Bundles as files: everything but regular files of the known names is refused, and nothing is ever written."""

import io
import stat
import warnings
import zipfile
from pathlib import Path

import pytest

from registry.verifier import archive
from registry.verifier.outcome import HOLDS, MALFORMED, UNREADABLE, Ended
from verifier.world import OTHER, World, bundle, facts, last_note, written


@pytest.fixture(scope="module")
def files(standing: World) -> dict[str, bytes]:
    log, note = facts(standing.path), last_note(standing.path, standing.origin)
    return bundle(log, note, standing.vkey, agreement=OTHER)


def zipped(
    files: dict[str, bytes], *, how: int = zipfile.ZIP_STORED, further=lambda _: None, **changes
) -> bytes:
    """Zip files as the page says, or with a change to each member."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", how) as opened:
        for name, content in sorted(files.items()):
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.external_attr = 0o100644 << 16
            member.compress_type = how
            for attribute, value in changes.items():
                setattr(member, attribute, value)
            opened.writestr(member, content)
        further(opened)
    return into.getvalue()


def verdict(check, content: bytes, tmp_path: Path) -> tuple[int, str]:
    (tmp_path / "bundle.zip").write_bytes(content)
    report = check(tmp_path / "bundle.zip")
    return report.code, "; ".join(map(str, report.problems))


def test_a_zip_holds_as_the_directory_does(check, files, tmp_path: Path):
    assert verdict(check, zipped(files), tmp_path) == (HOLDS, "")
    assert verdict(check, zipped(files, create_system=0, external_attr=0), tmp_path) == (HOLDS, "")


def add(name: str, content: bytes = b"x"):
    def further(opened: zipfile.ZipFile) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a name that is there already
            opened.writestr(zipfile.ZipInfo(name), content)

    return further


def comment(opened: zipfile.ZipFile) -> None:
    opened.comment = b"read me"


@pytest.mark.parametrize(
    ("further", "said"),
    [
        (add("../../etc/passwd"), "no bundle has a file of this name"),
        (add("/etc/passwd"), "no bundle has a file of this name"),
        (add("..\\manifest.json"), "no bundle has a file of this name"),
        (add("sub/checkpoint"), "no bundle has a file of this name"),
        (add("directory/"), "no bundle has a file of this name"),
        (add("Checkpoint"), "no bundle has a file of this name"),
        (add("checkpoint"), "stands twice"),
        (comment, "has a comment"),
    ],
    ids=range(8),
)
def test_a_zip_with_anything_more_is_refused(check, files, tmp_path: Path, further, said: str):
    code, detail = verdict(check, zipped(files, further=further), tmp_path)
    assert code == MALFORMED
    assert said in detail


def test_a_name_that_ends_early_for_another_reader_is_refused(check, files, tmp_path: Path):
    content = zipped(files, further=add("checkpointX.txt")).replace(b"checkpointX.txt", b"checkpoint\x00.txt")
    code, detail = verdict(check, content, tmp_path)
    assert (code, "no bundle has a file of this name" in detail) == (MALFORMED, True)


def test_a_compressed_zip_is_refused_before_it_is_unpacked(check, files, tmp_path: Path):
    bomb = {**files, "entries.ndjson": bytes(50_000_000)}
    content = zipped(bomb, how=zipfile.ZIP_DEFLATED)
    assert len(content) < 200_000
    code, detail = verdict(check, content, tmp_path)
    assert (code, "it is compressed" in detail) == (MALFORMED, True)


def test_links_encrypted_files_and_extra_fields_are_refused(check, files, tmp_path: Path):
    link = zipped(files, external_attr=(stat.S_IFLNK | 0o777) << 16)
    assert "link" in verdict(check, link, tmp_path)[1]
    assert "extra fields" in verdict(check, zipped(files, extra=b"\xfe\xca\x00\x00"), tmp_path)[1]
    encrypted = bytearray(zipped(files))
    place = encrypted.index(b"PK\x01\x02")
    encrypted[place + 8] |= 1
    assert "encrypted" in verdict(check, bytes(encrypted), tmp_path)[1]


def test_files_that_lie_over_each_other_are_refused(check, files, tmp_path: Path):
    content = bytearray(zipped(files))
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 4)
    content[second + 42 : second + 46] = content[first + 42 : first + 46]
    code, detail = verdict(check, bytes(content), tmp_path)
    assert code == MALFORMED
    assert "over another" in detail or "sound ZIP" in detail


@pytest.mark.parametrize("place", [0.3, 0.6, 0.95])
def test_a_zip_with_a_byte_less_or_changed_is_refused(check, files, tmp_path: Path, place: float):
    content = zipped(files)
    at = int(len(content) * place)
    changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    assert verdict(check, changed, tmp_path)[0] != HOLDS
    assert verdict(check, content[:at], tmp_path)[0] == MALFORMED


def test_something_before_the_first_file_makes_it_no_bundle(check, files, tmp_path: Path):
    code, detail = verdict(check, b"#!/bin/sh\n" + zipped(files), tmp_path)
    assert (code, "neither a ZIP" in detail) == (MALFORMED, True)


def test_a_directory_with_a_link_or_another_file_is_refused(check, files, tmp_path: Path):
    folder = written(files, tmp_path / "files")
    (folder / "keys.txt").unlink()
    (folder / "keys.txt").symlink_to("/etc/passwd")
    report = check(folder)
    assert (report.code, report.problems[0].place) == (MALFORMED, "keys.txt")
    (folder / "keys.txt").unlink()
    (folder / "keys.txt").mkdir()
    assert "no regular file" in check(folder).problems[0].detail
    (folder / "notes.txt").write_bytes(b"")
    (folder / "keys.txt").rmdir()
    assert "no bundle has a file of this name" in str(check(folder).problems)


def test_a_file_that_cannot_be_read_is_told(check, files, tmp_path: Path):
    folder = written(files, tmp_path / "files")
    found = archive.Directory(folder)
    (folder / "checkpoint").unlink()
    with pytest.raises(Ended) as ended:
        found.open("checkpoint")
    assert ended.value.problem.code == UNREADABLE
    assert check(tmp_path / "missing.zip").code == UNREADABLE


def test_a_file_that_is_too_long_is_refused(files, tmp_path: Path):
    found = archive.Directory(written(files, tmp_path / "files"))
    assert found.size("checkpoint") == len(files["checkpoint"])
    with pytest.raises(Ended, match="longer than 10 bytes"):
        archive.read(found, "checkpoint", 10)


def test_an_archive_of_an_unknown_kind_or_nowhere_is_told(check, files, tmp_path: Path, monkeypatch):
    path = tmp_path / "b.zip"
    path.write_bytes(zipped(files))

    def unknown(*_: object) -> None:
        raise NotImplementedError("zip file version 9.9")

    with monkeypatch.context() as patched:
        patched.setattr(zipfile, "ZipFile", unknown)
        assert "of an unknown kind" in str(check(path).problems)
    with pytest.raises(Ended, match="No such file"), archive.files(tmp_path / "missing.zip"):
        pass


def test_a_file_that_reaches_beyond_the_archive_is_refused(files, tmp_path: Path):
    path = tmp_path / "b.zip"
    path.write_bytes(zipped(files))
    with zipfile.ZipFile(path) as opened, pytest.raises(Ended, match="longer than the archive"):
        archive.Archive(opened, 100)
