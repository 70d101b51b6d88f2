"""The pages that the tests of every page visit, by a name for each: a new page is added here."""

STORY = "/a/pak-slv-2025-digital-assets"
FULL = "/a/of-every-type"
HOSTILE = "/a/hostile-texts"
MISSING = "/a/there-is-none"
FORM = "/post?type=agreement.registered.v1"
OPERATE = "/operate"
UNKEPT = (FORM, OPERATE)
"""What is different each time, and kept by nobody."""

PAGES = {
    "board": "/",
    "the first report": f"{STORY}?known_as_of=29",
    "every type": FULL,
    "hostile texts": HOSTILE,
    "search": "/search?q=pakistan",
    "nothing found": "/search?q=nowhere&status=retracted",
    "parties": "/parties",
    "party": "/p/pak",
    "pair": "/pair/pak/slv",
    "calendar": "/calendar?month=2025-08",
    "log": "/log",
    "event": "/log/33",
    "verify": "/verify?position=33",
    "sign in": "/sign-in?next=/log",
    "types to post": "/post",
    "form": FORM,
    "operate": OPERATE,
    "missing": MISSING,
}
