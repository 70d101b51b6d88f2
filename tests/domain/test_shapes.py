from typing import Annotated

import msgspec
import pytest

from registry.domain.events import EngagementHeld, Registered, RoleHeld, Signature, Signed
from registry.domain.shapes import allowed_at, description_of, field_at, fields_of, owner_of, structs_of
from registry.domain.values import Actor, Party, Person, Place


def test_a_field_is_found_by_its_place():
    assert field_at(RoleHeld, ("title",)).required
    assert not field_at(RoleHeld, ("from",)).required
    assert field_at(Signed, ("signatures", 1, "actor", "person", "name")).encode_name == "name"
    assert field_at(Signed, ("signatures", 1)).encode_name == "signatures"


@pytest.mark.parametrize(
    "tokens", [(), ("colour",), ("signatures", 0, "colour"), ("occurred", "year"), ("title", "en")]
)
def test_where_there_is_no_field_none_is_found(tokens):
    assert field_at(Signed, tokens) is None


def test_the_words_that_may_stand_at_a_place_are_listed():
    assert allowed_at(Registered, ("legal_character",)) == ("binding", "non-binding")
    assert "SUHH" in allowed_at(Registered, ("parties", 0, "country"))
    assert allowed_at(Registered, ("subjects",)) == ()
    assert allowed_at(Registered, ("colour",)) == ()


def test_a_field_belongs_to_the_struct_that_has_it():
    assert owner_of(Signed, ["signatures", "*", "capacity"]) is Signature
    assert owner_of(Signed, ["signatures", "*", "actor", "person", "name"]) is Person
    assert owner_of(Signed, ["occurred"]) is Signed
    for nothing in (["colour"], ["colour", "name"], ["occurred", "year"]):
        with pytest.raises(LookupError, match="Signed has nothing at"):
            owner_of(Signed, nothing)


def test_a_class_is_made_of_its_structs():
    assert {Actor, Person, Place} <= set(structs_of(EngagementHeld).values())
    assert structs_of(Registered)["Party"] is Party
    assert structs_of(Registered)["Registered"] is Registered


def test_a_field_says_what_it_is_whether_or_not_it_may_be_left_out():
    class Drawn(msgspec.Struct):
        plain: str
        said: Annotated[str, msgspec.Meta(description="Said")]
        optional: Annotated[str, msgspec.Meta(description="Said too")] | None = None

    assert [description_of(field) for field in fields_of(Drawn)] == ["", "Said", "Said too"]
