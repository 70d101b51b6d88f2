import pytest

from domain.conftest import B
from projections.reading import Stream, build_from, items, on, shown_in
from registry.projections.follow_ups import FOLLOW_UPS, LIST
from registry.projections.listing import FIRST_DAY, LAST_DAY
from store.conftest import Opened


def scheduled(log: Stream, id_: str = "f1", due: str = "2025-09", **more) -> None:
    log.post("follow-up-scheduled", follow_up_id=id_, text={"en": "Send a draft."}, due=due, **more)


def rows(log: Stream) -> list[dict]:
    assert log.state is not None
    return list(FOLLOW_UPS.rows(log.state)[""])


@pytest.fixture
def log() -> Stream:
    return Stream("one")


def test_an_agreement_without_follow_ups_has_no_rows(log: Stream) -> None:
    assert rows(log) == []


def test_what_is_scheduled_is_open_on_all_days(log: Stream) -> None:
    scheduled(log, owner="pak")
    (row,) = rows(log)
    assert (row["first"], row["last"], row["state"], row["owner"]) == (FIRST_DAY, LAST_DAY, "open", "pak")
    assert (row["due"], row["due_earliest"], row["due_latest"]) == ("2025-09-01", "2025-09-01", "2025-09-30")
    assert "overdue" not in row


def test_each_day_has_the_row_of_what_had_become_of_it_by_then(log: Stream) -> None:
    scheduled(log)
    log.post("follow-up-progressed", follow_up_id="f1", occurred="2025-09-12", new_due="2025-10-31")
    log.post("follow-up-completed", source=B, follow_up_id="f1", occurred="2025-10-2X")
    assert [(row["first"], row["last"], row["state"], row["due_latest"]) for row in rows(log)] == [
        (FIRST_DAY, "2025-09-11", "open", "2025-09-30"),
        ("2025-09-12", "2025-10-19", "open", "2025-10-31"),
        ("2025-10-20", LAST_DAY, "completed", "2025-10-31"),
    ]
    steps = [shown_in([row], follow_up_id="f1")["last_step"] for row in rows(log)]
    assert steps == [None, "2025-09-12", "2025-10-2X"]
    assert shown_in(rows(log), state="completed")["sources"] == 2


def test_a_step_on_what_nothing_introduces_is_kept(log: Stream) -> None:
    log.post("follow-up-dropped", follow_up_id="f1", occurred="2025-10-01", reason="Overtaken.")
    before, after = rows(log)
    assert (before["state"], after["state"]) == ("open", "dropped")
    assert (before["due"], before["due_earliest"], before["due_latest"]) == (LAST_DAY, FIRST_DAY, LAST_DAY)
    shown = shown_in([after], follow_up_id="f1")
    assert (shown["text"], shown["due"], shown["owner"], shown["commitment_id"]) == (None, None, None, None)


def test_an_open_due_date_is_kept_open(log: Stream) -> None:
    scheduled(log, due="2025-09/..")
    (row,) = rows(log)
    assert (row["due_earliest"], row["due_latest"]) == ("2025-09-01", LAST_DAY)
    shown = shown_in([row], follow_up_id="f1")
    assert (shown["due_earliest"], shown["due_latest"]) == ("2025-09-01", None)


def test_merged_commitments_and_follow_ups_go_by_the_kept_id(log: Stream) -> None:
    for source, id_ in ((None, "c1"), (B, "c2")):
        log.post(
            "commitment-made",
            **({"source": source} if source else {}),
            commitment_id=id_,
            text={"en": "Explore."},
            by=["pak"],
            strength="aim",
        )
    scheduled(log, commitment_id="c2")
    scheduled(log, "f2", source=B)
    log.merge("commitment", "c1", "c2")
    log.merge("follow-up", "f1", "f2")
    shown = shown_in(rows(log), follow_up_id="f1")
    assert (shown["commitment_id"], shown["merged_ids"], shown["sources"]) == ("c1", ["f2"], 2)


CASES: list[tuple[dict, list[str]]] = [
    ({}, ["late", "done", "soon", "endless"]),
    ({"agreement": "other"}, ["soon", "endless"]),
    ({"party": "pak"}, ["late", "done", "soon", "endless"]),
    ({"party": "fra"}, []),
    ({"owner": "slv"}, ["late"]),
    ({"state": ("open",)}, ["late", "soon", "endless"]),
    ({"state": ("completed", "dropped")}, ["done"]),
    ({"overdue": True, "valid_as_of": on("2025-06-30")}, []),
    ({"overdue": True, "valid_as_of": on("2025-07-01")}, ["late"]),
    ({"overdue": False, "valid_as_of": on("2025-07-01")}, ["done", "soon", "endless"]),
    ({"overdue": True, "valid_as_of": on("2025-11-01")}, ["late", "soon"]),
    ({"due_before": on("2025-07-01")}, ["late"]),
    ({"due_before": on("2025-07-16")}, ["late", "done"]),
    ({"due_before": on("2025-10-31")}, ["late", "done"]),
]


@pytest.fixture
async def diary(store: Opened) -> Opened:
    one, other = Stream("one"), Stream("other")
    scheduled(one, "late", "2025-06", owner="slv")
    scheduled(one, "done", "2025-07-15")
    one.post("follow-up-completed", follow_up_id="done", occurred="2025-06-20")
    scheduled(other, "soon", "2025-10")
    scheduled(other, "endless", "2025-12/..")
    await build_from(store, FOLLOW_UPS, one, other)
    return store


async def test_filters_narrow_the_list(diary: Opened) -> None:
    for filters, found in CASES:
        asked = {"valid_as_of": on("2025-07-10"), **filters}
        assert [item.follow_up_id for item in items(diary, LIST, **asked)] == found, filters


async def test_whether_it_is_overdue_is_told_for_the_day_asked_for(diary: Opened) -> None:
    def overdue(day: str) -> list[str]:
        return [item.follow_up_id for item in items(diary, LIST, valid_as_of=on(day)) if item.overdue]

    assert overdue("2025-06-30") == []
    assert overdue("2025-07-01") == ["late"]
    assert overdue("2025-10-31") == ["late"]
    assert overdue("2025-11-01") == ["late", "soon"]
    assert overdue("9999-12-30") == ["late", "soon"]


async def test_what_was_done_in_time_was_open_before(diary: Opened) -> None:
    (before,) = items(
        diary, LIST, valid_as_of=on("2025-06-19"), agreement="one", due_before=on("2025-07-16")
    )[1:]
    assert (before.follow_up_id, before.state) == ("done", "open")


async def test_the_list_is_sorted_by_the_first_day_due_either_way(diary: Opened) -> None:
    assert [item.follow_up_id for item in items(diary, LIST, sort="-due")] == [
        "endless",
        "soon",
        "done",
        "late",
    ]
