"""What every event type is: described fields, and what its class declares about them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import msgspec
from msgspec import Meta

from registry.domain.edtf import Edtf
from registry.domain.values import Actor, Identifier, Line, Value, read_custom

Predicate = str
"""What a claim is about, such as ``kind``, ``title.en`` or ``signature.pak.date``."""

Key = str
"""What one source may claim once: a predicate, or ``<name>:<id>`` such as ``engagement-held:visit-1``."""

Body = dict[str, Any]
"""``data`` in the JSON subset of the log, as posted."""


class Cite(Value, frozen=True, kw_only=True):
    """A place in a publication that a claim rests on."""

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


class Upcast(msgspec.Struct, frozen=True):
    """How ``data`` of an older version becomes ``data`` of the class that declares this.

    ``change`` gets a body that it must not write into. A personal value in it may be a marker that stands for
    an erased one, so it is moved and never looked into. ``personal`` is where the older version had its own.
    """

    change: Callable[[Body], Body]
    personal: tuple[Owned, ...] = ()


class Fault(msgspec.Struct, frozen=True):
    """A rule that an event breaks all by itself."""

    rule: str
    pointer: str
    detail: str


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
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
    short_name: ClassVar[str]
    """The name within the type, such as ``signed``; set by ``event_type``."""
    part: ClassVar[str] = ""
    """The field with the id of the part this event is about, such as ``engagement_id``; empty for none."""
    personal: ClassVar[tuple[Owned, ...]] = ()
    """Where personal values lie; they go to their person's own part."""
    examples: ClassVar[tuple[Body, ...]] = ()
    """Valid ``data`` for the schema, the documentation and the tests."""
    upcasts: ClassVar[Mapping[str, Upcast]] = {}
    """The older versions of this type that are still read, by their CloudEvents type."""

    @property
    def inferred(self) -> bool:
        """True when every citation says inferred; a claim without citations is stated."""
        return bool(self.cites) and all(cite.basis == "inferred" for cite in self.cites)

    @property
    def part_id(self) -> str | None:
        """The id of the part this event is about; None when it is about none."""
        return getattr(self, self.part) if self.part else None

    @property
    def disputable(self) -> bool:
        """True when its claims can be in dispute with others; an outlook cannot."""
        return True

    @classmethod
    def personal_at(cls, body: Body) -> tuple[Owned, ...]:  # noqa: ARG003 - a correction looks into it
        """Tell where personal values lie in this ``data``."""
        return cls.personal

    def claims(self) -> Iterator[tuple[Predicate, Any]]:
        """Yield the predicates this event claims, each with its value."""
        yield from ()

    def keys(self) -> Iterator[Key]:
        """Yield what its source may claim only once, beside the predicates of ``claims``."""
        if self.part:
            yield f"{self.short_name}:{self.part_id}"

    def parties_named(self) -> Iterator[tuple[str, str]]:
        """Yield (JSON pointer, party id) of every reference to one of the agreement's two parties."""
        yield from ()

    def faults(self) -> Iterator[Fault]:
        """Yield the rules this event breaks all by itself."""
        yield from ()


EVENT_TYPES: dict[str, type[Event]] = {}
"""Every event type, by its CloudEvents type."""

OLDER_VERSIONS: dict[str, tuple[type[Event], Upcast]] = {}
"""Every older version that is still read: the class it becomes, and how."""

E = TypeVar("E", bound=type[Event])


def event_type(name: str) -> Callable[[E], E]:
    """Register a class as the event type ``name``, such as ``agreement.signed.v1``."""

    def register(cls: E) -> E:
        cls.type = name
        cls.short_name = name.removeprefix("agreement.").rpartition(".")[0]
        EVENT_TYPES[name] = cls
        OLDER_VERSIONS.update({older: (cls, upcast) for older, upcast in cls.upcasts.items()})
        return cls

    return register


def lift(name: str, body: Body) -> tuple[type[Event], Body]:
    """Give the class that a type is read as today, with its body. Raises KeyError for an unknown type."""
    cls = EVENT_TYPES.get(name)
    if cls is not None:
        return cls, body
    cls, upcast = OLDER_VERSIONS[name]
    return cls, upcast.change(body)


def read(name: str, body: Body) -> Event:
    """Make the event of a body, lifting an older version first.

    Raises KeyError for an unknown type and msgspec.ValidationError, with its path, for what does not fit.
    """
    cls, body = lift(name, body)
    return msgspec.convert(body, cls, dec_hook=read_custom)


def personal_of(name: str, body: Body) -> tuple[Owned, ...]:
    """Tell where personal values lie in ``data`` of a type, current or older. Raises KeyError for neither."""
    cls = EVENT_TYPES.get(name)
    return OLDER_VERSIONS[name][1].personal if cls is None else cls.personal_at(body)


def ends_before(start: Edtf | None, end: Edtf | None) -> bool:
    """Tell whether an end certainly comes before its start; imprecise dates get the benefit of the doubt."""
    return (
        start is not None
        and end is not None
        and start.earliest is not None
        and end.latest is not None
        and end.latest < start.earliest
    )


def party_of_actor(pointer: str, actor: Actor | None) -> Iterator[tuple[str, str]]:
    """Yield (pointer, id) of the party an actor acted for, if it names one."""
    if actor is not None and actor.on_behalf_of is not None:
        yield f"{pointer}/on_behalf_of", actor.on_behalf_of
