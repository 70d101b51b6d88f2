"""Every promise on the pages names a test that is there, and every requirement of the standard has its line."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = ["guarantees.md", "threat-model.md", "asvs.md"]
NAMED = re.compile(r"`((?:\w+/)*test_\w+\.py)::(test_\w+)`")

# Levels 1 and 2 of ASVS 5.0.0: how many requirements of these levels a section has, which stand before those of
# level 3. Left out are the sections for authorization servers and providers (10.4 to 10.7) and WebRTC (17).
SECTIONS = {
    "1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1,
    "3.2": 2, "3.3": 4, "3.4": 6, "3.5": 5, "3.7": 2, "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4,
    "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3,
    "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4,
    "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2, "8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1,
    "9.1": 3, "9.2": 4, "10.1": 2, "10.2": 2, "10.3": 4,
    "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4, "11.5": 1, "11.6": 1, "12.1": 3, "12.2": 2, "12.3": 4,
    "13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5, "14.1": 2, "14.2": 4, "14.3": 3,
    "15.1": 3, "15.2": 3, "15.3": 7, "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3,
}  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_is_named_is_there(page):
    text = (ROOT / "docs" / page).read_text()
    named = NAMED.findall(text)
    assert len(named) > 30
    assert len(named) == text.count("::")  # none is written in another way
    for file, name in named:
        assert f"def {name}(" in (ROOT / "tests" / file).read_text(), f"{file}::{name}"


@pytest.mark.parametrize("page", PAGES)
def test_every_line_is_held_by_a_test_or_says_why_not(page):
    for line in (ROOT / "docs" / page).read_text().split("| held by |")[1:]:
        for row in re.findall(r"^\|(?!---)(.+)\|$", line.split("\n\n")[0], re.MULTILINE):
            assert NAMED.search(row) or "does not apply" in row or "documentation: [" in row, row


def test_every_requirement_of_the_standard_has_one_line():
    text = (ROOT / "docs" / "asvs.md").read_text()
    cells = re.findall(r"^\| ([\d., ]+) \|", text, re.MULTILINE)
    answered = [number for cell in cells for number in cell.split(", ")]
    wanted = {f"{section}.{number}" for section, most in SECTIONS.items() for number in range(1, most + 1)}
    assert set(answered) == wanted
    assert len(answered) == len(wanted)
