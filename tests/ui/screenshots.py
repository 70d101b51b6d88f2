"""Take pictures of pages of a running registry: in light and dark, on a narrow screen, in Urdu, and printed.

python tests/ui/screenshots.py http://127.0.0.1:8000 screenshots
"""

import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
AGREEMENT = "/a/pak-slv-2025-digital-assets"
PAGES = {
    "board": "/",
    "agreement": AGREEMENT,
    "agreement-before": f"{AGREEMENT}?valid_as_of=2025-07-15",
    "agreement-first-report": f"{AGREEMENT}?known_as_of=29",
    "missing": "/a/there-is-none",
}
VIEWS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "narrow": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
    "urdu": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}, "locale": "ur-PK"},
}


def take(browser: Browser, url: str, into: Path, pages: dict[str, str], views: list[str]) -> None:
    for view in views:
        with browser.new_context(**VIEWS[view], java_script_enabled=False) as context:
            tab = context.new_page()
            for name, path in pages.items():
                tab.goto(url + path)
                tab.screenshot(path=into / f"{name}-{view}.png", full_page=True)
                if view == "light":
                    tab.pdf(path=into / f"{name}.pdf", format="A4", prefer_css_page_size=True)


def main(url: str, into: Path, *names: str) -> None:
    into.mkdir(parents=True, exist_ok=True)
    pages = {name: path for name, path in PAGES.items() if not names or name in names}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        take(browser, url.rstrip("/"), into, pages, list(VIEWS))
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
