"""What the registry is held against, and how: offered rates, UmaDB, and the history of runs."""

import msgspec
import pytest

reason = "the dependency group bench is not installed"
servers = pytest.importorskip("benchmarks.servers", reason=reason, exc_type=ImportError)
offered = pytest.importorskip("benchmarks.offered", reason=reason, exc_type=ImportError)
uma = pytest.importorskip("benchmarks.uma", reason=reason, exc_type=ImportError)
report = pytest.importorskip("benchmarks.report", reason=reason, exc_type=ImportError)
events = pytest.importorskip("benchmarks.events")
figures = pytest.importorskip("benchmarks.figures")
load = pytest.importorskip("benchmarks.load")


def test_what_is_offered_is_sent_when_it_is_due_and_all_of_it_is_answered():
    with servers.serve("benchmarks.constant:create_app", {}) as running:
        sample = offered.offer(running.port, events.requests("offered", 700, 1), rate=200, seconds=0.2)
    assert sample.requests == len(sample.latencies) == 40
    assert 0.19 < sample.seconds < 5
    assert sample.latencies == sorted(sample.latencies)


def test_an_offered_request_that_is_refused_ends_the_measurement():
    with (
        servers.serve("benchmarks.constant:create_app", {}) as running,
        pytest.raises(load.BadAnswerError, match="404"),
    ):
        offered.offer(
            running.port, [[b"POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n"]] * 99, 200, 0.1
        )


def test_umadb_takes_events_on_the_condition_that_nobody_has_appended_since(tmp_path):
    pytest.importorskip("umadb", reason="the dependency group bench is not installed")
    with uma.serve(tmp_path / "uma") as running:
        sample = uma.drive(running.port, uma.appends("u", 40, 1), 2, 30)
        assert (sample.requests, sample.exhausted) == (40, True)
        assert uma.stored(running) == 40


def test_the_history_keeps_a_line_for_each_run(tmp_path):
    [figure] = figures.figures(
        [figures.Measurement(subject="registry", task="a task", events=10, seconds=2.0)]
    )
    parameters = {"load_before": 0.5, "seconds": 1.0, "repetitions": 1}
    for _ in range(2):
        report.remember(tmp_path / "history.jsonl", [figure], parameters)
    lines = (tmp_path / "history.jsonl").read_bytes().splitlines()
    assert len(lines) == 2
    assert msgspec.json.decode(lines[-1])["figures"] == {"a task: registry": {"rate": 5.0}}
