"""A thousand attacks by somebody who has everything but the key of the log, against an auditor who kept a checkpoint.

The attacker edits, deletes, inserts, reorders, truncates, swaps parts, rolls back or forks, and then recomputes
whatever can be: commitments, entries, leaves, the tree, the head, every proof, what the registry claims, and
checkpoints under a key of their own. What cannot be found without a kept checkpoint is tested by its name.
"""

import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from campaigns.forgery import Forger
from conftest import campaign
from registry.audit.keys import SigningKey, make_key
from registry.merkle.note import parse_verifier_key
from registry.verifier.examine import Options
from registry.verifier.kept import Kept
from registry.verifier.main import verify
from registry.verifier.outcome import FORKED, HOLDS, OLDER, TAMPERED, UNAUTHENTICATED, UNLINKED, WORDS
from registry.verifier.report import Report
from verifier.conftest import fill
from verifier.world import (
    AGREEMENT,
    OTHER,
    World,
    bundle,
    canonical,
    changed,
    claimed,
    facts,
    last_note,
    leaf,
    written,
)

ATTACKS = ("edit", "delete", "insert", "reorder", "truncate", "swap_parts", "roll_back", "fork")
POLICIES = ("left", "dropped", "recomputed", "resigned")


@pytest.fixture(scope="module")
def standing(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory):
    world = fill(World(sqlite_template, tmp_path_factory.mktemp("attacked")))
    yield world
    world.close()


@pytest.fixture(scope="module")
def another_key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return make_key(tmp_path_factory.mktemp("forger") / "key")


@pytest.fixture
def kept(standing: World, tmp_path: Path) -> Path:
    """The auditor's state, with the last checkpoint from before the attack."""
    Kept(tmp_path / "state", standing.origin).write(last_note(standing.path, standing.origin))
    return tmp_path / "state"


def looked_at(world: World, target: Path, state: Path | None) -> Report:
    return verify(str(target), Options(keys=(parse_verifier_key(world.vkey),), state=state))


def as_evidence(world: World, forger: Forger, database: Path, folder: Path) -> Path:
    """Present the forged log as a database, as a bundle of the whole log, or as one of an agreement."""
    how = forger.random.choice(("database", "whole log", "agreement"))
    if how == "database":
        forger.write(database, forger.random.choice(POLICIES))
        return database
    log = forger.facts()
    leaves = [leaf(fact.entry) for fact in log]
    genuine = last_note(world.path, world.origin)
    signatures = genuine.decode().rpartition("\n\n")[2]
    notes = {
        "their own signature": forger.note(len(log), leaves),
        "the old signatures": forger.note(len(log), leaves, signatures),
    }
    if len(log) >= int(genuine.split(b"\n")[1]):
        notes["the checkpoint as it was"] = genuine
    older = [size for size in sorted(world.backups)[:-1] if size <= len(log)]
    if older:
        notes["an older checkpoint"] = last_note(world.backups[older[-1]], world.origin)
    note = notes[forger.random.choice(sorted(notes))]
    agreement = forger.random.choice((AGREEMENT, OTHER)) if how == "agreement" else None
    since = forger.random.choice((None, min(15, len(log))))
    return written(bundle(log, note, world.vkey, agreement=agreement, since=since), folder)


@pytest.mark.campaign
def test_every_attack_is_found_by_who_kept_a_checkpoint(
    standing: World, another_key: SigningKey, kept: Path, tmp_path: Path
):
    random = Random(1907)
    database = tmp_path / "copy.db"
    found: Counter[str] = Counter()
    for number in range(campaign(1000)):
        standing.copy(database)
        forger = Forger(standing, another_key, random)
        attack = ATTACKS[number % len(ATTACKS)]
        getattr(forger, attack)()
        target = as_evidence(standing, forger, database, tmp_path / f"bundle-{number}")
        report = looked_at(standing, target, kept)
        assert report.code in (TAMPERED, FORKED, OLDER), (number, attack, report)
        found[f"{attack}: {WORDS[report.code]}"] += 1
    assert looked_at(standing, standing.copy(database), kept).code == HOLDS
    print("\n" + "\n".join(f"{count:4} {what}" for what, count in sorted(found.items())))


