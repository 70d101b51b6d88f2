"""The value types that the events are made of: strings with a shape, and small immutable structs."""

from decimal import Decimal as Number
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from registry.domain import edtf
from registry.domain.codes import CURRENCIES, Country
from registry.domain.duration import Duration, parse_duration
from registry.domain.edtf import Edtf

__all__ = [
    "AGREEMENT_ID_PATTERN",
    "CODE_PATTERN",
    "DECIMAL_PATTERN",
    "END",
    "EVENT_ID_PATTERN",
    "ID_PATTERN",
    "IN_WORDS",
    "LINE_PATTERN",
    "PERSON_ID_PATTERN",
    "SHA256_PATTERN",
    "SOURCE_PATTERN",
    "TAG_PATTERN",
    "TEXT_PATTERN",
    "UNIT_PATTERN",
    "URL_PATTERN",
    "Actor",
    "AgreementId",
    "Code",
    "Country",
    "Decimal",
    "Duration",
    "Edtf",
    "EventId",
    "EventSource",
    "Identifier",
    "Line",
    "Party",
    "PartyRef",
    "Person",
    "PersonId",
    "Place",
    "Q",
    "Sha256",
    "T",
    "Tag",
    "Text",
    "Unit",
    "Url",
    "Value",
    "read_custom",
    "write_custom",
]

# In Python `$` also matches before a last newline. The look-ahead closes that gap and elsewhere says nothing.
END = r"$(?!\n)"

