"""Events from a file, one a line."""

import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.cli.exits import USAGE, Stop
from registry.cli.lines import Line, batches, numbered, opened


def lines_of(text: bytes, longest: int = 100) -> list[Line]:
    return list(numbered(io.BytesIO(text), longest))


def test_blank_lines_are_skipped_and_counted():
    assert [(line.number, line.raw) for line in lines_of(b"{}\n\n  \r\n\t[]\r\n")] == [(1, b"{}"), (4, b"[]")]


def test_a_last_line_without_a_line_feed_is_a_line():
    assert [line.raw for line in lines_of(b"1\n2")] == [b"1", b"2"]


def test_a_line_ends_at_a_line_feed_only():
    assert len(lines_of("a\u2028b\x0bc\x85d\n".encode())) == 1


def test_a_line_tells_where_it_ends_in_the_file():
    assert [line.end for line in lines_of(b"12\n\n345\n")] == [3, 8]


def test_a_line_of_the_greatest_length_is_whole():
    (line,) = lines_of(b"x" * 100 + b"\n")
    assert not line.too_long
    assert len(line.raw) == 100


def test_a_line_beyond_the_greatest_length_is_marked_and_the_next_one_is_read():
    long, after = lines_of(b"x" * 1000 + b"\nnext\n")
    assert long.too_long
    assert len(long.raw) <= 101
    assert (after.number, after.raw, after.end) == (2, b"next", 1006)


def test_a_last_line_that_is_too_long_and_has_no_end():
    (line,) = lines_of(b"x" * 505)
    assert line.too_long
    assert line.end == 505


@given(st.lists(st.integers(1, 40), max_size=60), st.integers(1, 7), st.integers(10, 100))
def test_batches_keep_every_line_in_order_and_stay_under_both_limits(
    sizes: list[int], most: int, most_bytes: int
):
    lines = [Line(number, b"x" * size, 0) for number, size in enumerate(sizes, 1)]
    made = list(batches(lines, most, most_bytes))
    assert [line for batch in made for line in batch] == lines
    for batch in made:
        assert len(batch) <= most
        body = b"[" + b",".join(line.raw for line in batch) + b"]"
        assert len(body) <= most_bytes or len(batch) == 1
    assert all(before and after for before, after in pairwise(made))


def test_a_file_is_opened_with_its_size(tmp_path):
    file = tmp_path / "events.ndjson"
    file.write_bytes(b"{}\n")
    with opened(str(file)) as (stream, size):
        assert (stream.read(), size) == (b"{}\n", 3)


def test_a_file_that_is_not_there_is_a_wrong_command_line(tmp_path):
    with pytest.raises(Stop, match="No such file") as stopped, opened(str(tmp_path / "none")):
        pass
    assert stopped.value.code == USAGE


def test_a_directory_is_no_file(tmp_path):
    with pytest.raises(Stop, match="directory"), opened(str(tmp_path)):
        pass


def test_a_dash_is_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"{}\n")))
    with opened("-") as (stream, size):
        assert (stream.read(), size) == (b"{}\n", None)
