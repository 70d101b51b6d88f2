"""5,001 real treaties, through the sequencer: all are taken in, and their statuses are those of their rows."""

import asyncio
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec
import pytest

import uk_data
from projections.reading import build
from registry.access import EVERYTHING
from registry.audit.verify import verify
from registry.domain.agreement import Agreement
from registry.domain.explain import explain
from registry.domain.status import status
from registry.projections.activity import ACTIVITY, StatsFilters, stats
from registry.store.receipt import Receipt
from store.conftest import Opened
from uk_parties import PARTIES

WAR = date(1914, 8, 4)
LAST = date(1976, 12, 31)
BATCH = 500


class Registry(msgspec.Struct, frozen=True):
    """What the registry made of the rows."""

    rows: list[uk_data.Row]
    receipts: list[Receipt]
    states: dict[str, Agreement]
    store: Opened

    def statuses(self, on: date) -> Counter[str]:
        return Counter(status(state, on).code for state in self.states.values())


@pytest.fixture(scope="module")
def rows(shared: Path) -> list[uk_data.Row]:
    if not (shared / "data" / "uk_bilateral.csv").exists():
        pytest.skip("the treaties are not here")
    return uk_data.read_rows(shared)


@pytest.fixture(scope="module")
def registry(
    rows: list[uk_data.Row], sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Registry]:
    path = tmp_path_factory.mktemp("uk") / "registry.db"
    shutil.copy(sqlite_template, path)
    store = Opened(f"sqlite:///{path}")

    async def load() -> list[Receipt]:
        store.sequencer.start()
        receipts: list[Receipt] = []
        posted = list(uk_data.posted(rows))
        for start in range(0, len(posted), BATCH):
            receipts += await store.append(*posted[start : start + BATCH])
        await store.sequencer.close()
        return receipts

    receipts = asyncio.run(load())
    states = {state.id: state for row in rows if (state := store.reader.agreement(uk_data.agreement_id(row)))}
    yield Registry(rows, receipts, states, store)
    store.writing.dispose()
    store.reading.dispose()


def expected(row: uk_data.Row, on: date) -> str:
    """What the dates of a row alone make of it on a day."""
    day = on.isoformat()

    def come(when: str) -> bool:
        return bool(when) and when <= day

    if come(uk_data.end_of(row)):
        return "terminated"
    if come(row["eif"]):
        return "in-force"
    if come(row["provisional"]):
        return "provisional"
    if come(row["signed"]):
        return "signed"
    return "adopted" if come(row["adopted"]) else "registered"


def test_every_name_is_that_of_a_party(rows: list[uk_data.Row]) -> None:
    assert {name.strip() for row in rows for name in row["parties"].split(" ; ")} == set(PARTIES)
    for row in rows:
        one, other = uk_data.parties_of(row)
        assert one["id"] != other["id"]
    assert PARTIES["SOVIET UNION"]["country"] == "SUHH"
    assert PARTIES["SIAM"] == {"id": "siam", "kind": "state", "name": {"en": "Siam"}}
    assert PARTIES["ARGENTINE REPUBLIC"]["id"] == PARTIES["ARGENTINA"]["id"] == "arg"
    assert PARTIES["EUROPEAN ATOMIC ENERGY COMMUNITY (EURATOM)"]["kind"] == "organisation"


def test_one_id_is_always_one_kind_and_country(rows: list[uk_data.Row]) -> None:
    known: dict[str, tuple[str, str | None]] = {}
    for party in PARTIES.values():
        described = party["kind"], party.get("country")
        assert known.setdefault(party["id"], described) == described


def test_all_are_accepted(registry: Registry) -> None:
    assert len(registry.states) == len(registry.rows) == 5001
    assert [receipt.position for receipt in registry.receipts] == list(range(1, len(registry.receipts) + 1))
    assert not any(receipt.replayed for receipt in registry.receipts)


