import pytest

from registry.verifier import strict


@pytest.mark.parametrize(
    "raw", [b"{}", b'{"a":1,"b":[true,null,"\xc3\xa9"]}', b'"\\u0001\\n\\"\\\\/"', b"-9007199254740991"]
)
def test_canonical_json_is_read(raw: bytes):
    strict.canonical(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{} ",
        b"{}\n",
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a": 1}',
        b"1.0",
        b"1e3",
        b"NaN",
        b"-0",
        b"01",
        b"9007199254740992",
        b"1" * 5000,
        b'"\\u0041"',
        b'"\\/"',
        b'"\\ud800"',
        b"\xef\xbb\xbf{}",
        b"\xff",
        b"[" * 65 + b"]" * 65,
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=range(21),
)
def test_any_other_spelling_is_refused(raw: bytes):
    with pytest.raises(ValueError):
        strict.canonical(raw)


def test_brackets_in_strings_do_not_count_as_levels():
    strict.canonical(b'["' + b"[" * 100 + b'\\"' + b"{" * 100 + b'"]')
    strict.canonical(b"[" + b",".join([b"[]"] * 100) + b"]")


@pytest.mark.parametrize("value", [None, [], {"a": 1}, {"a": 1, "b": 2, "c": 3}])
def test_an_object_has_exactly_its_members(value):
    with pytest.raises(ValueError):
        strict.members(value, "a", "b")


def test_members_are_given_in_the_order_asked_for():
    assert strict.members({"a": 1, "b": 2}, "b", "a") == (2, 1)


@pytest.mark.parametrize("value", [-1, True, "1", 1.0, None])
def test_a_number_is_an_integer_from_0(value):
    with pytest.raises(ValueError):
        strict.number(value)


@pytest.mark.parametrize("value", [None, 7, "YQ", "YQ==\n", "YR==", " YQ=="])
def test_base64_has_one_spelling(value):
    with pytest.raises(ValueError):
        strict.base64(value)


@pytest.mark.parametrize("value", [None, ["YQ=="], ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] * 65])
def test_a_proof_is_at_most_64_hashes(value):
    with pytest.raises(ValueError):
        strict.hashes(value)
    with pytest.raises(ValueError, match="32 bytes"):
        strict.root("YQ==")