ID_PATTERN = r"^[a-z0-9][a-z0-9-]{0,79}" + END
AGREEMENT_ID_PATTERN = r"^[a-z0-9][a-z0-9-]{2,79}" + END
PERSON_ID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}" + END
EVENT_ID_PATTERN = r"^[ -~]{1,128}" + END
SOURCE_PATTERN = r"^[!-~]{1,512}" + END
# Spaces may lead, then one printable character must come; U+2028 and U+2029 end a line as a newline does.
LINE_PATTERN = r"^ *[^\x00- \x7f-\x9f\u2028\u2029][^\x00-\x1f\x7f-\x9f\u2028\u2029]*" + END
TEXT_PATTERN = r"^[ \t\n]*[^\x00- \x7f-\x9f][^\x00-\x08\x0b-\x1f\x7f-\x9f]*$"
TAG_PATTERN = (
    r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?(-([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"
    r"(-x(-[a-z0-9]{1,8})+)?" + END
)
DECIMAL_PATTERN = r"^(-?[1-9][0-9]{0,29}|-?0(?=\.[0-9]*[1-9])|0)(\.[0-9]{1,30})?" + END
SHA256_PATTERN = r"^[0-9a-f]{64}" + END
URL_PATTERN = r"^https?://[A-Za-z0-9.\-:\[\]]+([/?#]([!#$&-;=?-Z_a-z~\[\]]|%[0-9A-Fa-f]{2})*)?" + END
CODE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9 ._:/()-]{0,119}" + END
_ATOM = r"([A-Za-z%'\x22_]+(\[[!-Z^-z|~]+\][A-Za-z_]*)?|\[[!-Z^-z|~]+\]|10[*^])"
_TERM = rf"({_ATOM}([+-]?[0-9]+)?(\{{[!-z|~]+\}})?|\{{[!-z|~]+\}}|[1-9][0-9]*)"
# Three capitals are meant as a currency: UCUM has just RAD and REM of that form.
_MONEY = "|".join(sorted(CURRENCIES | {"BTC", "RAD", "REM"}))
UNIT_PATTERN = rf"^({_MONEY}|(?![A-Z]{{3}}$)/?{_TERM}([./]{_TERM})*)" + END

MOST_DEGREES_NORTH = 90
MOST_DEGREES_EAST = 180

IN_WORDS = {
    ID_PATTERN: "an id: lower-case letters, digits and hyphens, at most 80, not starting with a hyphen",
    AGREEMENT_ID_PATTERN: "an agreement id: 3 to 80 lower-case letters, digits and hyphens, no hyphen first",
    PERSON_ID_PATTERN: "a random (version 4) UUID in lower case",
    EVENT_ID_PATTERN: "an event id: 1 to 128 printable ASCII characters",
    SOURCE_PATTERN: "a source: 1 to 512 printable ASCII characters without a space",
    LINE_PATTERN: "one line of text that is not blank and has no control characters",
    TEXT_PATTERN: "a text that is not blank and has no control characters but tab and newline",
    TAG_PATTERN: "a BCP 47 language tag in its usual capitals, such as en, pt-BR or sr-Latn",
    DECIMAL_PATTERN: "a decimal number as a string, such as 42000 or -0.5, without leading zeros or exponent",
    SHA256_PATTERN: "64 lower-case hexadecimal digits",
    URL_PATTERN: "an http or https URL in ASCII, without user info",
    CODE_PATTERN: "a code: at most 120 ASCII letters, digits, spaces and . _ : / ( ) -",
    UNIT_PATTERN: "an ISO 4217 currency code, BTC or a UCUM unit",
}
"""What each pattern asks for, said to the person whose value does not match."""

Identifier = Annotated[str, Meta(pattern=ID_PATTERN)]
"""The id of a party, institution, publication or part; also a free id such as ``bitcoin``."""
AgreementId = Annotated[str, Meta(pattern=AGREEMENT_ID_PATTERN)]
PartyRef = Identifier
"""The id of one of the agreement's two parties."""
PersonId = Annotated[str, Meta(pattern=PERSON_ID_PATTERN)]
EventId = Annotated[str, Meta(pattern=EVENT_ID_PATTERN)]
EventSource = Annotated[str, Meta(pattern=SOURCE_PATTERN)]
Line = Annotated[str, Meta(pattern=LINE_PATTERN, max_length=1000)]
"""One line of text."""
Text = Annotated[str, Meta(pattern=TEXT_PATTERN, max_length=20_000)]
"""Text of several lines."""
Tag = Annotated[str, Meta(pattern=TAG_PATTERN)]
"""A BCP 47 language tag."""
T = Annotated[dict[Tag, Text], Meta(min_length=1)]
"""The same text in one or more languages."""
Decimal = Annotated[str, Meta(pattern=DECIMAL_PATTERN)]
"""An exact decimal number, kept as the string that was posted."""
Sha256 = Annotated[str, Meta(pattern=SHA256_PATTERN)]
Url = Annotated[str, Meta(pattern=URL_PATTERN, max_length=2048)]
Code = Annotated[str, Meta(pattern=CODE_PATTERN)]
Unit = Annotated[str, Meta(pattern=UNIT_PATTERN, max_length=80)]


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """A struct inside an event: immutable, comparable, and strict about its fields."""


class Place(Value, frozen=True, kw_only=True):
    """A place on earth. Coordinates come in pairs, in degrees of WGS 84."""

    name: Annotated[Line, Meta(description="The name of the place, as the source gives it")]
    country: (
        Annotated[Country, Meta(description="The country: ISO 3166-1 alpha-3, or 3166-3 alpha-4")] | None
    ) = None
    lat: Annotated[Decimal, Meta(description="Latitude in degrees north, -90 to 90")] | None = None
    lon: Annotated[Decimal, Meta(description="Longitude in degrees east, -180 to 180")] | None = None

    def __post_init__(self) -> None:
        if self.lat is None and self.lon is None:
            return
        if self.lat is None or self.lon is None:
            raise ValueError("a latitude and a longitude come together")
        if abs(Number(self.lat)) > MOST_DEGREES_NORTH:
            raise ValueError("a latitude lies between -90 and 90")
        if abs(Number(self.lon)) > MOST_DEGREES_EAST:
            raise ValueError("a longitude lies between -180 and 180")


class Q(Value, frozen=True, kw_only=True):
    """A quantity, exact as a decimal string, with its unit."""

    value: Annotated[Decimal, Meta(description="The number, as a decimal string")]
    unit: Annotated[Unit, Meta(description="ISO 4217 currency code, `BTC` or a UCUM unit")]
    per: Annotated[Unit, Meta(description="The unit it is counted by, as BTC in a price")] | None = None
    comparator: Annotated[
        Literal["eq", "gt", "lt", "approx"],
        Meta(description="Whether the source gives it as equal, as more than, as less than or as about this"),
    ]


class Party(Value, frozen=True, kw_only=True):
    """One of the two parties of an agreement."""

    id: Annotated[Identifier, Meta(description="Registry-wide id of the party")]
    kind: Annotated[
        Literal["state", "organisation", "territory", "other"], Meta(description="What kind of party it is")
    ]
    name: Annotated[T, Meta(description="The name of the party")]
    country: (
        Annotated[
            Country, Meta(description="ISO 3166-1 alpha-3, or 3166-3 alpha-4 for a state that is no more")
        ]
        | None
    ) = None


class Person(Value, frozen=True, kw_only=True):
    """A natural person: a random id that stays, and a name that can be erased."""

    person_id: Annotated[PersonId, Meta(description="Registry-wide random UUID (version 4) of the person")]
    name: Annotated[Line, Meta(description="The name of the person")] | None = None


class Actor(Value, frozen=True, kw_only=True):
    """Who did something: a person, an institution, or someone on behalf of a party; at least one of these."""

    person: Annotated[Person, Meta(description="The person who acted")] | None = None
    institution_id: Annotated[Identifier, Meta(description="The institution that acted")] | None = None
    on_behalf_of: Annotated[PartyRef, Meta(description="The party acted for")] | None = None

    def __post_init__(self) -> None:
        if self.person is None and self.institution_id is None and self.on_behalf_of is None:
            raise ValueError("an actor names a person, an institution or the party acted for")


def read_custom(kind: type, given: Any) -> Any:
    """Make a date or a duration of the string that was posted: the ``dec_hook`` of every decoding.

    Raises ValueError when the text does not make one, and NotImplementedError for any other type.
    """
    if kind is Edtf:
        if type(given) is str:
            return edtf.parse(given)
        raise ValueError("a date is a string")
    if kind is Duration:
        if type(given) is str:
            return parse_duration(given)
        raise ValueError("a duration is a string")
    raise NotImplementedError(f"{kind} is no value of the vocabulary")


def write_custom(value: Any) -> str:
    """Write a date or a duration as it was posted: the ``enc_hook`` of whatever shows one."""
    if isinstance(value, (Edtf, Duration)):
        return value.text
    raise NotImplementedError(f"{type(value)} is no value of the vocabulary")
