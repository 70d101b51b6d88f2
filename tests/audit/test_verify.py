from sqlalchemy import Engine

from registry.audit.verify import verify


def test_a_log_that_was_only_appended_to_holds(written_log, reading: Engine):
    report = verify(reading)
    assert report.finding is None
    assert report.ok
    assert (report.origin, report.events, report.root) == ("registry.test/log", 300, written_log.root())
    assert report.tiles == 1
    assert report.checkpoints == 4
    assert report.erased == 6
