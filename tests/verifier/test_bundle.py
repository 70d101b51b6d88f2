"""Evidence bundles: what holds, and every way in which one does not."""

import json
from base64 import b64decode
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from registry.merkle.entry import parse_entry
from registry.verifier.events import Given, Part, missing_parts, read_tombstone
from registry.verifier.outcome import HOLDS, MALFORMED, TAMPERED, UNAUTHENTICATED, Ended
from registry.verifier.replay import Replay, differences
from verifier.world import (
    AGREEMENT,
    DAY,
    OTHER,
    World,
    b64,
    bundle,
    canonical,
    changed,
    facts,
    last_note,
    manifested,
)

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def made(standing: World) -> Callable[..., Files]:
    log, note = facts(standing.path), last_note(standing.path, standing.origin)

    def make(**options: Any) -> Files:
        return bundle(log, note, standing.vkey, **options)

    return make


@pytest.fixture(scope="module")
def whole(made) -> Files:
    return made()


@pytest.fixture(scope="module")
def one(made) -> Files:
    return made(agreement=OTHER, since=22)


def lines_of(files: Files) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files["entries.ndjson"].splitlines()]


def with_lines(files: Files, lines: list[dict[str, Any]]) -> Files:
    return changed(files, entries_ndjson=b"".join(canonical(line) + b"\n" for line in lines))


def said(report) -> str:
    return "; ".join(map(str, report.problems))


def test_the_whole_log_and_every_agreement_hold(check, whole, made):
    report = check(whole)
    assert (report.code, report.events, report.erased, report.agreements) == (HOLDS, 75, 1, 2)
    for agreement in (OTHER, AGREEMENT):
        for withhold in (False, True):
            assert check(made(agreement=agreement, withhold=withhold)).code == HOLDS


def test_each_part_is_opened_erased_or_withheld(check, made):
    report = check(made(agreement=OTHER))
    assert [line.parts for line in report.lines] == [
        ("OPENED",),
        ("OPENED", "ERASED by position 53"),
        ("OPENED",),
        ("OPENED",),
    ]
    assert (report.opened, report.erased, report.withheld) == (4, 1, 0)
    report = check(made(agreement=AGREEMENT, withhold=True))
    assert ("OPENED", "WITHHELD", "WITHHELD") in [line.parts for line in report.lines]
    assert report.withheld == 11


def test_the_status_claimed_is_what_the_events_come_to(check, one):
    report = check(one)
    assert report.status == "partially signed on 2026-11-21, as the registry says"
    claimed = json.loads(one["claimed.json"])
    claimed["status"] = "in-force"
    report = check(changed(one, claimed_json=canonical(claimed)))
    assert (report.code, said(report)) == (
        TAMPERED,
        "claimed.json: it is not what the events come to, at /status",
    )
    claimed |= {"kind": "x", "since": "x", "flags": "x", "more": 1, "title": {}, "parties": [1]}
    assert "and 2 more" in said(check(changed(one, claimed_json=canonical(claimed))))


def test_without_a_replay_the_status_is_not_proven(check, one):
    report = check(one, proofs_only=True)
    assert report.code == HOLDS
    assert any("status" in text for text in report.not_proven)


def test_without_a_key_it_is_unauthenticated(check, one):
    report = check(one, keys=())
    assert report.code == UNAUTHENTICATED
    assert (report.keys, len(report.claimed_keys)) == ([], 1)


def test_the_keys_in_a_bundle_may_be_none(check, one):
    report = check(changed(one, keys_txt=b""), keys=())
    assert (report.code, report.claimed_keys) == (UNAUTHENTICATED, [])


def test_a_bundle_of_an_empty_log_holds(world: World, check):
    world.sign()
    files = bundle([], last_note(world.path, world.origin), world.vkey)
    report = check(files, keys=())
    assert (report.code, report.events) == (UNAUTHENTICATED, 0)


def drop(name: str) -> Callable[[Files], Files]:
    return lambda files: changed(files, **{name.replace(".", "_"): None})


def text(name: str, content: bytes) -> Callable[[Files], Files]:
    return lambda files: changed(files, **{name.replace(".", "_"): content})


def manifest(**members: Any) -> Callable[[Files], Files]:
    return lambda files: {**files, "manifest.json": canonical(json.loads(files["manifest.json"]) | members)}


def line(number: int, **members: Any) -> Callable[[Files], Files]:
    def change(files: Files) -> Files:
        lines = lines_of(files)
        lines[number] |= members
        return with_lines(files, lines)

    return change


HASH = b64(bytes(32))

