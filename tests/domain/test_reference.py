from pathlib import Path

import pytest

from registry.domain.events import EVENT_TYPES
from registry.domain.reference import events_page

PAGE = events_page()
WRITTEN = Path(__file__).parents[2] / "docs" / "events.md"


@pytest.mark.parametrize(("name", "cls"), EVENT_TYPES.items())
def test_the_page_has_every_type_with_its_fields(name, cls):
    _, _, after = PAGE.partition(f"### `{name}`\n")
    section = after.partition("\n### ")[0]

    for field in cls.__struct_encode_fields__:
        assert f"| `{field}` |" in (section if field not in ("cites", "confidence") else PAGE)
    assert "```json\n{" in section


def test_a_type_says_what_it_claims_and_what_is_personal():
    section = PAGE.partition("### `agreement.signed.v1`\n")[2].partition("\n### ")[0]

    assert "Claims: `signature.pak.date`, `signature.pak.place`" in section
    assert "Once a source: `signature.pak.date`" in section
    assert "`signed:pak`" in section
    assert "Personal: `signatures/actor/person/name`, `signatures/capacity`." in section
    assert "| `signatures` | list of [Signature](#signature) | required | One signature a party |" in section


def test_the_groups_come_in_the_order_of_an_agreements_life():
    titles = [line for line in PAGE.split("\n") if line.startswith("## ")]

    assert len(titles) == 10
    assert titles[1].startswith("## The instrument")
    assert titles[-1].startswith("## Corrections")
    assert PAGE.count("\n### `agreement.") == len(EVENT_TYPES)


def test_the_page_in_the_docs_is_the_one_the_classes_write():
    assert WRITTEN.read_text(encoding="utf-8") == PAGE, (
        "write docs/events.md anew with registry.domain.reference"
    )