def test_a_restored_backup_shows_against_the_kept_checkpoint_alone(
    standing: World, another_key: SigningKey, kept: Path, tmp_path: Path
):
    database = standing.copy(tmp_path / "copy.db")
    forger = Forger(standing, another_key, Random(1))
    forger.roll_back()
    forger.write(database, "dropped")
    assert looked_at(standing, database, None).code == HOLDS
    report = looked_at(standing, database, kept)
    assert report.code == OLDER
    assert "ROLLBACK" in report.problems[0].detail


def test_an_old_bundle_shows_against_the_kept_checkpoint_alone(standing: World, kept: Path, tmp_path: Path):
    log = facts(standing.backups[22])
    note = last_note(standing.backups[22], standing.origin)
    for agreement in (None, AGREEMENT):
        old = written(bundle(log, note, standing.vkey, agreement=agreement), tmp_path / f"old-{agreement}")
        assert looked_at(standing, old, None).code == HOLDS
        report = looked_at(standing, old, kept)
        assert report.code == OLDER
        assert "NOT NEWER" in report.problems[0].detail


def test_another_history_signed_by_the_log_itself_shows_against_the_kept_checkpoint_alone(
    standing: World, kept: Path, tmp_path: Path
):
    database = standing.copy(tmp_path / "copy.db")
    forger = Forger(standing, standing.key, Random(5))  # whoever runs the log has its key
    forger.edit()
    forger.write(database, "resigned")
    assert looked_at(standing, database, None).code == HOLDS
    report = looked_at(standing, database, kept)
    assert report.code == FORKED
    assert [name for name, _ in report.notes] == ["the checkpoint kept", "shown now"]


def test_an_end_rewritten_behind_an_older_checkpoint_is_under_no_signature(
    standing: World, another_key: SigningKey, kept: Path, tmp_path: Path
):
    database = standing.copy(tmp_path / "copy.db")
    forger = Forger(standing, another_key, Random(3))
    forger.fork()
    forger.write(database, "dropped")
    assert looked_at(standing, database, None).code == UNAUTHENTICATED
    assert looked_at(standing, database, kept).code in (FORKED, OLDER)


def test_the_last_events_left_out_of_a_bundle_of_one_agreement_are_not_found(
    standing: World, kept: Path, tmp_path: Path
):
    log = facts(standing.path)
    note = last_note(standing.path, standing.origin)
    mine = [fact for fact in log if json.loads(fact.entry)["stream"] == OTHER]
    whole = bundle(log, note, standing.vkey, agreement=OTHER)
    lines = whole["entries.ndjson"].splitlines(keepends=True)
    less = changed(whole, entries_ndjson=b"".join(lines[:-1]), claimed_json=canonical(claimed(mine[:-1])))
    report = looked_at(standing, written(less, tmp_path / "less"), kept)
    assert report.code == HOLDS
    assert any("no later event of the agreement exists" in text for text in report.not_proven)


def test_an_open_part_said_to_be_withheld_is_not_found(standing: World, kept: Path, tmp_path: Path):
    log = facts(standing.path)
    held = bundle(
        log, last_note(standing.path, standing.origin), standing.vkey, agreement=AGREEMENT, withhold=True
    )
    report = looked_at(standing, written(held, tmp_path / "held"), kept)
    assert report.code == HOLDS
    assert report.withheld == 11
    assert any("WITHHELD still exist" in text for text in report.not_proven)


def test_a_bundle_that_does_not_show_what_it_extends_is_told(standing: World, tmp_path: Path):
    log = facts(standing.path)
    note = last_note(standing.path, standing.origin)
    earlier = last_note(standing.backups[22], standing.origin)
    Kept(tmp_path / "state", standing.origin).write(earlier)
    for since, code in ((None, UNLINKED), (40, UNLINKED), (22, HOLDS)):
        made = bundle(log, note, standing.vkey, agreement=OTHER, since=since)
        assert (
            looked_at(standing, written(made, tmp_path / f"since-{since}"), tmp_path / "state").code == code
        )
