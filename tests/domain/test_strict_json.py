import json
import math
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from registry.domain.strict_json import MAX_DEPTH, MAX_FLAWS, MAX_INTEGER, MAX_VALUES, decode, values
from registry.errors import Malformed


def flaws_of(raw: bytes) -> dict[str, str]:
    with pytest.raises(Malformed) as caught:
        decode(raw)
    return {flaw.pointer: flaw.detail for flaw in caught.value.flaws}


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        "",
        None,
        True,
        0,
        MAX_INTEGER,
        -MAX_INTEGER,
        {"a": {"b": ["é", "😀", "\\u0000", "\t"]}},
        [[[]], [{}]],
        {"": {"": 1}},
    ],
)
def test_what_is_plain_json_is_read_as_it_is(value: Any):
    assert decode(json.dumps(value).encode()) == value
    assert decode(json.dumps(value, ensure_ascii=False, indent=2).encode()) == value


def test_the_order_of_members_is_kept():
    assert list(decode(b'{"b":1,"a":2}')) == ["b", "a"]


@pytest.mark.parametrize("text", ["1.0", "1e3", "-0.5", "1E400", "0e0"])
def test_a_number_with_a_fraction_or_an_exponent_is_refused_with_its_place(text: str):
    assert "fraction" in flaws_of(f'{{"data":{{"list":[1,{text}]}}}}'.encode())["/data/list/1"]


@pytest.mark.parametrize("text", ["9007199254740992", "-9007199254740992", "1" * 400, "1" * 5000])
def test_an_integer_beyond_what_every_reader_holds_exactly_is_refused(text: str):
    assert "2^53" in flaws_of(f'{{"a":{text}}}'.encode())["/a"]


def test_minus_zero_is_refused():
    assert list(flaws_of(b'{"a":[-0]}')) == ["/a/0"]


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_what_javascript_calls_a_number_and_json_does_not_is_refused(text: str):
    assert text in flaws_of(f'{{"a":{text}}}'.encode())["/a"]


def test_a_repeated_name_is_refused_with_its_place():
    assert flaws_of(b'{"a":1,"b":{"c":1,"d":0,"c":2}}') == {"/b/c": "is there twice"}


def test_a_name_repeated_by_way_of_an_escape_is_refused():
    assert list(flaws_of(rb'{"a":1,"\u0061":1}')) == ["/a"]


def test_every_flaw_is_told_in_the_order_of_the_text():
    raw = rb'[{"a":1.5,"a":1.5},{"x":NaN,"y":["\u0000",-0]}]'
    assert list(flaws_of(raw)) == ["/0/a", "/1/x", "/1/y/0", "/1/y/1"]


def test_a_flaw_inside_an_object_with_repeated_names_is_told_as_well():
    assert list(flaws_of(b'{"a":{"b":1.5},"c":1,"c":2}')) == ["/c", "/a/b"]


def test_a_million_flaws_are_not_all_told():
    assert len(flaws_of(b"[" + b",".join([b"1.5"] * 10_000) + b"]")) == MAX_FLAWS


@pytest.mark.parametrize("value", [b"1", b" 1.5", b"[]"])
def test_a_text_has_so_many_values_and_no_more(value: bytes):
    many = b"[" + b",".join([value] * (MAX_VALUES + 1)) + b"]"
    assert flaws_of(many + b" ") == {"": "has more than 100000 values"}
    fitting = b"[" + b",".join([b"1"] * MAX_VALUES) + b"]"
    assert values(fitting) == MAX_VALUES
    assert len(decode(fitting)) == MAX_VALUES


def test_a_long_text_of_few_values_is_fine():
    assert decode(b'"' + b"x" * MAX_VALUES + b'"') == "x" * MAX_VALUES


def test_a_pointer_does_not_repeat_a_name_of_megabytes():
    (pointer,) = flaws_of(b'{"' + b"k" * 1_000_000 + b'":1.5}')
    assert len(pointer) < 200


def test_names_in_pointers_are_escaped():
    assert list(flaws_of(b'{"a/b~c":1.5}')) == ["/a~1b~0c"]


@pytest.mark.parametrize("escape", [r"\u0000", r"\ud800", r"\uDFFF", r"\udc00\ud800", r"\ud800x"])
def test_nul_and_lone_surrogates_are_refused_in_values_and_in_names(escape: str):
    assert list(flaws_of(f'{{"a":["x{escape}y"]}}'.encode())) == ["/a/0"]
    (pointer,) = flaws_of(f'{{"b":{{"x{escape}y":1}}}}'.encode())
    assert pointer.startswith("/b/x\ufffd")
    pointer.encode()


def test_an_escaped_backslash_before_what_looks_like_an_escape_is_fine():
    assert decode(rb'["\\u0000","\\ud800"]') == [r"\u0000", r"\ud800"]


