"""Take pictures of pages of a running registry: in light and dark, on a narrow screen, in Urdu, and printed.

python tests/ui/screenshots.py http://127.0.0.1:8000 screenshots
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from cli.servers import serving
from ui.chromium import FLAGS, chromium

AGREEMENT = "/a/pak-slv-2025-digital-assets"
PAGES = {
    "board": "/",
    "agreement": AGREEMENT,
    "agreement-before": f"{AGREEMENT}?valid_as_of=2025-07-15",
    "agreement-first-report": f"{AGREEMENT}?known_as_of=29",
    "search": "/search?q=bitcoin",
    "parties": "/parties",
    "party": "/p/pak",
    "pair": "/pair/pak/slv",
    "calendar": "/calendar?month=2025-07",
    "log": "/log",
    "event": "/log/33",
    "verify": "/verify?position=33",
    "sign-in": "/sign-in",
    "post": "/post",
    "post-form": f"/post?type=agreement.signed.v1&agreement={AGREEMENT[3:]}",
    "operate": "/operate",
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


def main(url: str = "", into: str = "screenshots", *names: str) -> None:
    with nullcontext(url) if url else demo() as at:
        folder = Path(into)
        folder.mkdir(parents=True, exist_ok=True)
        pages = {name: path for name, path in PAGES.items() if not names or name in names}
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(playwright), args=FLAGS)
            take(browser, at.rstrip("/"), folder, pages, list(VIEWS))
            browser.close()


@contextmanager
def demo() -> Iterator[str]:
    """Serve the demo story meanwhile."""
    with TemporaryDirectory() as data, serving("demo", "--port", "0", "--data-dir", data) as server:
        yield server.url


if __name__ == "__main__":
    main(*sys.argv[1:])
