"""What stands above and below every page: where the links lead, and the keys of their texts."""

from registry.access import ADMIN, EVENTS_WRITE

NAVIGATION: tuple[tuple[str, str], ...] = (
    ("/", "nav.board"),
    ("/search", "nav.agreements"),
    ("/parties", "nav.parties"),
    ("/calendar", "nav.calendar"),
    ("/log", "nav.log"),
)
"""Above: path and text, in this order."""

FOR_SOME: tuple[tuple[str, str, str], ...] = (
    ("/post", "nav.post", EVENTS_WRITE),
    ("/operate", "nav.operate", ADMIN),
)
"""Above, for whoever holds a scope."""

FOOTER: tuple[tuple[str, str], ...] = (
    ("/docs", "nav.docs"),
    ("/feed.atom", "nav.feed"),
    ("/calendar.ics", "nav.calendar_file"),
    ("/checkpoint", "nav.checkpoint"),
)
"""Below."""
