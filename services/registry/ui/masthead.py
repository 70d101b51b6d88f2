"""What stands above and below every page: where the links lead, and the keys of their texts."""

NAVIGATION: tuple[tuple[str, str], ...] = (
    ("/", "nav.board"),
    ("/search", "nav.agreements"),
    ("/parties", "nav.parties"),
    ("/calendar", "nav.calendar"),
    ("/log", "nav.log"),
)
"""Above: path and text, in this order."""

FOOTER: tuple[tuple[str, str], ...] = (
    ("/docs", "nav.docs"),
    ("/feed.atom", "nav.feed"),
    ("/calendar.ics", "nav.calendar_file"),
    ("/checkpoint", "nav.checkpoint"),
)
"""Below."""