def test_a_pair_of_surrogates_is_one_character():
    assert decode(rb'"\ud83d\ude00"') == "😀"


@pytest.mark.parametrize(
    "raw",
    [b'"\xff"', b'"\xc0\xa0"', b'"\xed\xa0\x80"', b'{"a":"\xe2\x82"}', b'"\xf5\x80\x80\x80"'],
    ids=["no UTF-8", "overlong", "surrogate", "cut short", "beyond Unicode"],
)
def test_what_is_not_utf8_is_refused(raw: bytes):
    assert "UTF-8" in flaws_of(raw)[""]


def test_a_byte_order_mark_is_refused():
    assert "byte order mark" in flaws_of(b"\xef\xbb\xbf{}")[""]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"{",
        b'{"a"}',
        b'{"a":1,}',
        b"[1,]",
        b"{'a':1}",
        b"{a:1}",
        b"01",
        b"+1",
        b"-",
        b".5",
        b"nul",
        b"True",
        b"{} {}",
        b"[]x",
        b"// no\n{}",
        b'"\x00"',
        b"\x00",
        b'"\n"',
        b'"\\x"',
        b'"\\u12"',
        b'"open',
        b"\xc2\xa0{}",
        b"[1\xe2\x80\xa8]",
        "[\uff11]".encode(),
        "{}".encode("utf-16"),
    ],
)
def test_what_is_not_json_is_refused(raw: bytes):
    assert list(flaws_of(raw)) == [""]


def test_a_syntax_error_says_line_and_column():
    assert "line 2, column 7" in flaws_of(b'{\n  "a" 1}')[""]


def test_a_syntax_error_behind_a_flaw_is_told_as_what_it_is():
    assert list(flaws_of(b'{"a":1.5,')) == [""]


@pytest.mark.parametrize(("opening", "closing", "step"), [(b"[", b"]", "/0"), (b'{"a":', b"}", "/a")])
def test_thirty_two_levels_pass_and_one_more_is_refused_with_its_place(opening, closing, step):
    decode(opening * MAX_DEPTH + b"1" + closing * MAX_DEPTH)
    assert flaws_of(opening * (MAX_DEPTH + 1) + b"1" + closing * (MAX_DEPTH + 1)) == {
        step * MAX_DEPTH: "is nested more than 32 levels deep"
    }


@pytest.mark.parametrize(
    "raw", [b"[" * 200_000, b'{"a":' * 200_000, b"[" * 5000 + b"]" * 5000, b"[1.5," + b"[" * 9999]
)
def test_nesting_that_would_exhaust_the_stack_is_refused(raw: bytes):
    assert flaws_of(raw)


def test_many_shallow_objects_are_not_deep():
    assert len(decode(b"[" + b",".join([b'{"a":{}}'] * 1000) + b"]")) == 1000
    assert decode(b'"' + b"{" * 100 + b'"') == "{" * 100


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**55), 2**55)
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


def is_plain(value: Any) -> bool:
    """The slow reference: the same rules, said about the value."""
    if isinstance(value, float):
        return False
    if isinstance(value, int):
        return abs(value) < 2**53
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, list):
        return all(map(is_plain, value))
    if isinstance(value, dict):
        return all(map(is_plain, value)) and all(map(is_plain, value.values()))
    return True


@given(value=json_values, escaped=st.booleans(), indent=st.sampled_from([None, 1]))
@example(value=math.nan, escaped=False, indent=None)
def test_exactly_the_values_of_the_subset_are_read(value: Any, escaped: bool, indent: int | None):
    text = json.dumps(value, ensure_ascii=escaped, indent=indent)
    raw = text.encode("utf-8", "surrogatepass")
    if is_plain(json.loads(text)):
        assert decode(raw) == json.loads(text)
    else:
        flaws_of(raw)


@settings(max_examples=300)
@given(st.lists(st.sampled_from([*'{}[]":,\\u0d8e1-. ', "true", "null", '"a"', '"a":']), max_size=24))
def test_no_text_gives_anything_but_a_value_or_malformed(tokens: list[str]):
    raw = "".join(tokens).encode()
    try:
        value = decode(raw)
    except Malformed as error:
        assert error.flaws  # noqa: PT017  # either outcome is fine, a third one is not
    else:
        assert is_plain(value)
        assert json.loads(raw) == value


@settings(max_examples=300)
@given(st.binary(max_size=24))
def test_no_bytes_give_anything_but_a_value_or_malformed(raw: bytes):
    try:
        value = decode(raw)
    except Malformed as error:
        assert all(flaw.detail for flaw in error.flaws)  # noqa: PT017
    else:
        assert is_plain(value)
