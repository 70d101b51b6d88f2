"""What the registry writes itself is verified: bundles of an agreement, and of the whole log."""

from datetime import date
from pathlib import Path

import pytest

from registry.audit.bundle import make_bundle, zipped
from registry.audit.evidence import gather, stand
from registry.audit.whole_log import write_whole_log
from registry.store.database import open_reader
from registry.store.reader import Reader
from registry.verifier.outcome import HOLDS
from verifier.world import AGREEMENT, OTHER, World


@pytest.fixture
def reader(standing: World):
    engine = open_reader(f"sqlite:///{standing.path}")
    yield Reader(engine)
    engine.dispose()


@pytest.mark.parametrize("agreement", [AGREEMENT, OTHER])
@pytest.mark.parametrize("parts", [True, False])
def test_a_bundle_of_an_agreement_holds(
    check, standing: World, reader: Reader, tmp_path: Path, agreement: str, *, parts: bool
):
    keys = [standing.key.verifier_key(standing.origin)]
    evidence = gather(reader, agreement, stand(reader, agreement), keys=keys, from_size=22)
    (tmp_path / "b.zip").write_bytes(zipped(make_bundle(evidence, date(2026, 11, 21), parts=parts)))
    report = check(tmp_path / "b.zip")
    assert (report.code, report.problems) == (HOLDS, [])
    assert (report.withheld > 0) is (not parts and agreement == AGREEMENT)


def test_a_bundle_of_the_whole_log_holds(check, standing: World, reader: Reader, tmp_path: Path):
    keys = [standing.key.verifier_key(standing.origin)]
    write_whole_log(reader, tmp_path / "whole", keys=keys)
    report = check(tmp_path / "whole")
    assert (report.code, report.problems, report.events, report.checkpoints) == (HOLDS, [], 75, 3)
