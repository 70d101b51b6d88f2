"""Every page is found from the index, and the first page fits a screen."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_index_lists_every_page_once():
    listed = re.findall(
        r"^\| \[[^]]+\]\(([\w-]+\.md)\) \|", (ROOT / "docs" / "README.md").read_text(), re.MULTILINE
    )
    assert sorted(listed) == sorted({page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"})


def test_the_first_page_fits_a_screen():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 70