MALFORMATIONS = [
    (drop("checkpoint"), "a bundle has this file"),
    (drop("claimed.json"), "a bundle of this kind has this file"),
    (drop("consistency.json"), "a bundle of this kind has this file"),
    (text("witnessed.ndjson", b""), "a bundle of this kind has no such file"),
    (text("checkpoint", b"x"), "signature lines"),
    (text("keys.txt", b"x"), "a verifier key is"),
    (text("claimed.json", b"{}\n"), "canonical"),
    (text("claimed.json", b"[" * 100), "too deep"),
    (text("consistency.json", b"{}"), "an object with the members"),
    (manifest(bundle=2), "format 2"),
    (manifest(bundle=True), "format True"),
    (manifest(size=-1), "number from 0"),
    (manifest(size=1 << 62), "2^53"),
    (manifest(agreement=7), "a string is none"),
    (manifest(agreement=None), "for a day"),
    (manifest(valid_as_of="2026-02-30"), "day is out of range"),
    (manifest(valid_as_of="20261121"), "YYYY-MM-DD"),
    (manifest(valid_as_of=None), "for a day"),
    (manifest(files={}), "does not name the files"),
    (manifest(files={"checkpoint": "x"}), "64 hexadecimal"),
    (manifest(files=None), "64 hexadecimal"),
    (manifest(further=1), "an object with the members"),
    (manifest(**{"from": 76}), "out of range"),
    (lambda files: {**files, "manifest.json": files["manifest.json"] + b"\n"}, "canonical"),
    (lambda files: {**files, "manifest.json": b"x" * 70_000}, "longer than"),
    (line(0, entry="x"), "base64"),
    (line(0, entry=7), "a string is none"),
    (line(0, parts={}), "arrays"),
    (line(0, withheld=None), "arrays"),
    (line(0, withheld=[3, 3]), "withheld twice"),
    (line(0, withheld=[-1]), "number from 0"),
    (line(0, parts=[{"no": 0, "salt": "", "data": ""}] * 2), "stands twice"),
    (line(0, parts=[{"no": 0, "salt": ""}]), "an object with the members"),
    (line(0, proof=["YQ=="]), "32 bytes"),
    (line(0, proof=[HASH] * 65), "at most 64"),
    (line(0, more=1), "an object with the members"),
    (lambda files: changed(files, entries_ndjson=files["entries.ndjson"][:-1]), "no line feed"),
    (
        lambda files: changed(files, entries_ndjson=files["entries.ndjson"].replace(b"\n", b"\r\n")),
        "canonical",
    ),
    (lambda files: changed(files, entries_ndjson=b"\n" + files["entries.ndjson"]), "line 1"),
    (lambda files: changed(files, entries_ndjson=b" " * 4_200_000), "longer than"),
    (lambda files: changed(files, entries_ndjson=b"[" * 100_000 + b"\n"), "too deep"),
]


@pytest.mark.parametrize(("change", "why"), MALFORMATIONS, ids=range(len(MALFORMATIONS)))
def test_what_is_not_quite_a_bundle_is_refused(check, one, change, why: str):
    report = check(change(one))
    assert (report.code, why in said(report)) == (MALFORMED, True), said(report)


def entry_of(files: Files, number: int, **members: Any) -> Callable[[Files], Files]:
    lines = lines_of(files)
    entry = canonical(json.loads(b64decode(lines[number]["entry"])) | members)
    return line(number, entry=b64(entry))


def test_what_does_not_fit_together_is_found(check, one, whole):
    lines = lines_of(one)
    salt, data = lines[0]["parts"][0]["salt"], lines[0]["parts"][0]["data"]
    part = {"no": 0, "salt": salt, "data": data}
    attempts = {
        "no event of the agreement": lambda f: changed(f, entries_ndjson=b""),
        "its proof does not lead": line(0, proof=[HASH]),
        "an entry does not hold": line(0, entry=b64(b"{}")),
        "part 0 does not fit": line(0, parts=[part | {"data": b64(b"{}")}]),
        "part 7 is none of its 1 parts": line(0, parts=[part, part | {"no": 7}]),
        "part 0 cannot be withheld": line(0, withheld=[0]),
        "part 9 cannot be withheld": line(0, withheld=[9]),
        "part 0 is missing and no later event": line(0, parts=[]),
        "salt": line(0, parts=[part | {"salt": b64(b"x")}]),
        "it begins at another size": manifest(**{"from": 23}),
        "names another log or size": manifest(size=74),
        "its SHA-256 is not the one": lambda f: {**f, "report.html": b"x"},
    }
    for why, change in attempts.items():
        report = check(change(one))
        expected = "part 0 does not fit" if why == "salt" else why
        assert (report.code, expected in said(report)) == (TAMPERED, True), said(report)


def test_events_of_an_agreement_stand_in_their_order_and_are_all_there(check, one):
    lines = lines_of(one)
    assert "version 3" in said(check(with_lines(one, [lines[0], *lines[2:]])))
    assert "version 2" in said(check(with_lines(one, lines[1:])))
    assert "behind a later event" in said(check(with_lines(one, [*lines, lines[0]])))