def test_what_is_odd_about_them_is_a_warning(registry: Registry) -> None:
    warnings = Counter(warning.code for receipt in registry.receipts for warning in receipt.warnings)
    for code, number in warnings.most_common():
        print(f"{number:5} {code}")
    assert warnings == {
        "entry-into-force-before-signature": 172,
        "termination-without-entry-into-force": 117,
        "after-the-end": 1,
    }


@pytest.mark.parametrize(
    ("on", "totals"),
    [
        (WAR, {"registered": 4044, "signed": 633, "in-force": 268, "terminated": 56}),
        (LAST, {"signed": 2568, "in-force": 2078, "terminated": 324, "provisional": 21, "registered": 10}),
    ],
)
def test_the_statuses_are_those_of_the_rows(registry: Registry, on: date, totals: dict[str, int]) -> None:
    assert registry.statuses(on) == totals
    for row in registry.rows:
        found = status(registry.states[uk_data.agreement_id(row)], on)
        assert (found.code, found.certain) == (expected(row, on), True), row["record_id"]


CHOSEN = [
    # Commerce with Portugal, 1703: the data knows of no entry into force.
    ("62967", WAR, "signed", "1703-12-27", "signed"),
    ("62967", LAST, "signed", "1703-12-27", "signed"),
    # Slave trade and extradition with the United States: in force two months after it was signed.
    ("74246", WAR, "in-force", "1842-10-13", "entered-into-force"),
    # Radama of Madagascar: applied from the day of signature, in force three years later.
    ("62969", LAST, "in-force", "1820-10-11", "entered-into-force"),
    # Telegrams to the Netherlands: in force before it was signed, ended on a day and out two days later.
    ("75222", WAR, "terminated", "1889-04-01", "terminated"),
    # War debt of Portugal: applied since before it was signed, and never in force.
    ("78491", WAR, "registered", None, None),
    ("78491", LAST, "provisional", "1931-07-01", "provisionally-applied"),
    # Taxation with the Netherlands: ended by a notice that takes effect after these days.
    ("77332", LAST, "signed", "1935-06-06", "signed"),
    # Double taxation with France: applied, in force, and ended again.
    ("76595", LAST, "terminated", "1951-07-30", "terminated"),
    # Defence of Nigeria: signed and ended, though nothing says that it was ever in force.
    ("60839", LAST, "terminated", "1962-01-01", "terminated"),
    # Mutual aid with Norway: in force four months before it was signed.
    ("78124", LAST, "in-force", "1944-06-01", "entered-into-force"),
    # Data protection: adopted in 1999, so that on both days it is only known of.
    ("72965", LAST, "registered", None, None),
]


@pytest.mark.parametrize(("record", "on", "code", "since", "decided_by"), CHOSEN)
def test_ten_that_were_looked_up_are_explained(
    registry: Registry, *, record: str, on: date, code: str, since: str | None, decided_by: str | None
) -> None:
    state = registry.states[f"uk-{record}"]
    found = explain(state, on)
    assert found.status.code == code
    assert (found.status.since.date if found.status.since else None) == since
    assert found.rules[-1].code == code
    assert all(not rule.holds for rule in found.rules[:-1])
    if decided_by is None:
        assert found.status.reason.events == ()
    else:
        first = found.status.reason.events[0]
        event = state.recorded[first.source, first.id]
        assert event.type == f"agreement.{decided_by}.v1"
        assert event.position == found.status.reason.positions[0]
        assert str(since) in found.status.reason.text


async def test_they_are_counted_by_status_as_each_of_them_says(registry: Registry) -> None:
    await build(registry.store, ACTIVITY)
    for on in (WAR, LAST):
        with registry.store.reading.connect() as connection:
            found, position = stats(connection, StatsFilters(valid_as_of=on), sight=EVERYTHING)
        assert found.by_status == registry.statuses(on)
        assert (found.totals.agreements, position) == (5001, len(registry.receipts))


def test_the_log_of_them_verifies(registry: Registry) -> None:
    report = verify(registry.store.reading)
    assert report.finding is None
    assert report.events == len(registry.receipts)
