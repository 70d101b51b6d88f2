"""Atom feeds of events (RFC 4287), with pages as RFC 5005 section 3 has them."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from registry.domain.envelope import Recorded
from registry.domain.sentences import sentence
from registry.merkle.entry import event_uuid, format_time

ATOM = "http://www.w3.org/2005/Atom"
MEDIA_TYPE = "application/atom+xml; charset=utf-8"
EPOCH = 0
"""When a feed without an entry was last changed, in microseconds since 1970: before its first."""

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def write_feed(
    title: str, events: Sequence[Recorded], *, origin: str, path: str, here: str, onward: str | None
) -> bytes:
    """Write a page of a feed, the newest event first.

    ``origin`` is the log's name and ``path`` the feed's, which together name it for ever; ``here`` and
    ``onward`` are where this page and the next one are, the latter None on the last.
    """
    feed = ET.Element("feed", {"xmlns": ATOM, "xml:lang": "en"})
    _add(feed, "id", uuid5(NAMESPACE_URL, f"{origin}\n{path}").urn)
    _add(feed, "title", title)
    _add(feed, "updated", format_time(events[0].recorded_at if events else EPOCH))
    _add(feed, "generator", "Agreement Registry")
    _link(feed, "self", here, "application/atom+xml")
    _link(feed, "first", path, "application/atom+xml")
    if onward is not None:
        _link(feed, "next", onward, "application/atom+xml")
    for event in events:
        _entry(ET.SubElement(feed, "entry"), event)
    content: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return content


def _entry(entry: ET.Element, event: Recorded) -> None:
    """Write an event. Its time is that of its record: what it says of the world stands in its title."""
    recorded = format_time(event.recorded_at)
    _add(entry, "id", UUID(bytes=event_uuid(event.source, event.id)).urn)
    _add(entry, "title", sentence(event))
    _add(entry, "updated", recorded)
    _add(entry, "published", recorded)
    author = ET.SubElement(entry, "author")
    _add(author, "name", event.source)
    if _ABSOLUTE.match(event.source):
        _add(author, "uri", event.source)
    _link(entry, "alternate", f"/events/{event.position}", "application/cloudevents+json")
    _link(entry, "related", f"/agreements/{event.subject}", "application/json")
    ET.SubElement(entry, "category", {"term": event.type})
    _add(entry, "summary", _summary(event))


def _summary(event: Recorded) -> str:
    when = datetime.fromtimestamp(event.recorded_at // 1_000_000, UTC)
    cited = list(dict.fromkeys(cite.publication_id for cite in event.data.cites))
    citing = f", citing {', '.join(cited)}" if cited else ""
    return (
        f"Agreement {event.subject}: claimed by {event.source} as event {event.id}{citing}. "
        f"Recorded on {when:%Y-%m-%d at %H:%M:%S} UTC at position {event.position}."
    )


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = _NOT_XML.sub("\ufffd", text)


def _link(parent: ET.Element, rel: str, href: str, media_type: str) -> None:
    ET.SubElement(parent, "link", {"rel": rel, "href": href, "type": media_type})
