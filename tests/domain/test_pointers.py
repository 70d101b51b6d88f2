import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.domain.pointers import expand, leaves, pointer, put, tokens_of, value_at

names = st.text("ab/~01*", max_size=4)
documents = st.recursive(
    st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


def test_a_place_is_written_as_rfc_6901_says():
    assert pointer(()) == ""
    assert pointer(("signatures", 0, "party")) == "/signatures/0/party"
    assert pointer(("a/b", "m~n", "")) == "/a~1b/m~0n/"


@given(documents)
@settings(max_examples=200, deadline=None)
def test_the_pointer_of_every_leaf_leads_back_to_it(document):
    for at, leaf in leaves(document):
        assert tokens_of(pointer(at), document) == at
        assert value_at(document, at) == leaf


@pytest.mark.parametrize("text", ["/c", "/a/2", "/a/x", "/a/0/y"])
def test_a_pointer_to_nothing_is_an_error(text):
    with pytest.raises((KeyError, IndexError, ValueError, TypeError)):
        tokens_of(text, {"a": [1, 2]})


def test_a_value_is_put_where_the_place_says():
    document = {"a": [{"b": 1}]}

    put(document, ("a", 0, "b"), 2)

    assert document == {"a": [{"b": 2}]}


def test_a_path_names_every_place_that_fits_it():
    document = {"list": [{"x": 1}, {"y": 2}, {"x": 3}], "x": 4}

    assert list(expand(document, "list/*/x")) == [(("list", 0, "x"), 1), (("list", 2, "x"), 3)]
    assert list(expand(document, "x", at=("outer",))) == [(("outer", "x"), 4)]
    assert list(expand(document, "")) == [((), document)]
    assert list(expand(document, "missing/*/x")) == []
