"""CloudEvents 1.0 in and out: the envelope around an event, in each of the modes of the HTTP binding."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from registry.domain import codec, strict_json
from registry.domain.attributes import (
    RULES,
    canonical,
    dataschema_flaw,
    expectedversion_flaw,
    extension_name_flaw,
    string_flaw,
)
from registry.domain.envelope import Posted
from registry.domain.events import Event
from registry.domain.strict_json import pointer_token
from registry.errors import Flaw, Invalid, Malformed

REQUIRED = ("specversion", "id", "source", "type", "subject")
_REQUIRED = frozenset(REQUIRED)
OUTGOING = frozenset(
    ("recordedtime", "sequence", "agreementversion", "leafhash", "erasedparts", "withheldparts")
)
"""What the registry adds on the way out, and takes from nobody."""
_OUTGOING = (
    b'{"specversion":"1.0","id":%b,"source":%b,"type":%b,"subject":%b,%b'
    b'"recordedtime":"%b","sequence":"%019d","agreementversion":%d,"leafhash":"%b"%b}'
)
_encode = msgspec.json.Encoder().encode
_PREFIX = b"ce-"
_RAW = re.compile(rb"(?:[\t !#$&-~]|%[0-9A-Fa-f]{2})*+")
_QUOTED = re.compile(rb'"((?:[\t !#-\[\]-~]|\\[\t -~])*+)"')
_QUOTED_PAIR = re.compile(rb"\\(.)")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")


def posted(envelope: Any) -> Posted:
    """Read an event in the JSON format of CloudEvents, as ``strict_json`` decoded it.

    Raises Invalid with the pointer of every flaw: attributes first, then ``data``.
    """
    if type(envelope) is not dict:
        raise Invalid("an event is a JSON object", [Flaw("", "is no object")])
    return _posted(envelope, envelope.get("data"), has_data="data" in envelope)


def from_headers(headers: Iterable[tuple[bytes, bytes]], body: bytes) -> Posted:
    """Read an event in binary mode: attributes from ``ce-`` headers (names in lower case), ``data`` the body.

    Pointers are those of the same event in the JSON format. Raises Malformed on a header that is repeated or
    badly encoded and on a body that is not strict JSON, Invalid as ``posted`` does.
    """
    attributes: dict[str, Any] = {}
    flaws = []
    for raw_name, raw_value in headers:
        if not raw_name.startswith(_PREFIX):
            continue
        name = raw_name[len(_PREFIX) :].decode("latin-1")
        if name in attributes:
            flaws.append(Flaw(f"/{pointer_token(name)}", "is given by two headers"))
        try:
            attributes[name] = header_value(raw_value)
        except ValueError as error:
            attributes[name] = None
            flaws.append(Flaw(f"/{pointer_token(name)}", str(error)))
    if flaws:
        raise Malformed("the headers cannot be read", flaws)
    if "datacontenttype" in attributes or "data" in attributes:
        name = "datacontenttype" if "datacontenttype" in attributes else "data"
        raise Invalid("the event is not valid", [Flaw(f"/{name}", "is no header of its own in binary mode")])
    if not body:
        return _posted(attributes, None, has_data=False)
    try:
        data = strict_json.decode(body)
    except Malformed as error:
        flaws = [Flaw(f"/data{flaw.pointer}", flaw.detail) for flaw in error.flaws]
        raise Malformed(error.detail, flaws) from None
    return _posted(attributes, data, has_data=True)


def header_value(raw: bytes) -> str:
    """Decode a header's value as section 3.1.3.2 of the HTTP binding says: quotes first, then percent signs.

    Raises ValueError on a stray quote or percent sign, on what is not ASCII and on what is not UTF-8 once
    decoded. (Senders are to encode blanks and quotes; older ones did not, so they are accepted.)
    """
    raw = raw.strip(b" \t")
    if (quoted := _QUOTED.fullmatch(raw)) is not None:
        raw = _QUOTED_PAIR.sub(rb"\1", quoted[1])
        if b"%" in _PERCENT.sub(b"", raw):
            raise ValueError("has a percent sign without two hexadecimal digits")
    elif not _RAW.fullmatch(raw):
        raise ValueError("is not percent-encoded ASCII")
    try:
        return _PERCENT.sub(lambda match: bytes.fromhex(match[1].decode()), raw).decode()
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 once it is percent-decoded") from None


def outgoing(
    *,
    source: str,
    id: str,
    type: str,
    subject: str,
    position: int,
    version: int,
    recorded_time: str,
    leaf_hash: bytes,
    joined: codec.Joined,
) -> bytes:
    """Give a recorded event back as a CloudEvent in the JSON format, with what the registry knows of it.

    ``sequence`` is the position in 19 digits, as that extension sorts as text; ``erasedparts`` lists the
    numbers of the erased parts and ``withheldparts`` those of parts that whoever reads may not see; each is left
    out when there are none. A body that is JSON already is passed on as it is.
    """
    attrs = b"%b," % _encode(joined.attrs)[1:-1] if joined.attrs else b""
    content = b""
    if joined.erased:
        content += b',"erasedparts":%b' % _encode(",".join(map(str, joined.erased)))
    if joined.withheld:
        content += b',"withheldparts":%b' % _encode(",".join(map(str, joined.withheld)))
    if 0 not in joined.erased:
        content += b',"data":%b' % _encode(joined.body)
    # An object of all this, to be encoded, would cost half as much again.
    return _OUTGOING % (
        _encode(id),
        _encode(source),
        _encode(type),
        _encode(subject),
        attrs,
        recorded_time.encode(),
        position,
        version,
        leaf_hash.hex().encode(),
        content,
    )


def _posted(attributes: dict[str, Any], data: Any, *, has_data: bool) -> Posted:
    core, kept, expected, flaws = _read_attributes(attributes)
    type_ = core.get("type", "")
    typed: Event | None = None
    if not has_data:
        flaws.append(Flaw("/data", "is required"))
    elif type_:
        try:
            typed = codec.typed(type_, data)
        except Invalid as error:
            flaws.extend(Flaw(f"/data{flaw.pointer}", flaw.detail) for flaw in error.flaws)
    if flaws or typed is None:
        raise Invalid("the event is not valid", flaws)
    return Posted(
        source=core["source"],
        id=core["id"],
        type=type_,
        subject=core["subject"],
        body=data,
        data=typed,
        attrs=kept,
        expected_version=expected,
        personal=codec.owners_of(type_, data),
    )


def _read_attributes(
    attributes: dict[str, Any],
) -> tuple[dict[str, str], dict[str, str], int | None, list[Flaw]]:
    """Return the required attributes, those that are kept, the expected version, and what is wrong.

    ``data`` may stand among them, as in the JSON format, and is left alone.
    """
    required: dict[str, str] = {}
    kept: dict[str, str] = {}
    expected: int | None = None
    flaws: list[Flaw] = []
    for name, value in attributes.items():
        if value is None or name == "data":  # the JSON format says that null is the same as absent
            continue
        if (rule := RULES.get(name)) is not None:
            text, flaw = (value, rule(value)) if type(value) is str else ("", "is no string")
        else:
            text, flaw = _extension(name, value)
        if flaw is not None:
            flaws.append(Flaw(f"/{pointer_token(name)}", flaw))
        elif name in _REQUIRED:
            required[name] = text
        elif name == "expectedversion":
            expected = int(text)
        elif name != "datacontenttype":
            kept[name] = text
    if len(required) < len(REQUIRED) or "dataschema" in kept:
        flaws.extend(_flaws_together(attributes, required, kept))
    return required, kept, expected, flaws


def _flaws_together(
    attributes: dict[str, Any], required: dict[str, str], kept: dict[str, str]
) -> Iterator[Flaw]:
    """Yield what is wrong with the attributes beside what is wrong with each."""
    if len(required) < len(REQUIRED):
        yield from (Flaw(f"/{name}", "is required") for name in REQUIRED if attributes.get(name) is None)
    if "type" in required and "dataschema" in kept:
        flaw = dataschema_flaw(kept["dataschema"], required["type"])
        if flaw is not None:
            yield Flaw("/dataschema", flaw)


def _extension(name: str, value: Any) -> tuple[str, str | None]:
    """Return the canonical string of an extension attribute, and what is wrong with it."""
    if name == "data_base64":
        return "", "is not taken; send the JSON itself as data"
    if name in OUTGOING:
        return "", "is added by the registry; it cannot be posted"
    if (flaw := extension_name_flaw(name)) is not None:
        return "", flaw
    if (text := canonical(value)) is None:
        return "", "is no string, boolean or 32-bit integer"
    if name == "expectedversion":
        return text, expectedversion_flaw(text)
    return text, string_flaw(text)
