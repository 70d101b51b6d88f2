"""Every case on the page is held by a test that is there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "legal-cases.md").read_text()
TESTS = "\n".join(path.read_text() for path in (ROOT / "tests" / "domain" / "legal").glob("*.py"))


def test_every_case_names_a_test_that_there_is() -> None:
    named = re.findall(r"`(test_\w+)` \|", PAGE)
    assert len(named) > 20
    for name in named:
        assert f"def {name}(" in TESTS, name
