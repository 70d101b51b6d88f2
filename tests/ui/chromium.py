"""Where Chromium is, and how it is started."""

import shutil
from typing import Any

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium(playwright: Any) -> str | None:
    """Find the machine's, or the one that Playwright brought; None where there is none."""
    return next(filter(None, map(shutil.which, (*NAMES, playwright.chromium.executable_path))), None)
