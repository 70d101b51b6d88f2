"""Real rows, as messy as they are: 5,001 bilateral instruments of the United Kingdom, 1703 to 1976."""

import csv
import re
from collections import Counter

import pytest

A = "https://treaties.fcdo.example/"


@pytest.fixture(scope="module")
def rows(shared):
    with (shared / "data" / "uk_bilateral.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def party(name):
    return {
        "id": re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")[:80],
        "kind": "state",
        "name": {"en": name},
    }


def recorded(log, row):
    """Post what a row says; give the codes of all warnings."""
    parties = [party(name) for name in row["parties"].split(" ; ")]
    log.post("registered", source=A, title={"en": row["title"]}, parties=parties)
    codes = []
    if row["signed"]:
        signatures = [{"party": one["id"]} for one in parties]
        place = {"place": {"name": row["signed_at"]}} if row["signed_at"] else {}
        log.post("signed", source=A, signatures=signatures, occurred=row["signed"], **place)
    if row["eif"]:
        log.post("entered-into-force", source=A, date=row["eif"])
        codes += log.codes()
    if row["provisional"]:
        log.post("provisionally-applied", source=A, from_=row["provisional"])
    if row["terminated"]:
        log.post("terminated", source=A, date=row["terminated"], ground="other")
        codes += log.codes()
    return codes


def test_every_row_is_accepted_and_the_172_in_force_before_signature_with_a_warning(rows, empty_log):
    warned, statuses = Counter(), Counter()
    for row in rows:
        log = empty_log()
        warned.update(recorded(log, row))
        statuses[log.code("1980-01-01")] += 1
    assert warned["entry-into-force-before-signature"] == 172
    assert sum(statuses.values()) == len(rows) == 5001
    assert statuses["terminated"] == sum(1 for row in rows if "0" < row["terminated"] <= "1980-01-01")
    assert statuses["in-force"] == sum(
        1 for row in rows if "0" < row["eif"] <= "1980-01-01" and not "0" < row["terminated"] <= "1980-01-01"
    )
