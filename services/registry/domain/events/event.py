"""What every event type is: described fields, and what its class declares about them."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import msgspec
from msgspec import Meta

from registry.domain.values import Identifier, Line

Predicate = str
"""What a claim is about, such as ``kind``, ``title.en`` or ``signature.pak.date``."""

Key = str
"""What one source may claim once: a predicate, or ``<name>:<id>`` such as ``engagement-held:visit-1``."""


class Cite(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    publication_id: Annotated[Identifier, Meta(description="The publication that says so")]
    locator: Annotated[Line, Meta(description="Page, paragraph or section")] | None = None
    basis: Annotated[
        Literal["stated", "inferred"],
        Meta(description="Whether the publication says it, or whoever posts concluded it"),
    ]


class Owned(msgspec.Struct, frozen=True):
    """Where the values of one person lie in an event: paths of names, ``*`` for every element of a list.

    ``values`` are relative to ``at`` and personal whenever ``person`` (also relative) is there.
    """

    at: str
    person: str
    values: tuple[str, ...]


class Fault(msgspec.Struct, frozen=True):
    """A rule that an event breaks all by itself."""

    rule: str
    pointer: str
    detail: str


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The ``data`` of an event. A type is one class: fields, examples, and the declarations below."""

    cites: Annotated[tuple[Cite, ...], Meta(description="The publications this claim rests on")] = ()
    confidence: (
        Annotated[
            Literal["high", "medium", "low"],
            Meta(description="How sure the source is; shown, never ranked"),
        ]
        | None
    ) = None

    type: ClassVar[str]
    """The CloudEvents type, such as ``agreement.signed.v1``; set by ``event_type``."""
    personal: ClassVar[tuple[Owned, ...]] = ()
    """Where personal values lie; they go to their person's own part."""
    examples: ClassVar[tuple[dict[str, Any], ...]] = ()
    """Valid ``data`` for the schema, the documentation and the tests."""

    @property
    def inferred(self) -> bool:
        """True when every citation says inferred; a claim without citations is stated."""
        return bool(self.cites) and all(cite.basis == "inferred" for cite in self.cites)

    def claims(self) -> Iterator[tuple[Predicate, Any]]:
        """Yield the predicates this event claims, each with its value."""
        yield from ()

    def keys(self) -> Iterator[Key]:
        """Yield what its source may claim only once. The predicates of ``claims`` belong to it by themselves."""
        yield from ()

    def parties_named(self) -> Iterator[tuple[str, str]]:
        """Yield (JSON pointer, party id) of every reference to one of the agreement's two parties."""
        yield from ()

    def faults(self) -> Iterator[Fault]:
        """Yield the rules this event breaks all by itself."""
        yield from ()


EVENT_TYPES: dict[str, type[Event]] = {}
"""Every event type, by its CloudEvents type."""

E = TypeVar("E", bound=type[Event])


def event_type(name: str) -> Any:
    """Register a class as the event type ``name``, such as ``agreement.signed.v1``."""

    def register(cls: E) -> E:
        cls.type = name
        EVENT_TYPES[name] = cls
        return cls

    return register
