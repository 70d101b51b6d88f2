"""The pages that the tests of every page visit, by a name for each: a new page is added here."""

STORY = "/a/pak-slv-2025-digital-assets"
FULL = "/a/of-every-type"
HOSTILE = "/a/hostile-texts"
MISSING = "/a/there-is-none"

PAGES = {
    "board": "/",
    "the first report": f"{STORY}?known_as_of=29",
    "every type": FULL,
    "hostile texts": HOSTILE,
    "missing": MISSING,
}