def test_an_event_of_another_agreement_does_not_belong(check, one, made):
    strange = lines_of(made(agreement=AGREEMENT))[0]
    report = check(with_lines(one, [*lines_of(one), strange]))
    assert "it is of the agreement pak-slv" in said(report)


def test_a_part_said_to_be_there_although_it_was_erased_is_found(check, one):
    report = check(line(1, withheld=[1])(one))
    assert said(report) == "position 22: part 1 is there although position 53 erased it"


def test_a_consistency_proof_that_does_not_hold_is_found(check, one):
    proof = json.loads(one["consistency.json"])
    for change in ({"proof": [HASH]}, {"old_root": HASH}, {"size": 74}):
        report = check(changed(one, consistency_json=canonical(proof | change)))
        assert (report.code, "does not show that 75 events extend 22" in said(report)) == (TAMPERED, True)


def test_a_whole_log_with_an_event_less_or_more_is_found(check, whole):
    lines = lines_of(whole)
    assert "of the 74 events given" in said(check(with_lines(whole, lines[:-1])))
    assert "stands in its place" in said(check(with_lines(whole, [*lines[:5], *lines[6:]])))
    assert "stands in its place" in said(check(with_lines(whole, [*lines, lines[0]])))


def test_the_checkpoints_of_a_whole_log_are_held_against_its_events(check, whole, standing: World):
    log = facts(standing.path)
    root = sha256(b"\x00" + log[0].entry).digest()
    key = standing.key.verifier_key(standing.origin)
    row = {"key_id": b64(key.key_id), "name": key.name, "signature": b64(bytes(64)), "time": 0}
    good = {"root": b64(root), "signatures": [], "size": 1}
    report = check(changed(whole, checkpoints_ndjson=canonical(good) + b"\n"))
    assert (report.code, report.checkpoints) == (HOLDS, 1)
    for line_, why in (
        (good | {"root": HASH}, "its root is not that of the first 1 events"),
        (good | {"size": 76}, "its root is not that of the first 76 events"),
        (good | {"signatures": [row]}, "does not hold"),
    ):
        report = check(changed(whole, checkpoints_ndjson=canonical(line_) + b"\n"))
        assert (report.code, why in said(report)) == (TAMPERED, True)
    for line_ in (good | {"signatures": None}, good | {"signatures": [{}]}, [good], good | {"root": "YQ=="}):
        assert check(changed(whole, checkpoints_ndjson=canonical(line_) + b"\n")).code == MALFORMED


def test_events_that_are_none_of_the_vocabulary_cannot_be_replayed(check, world: World, standing: World):
    from eventsourcing.persistence import StoredEvent

    from registry.store.recorder import SQLAlchemyRecorder

    recorder = SQLAlchemyRecorder(begin=world.engine.begin, connect=world.engine.connect)
    recorder.insert_events([StoredEvent("some-agreement", 1, "agreement.signed.v1", b'{"data":{}}')])
    note = world.sign()
    files = bundle(facts(world.path), note, world.vkey)
    report = check(files, keys=())
    assert (report.code, said(report)) == (
        TAMPERED,
        "position 1: it cannot be replayed as agreement.signed.v1",
    )
    assert check(files, keys=(), proofs_only=True).code == UNAUTHENTICATED
    shown = manifested(
        {
            **{
                n: c
                for n, c in files.items()
                if n not in ("manifest.json", "checkpoints.ndjson", "witnessed.ndjson")
            },
            "claimed.json": b"{}",
            "report.html": b"",
        },
        world.origin,
        1,
        "another-agreement",
    )
    assert "it is of the agreement some-agreement" in said(check(shown, keys=()))


@pytest.mark.parametrize(
    "part_0", [b"x", b"[]", b"{}", b'{"data":{"target":{"source":1,"id":"a"},"parts":[]}}']
)
def test_a_tombstone_that_says_nothing_erases_nothing(part_0: bytes):
    assert read_tombstone(part_0) is None


def test_a_part_whose_salt_is_none_does_not_fit(standing: World):
    fact = facts(standing.path)[0]
    entry = parse_entry(fact.entry)
    with pytest.raises(Ended, match="part 0 does not fit"):
        missing_parts(entry, bytes(16), Given(fact.entry, {0: Part(b"", b"{}")}))


def test_a_state_that_cannot_be_shown_is_told():
    replay = Replay()
    with pytest.raises(Ended, match="no event founds"):
        replay.shown("nowhere", DAY)


def test_differences_are_named_by_their_places():
    said_, replayed = {"a": [1, {"b/c": 2}], "d": 1, "e": [1]}, {"a": [1, {"b/c": 3}], "d": True, "e": []}
    assert list(differences(said_, replayed)) == ["/a/1/b~1c", "/d", "/e"]
    assert list(differences(1, 2)) == ["/"]
