import json
import math

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.domain.subset import LARGEST_INTEGER, canonical, check_subset
from registry.errors import Invalid

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
names = st.text(st.characters(codec="ascii"), max_size=8)
leaves = st.none() | st.booleans() | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER) | texts
admitted = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


@given(admitted)
@settings(max_examples=500, deadline=None)
def test_the_canonical_form_is_that_of_rfc_8785_on_all_that_is_admitted(value):
    check_subset(value, nulls=True)

    assert canonical(value) == rfc8785.dumps(value)
    assert canonical(json.loads(canonical(value))) == canonical(value)


@pytest.mark.parametrize(
    ("value", "pointer", "reason"),
    [
        (1.5, "", "as a string"),
        ({"a": [1, 2.0]}, "/a/1", "as a string"),
        ({"a": math.nan}, "/a", "as a string"),
        ({"a": 2**53}, "/a", "2^53"),
        ({"a": -(2**53)}, "/a", "2^53"),
        ({"a": {"b": None}}, "/a/b", "says nothing"),
        ({"é": 1}, "/é", "in ASCII"),
        ({"a/b": {1: 2}}, "/a~1b/1", "in ASCII"),
        (["\ud800"], "/0", "lone surrogate"),
        ({"a": b"x"}, "/a", "bytes is no JSON"),
    ],
)
def test_what_the_log_cannot_hold_is_refused_with_its_place(value, pointer, reason):
    with pytest.raises(Invalid) as refused:
        check_subset(value)

    (flaw,) = refused.value.flaws
    assert flaw.pointer == pointer
    assert reason in flaw.detail


def test_every_flaw_is_named_at_once():
    with pytest.raises(Invalid) as refused:
        check_subset({"a": 1.5, "b": [None, "fine", 2**60], "c": True, "d": {"é": 1}})

    assert [flaw.pointer for flaw in refused.value.flaws] == ["/a", "/b/0", "/b/2", "/d/é"]


@pytest.mark.parametrize("name", ["arrays", "unicode"])
def test_the_reference_vectors_in_our_subset_come_out_byte_for_byte(shared, name):
    vectors = shared / "vectors" / "jcs"
    value = json.loads((vectors / f"{name}.input.json").read_text())

    check_subset(value, nulls=True)

    assert canonical(value) == (vectors / f"{name}.output.json").read_bytes()


@pytest.mark.parametrize("name", ["french", "structures", "values", "weird"])
def test_the_reference_vectors_outside_our_subset_are_refused(shared, name):
    value = json.loads((shared / "vectors" / "jcs" / f"{name}.input.json").read_text())

    with pytest.raises(Invalid):
        check_subset(value, nulls=True)
