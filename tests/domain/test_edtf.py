import copy
import pickle
from calendar import monthrange
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.domain.edtf import DATE_PATTERN, UNBOUNDED, Edtf, meets, parse

RANGES = [
    ("2025-07-16", "2025-07-16", "2025-07-16"),
    ("2025-07", "2025-07-01", "2025-07-31"),
    ("2025", "2025-01-01", "2025-12-31"),
    ("2024-02", "2024-02-01", "2024-02-29"),
    ("1900-02", "1900-02-01", "1900-02-28"),
    ("2025-07-1X", "2025-07-10", "2025-07-19"),
    ("2025-07-0X", "2025-07-01", "2025-07-09"),
    ("2025-07-3X", "2025-07-30", "2025-07-31"),
    ("2025-06-3X", "2025-06-30", "2025-06-30"),
    ("2025-02-2X", "2025-02-20", "2025-02-28"),
    ("2024-02-2X", "2024-02-20", "2024-02-29"),
    ("2025-07-XX", "2025-07-01", "2025-07-31"),
    ("2025-0X", "2025-01-01", "2025-09-30"),
    ("2025-1X", "2025-10-01", "2025-12-31"),
    ("2025-1X-XX", "2025-10-01", "2025-12-31"),
    ("2025-XX", "2025-01-01", "2025-12-31"),
    ("2025-XX-XX", "2025-01-01", "2025-12-31"),
    ("202X", "2020-01-01", "2029-12-31"),
    ("20XX", "2000-01-01", "2099-12-31"),
    ("00XX", "0001-01-01", "0099-12-31"),
    ("99XX", "9900-01-01", "9999-12-31"),
    ("0001", "0001-01-01", "0001-12-31"),
    ("2025-07-16/2025-07-20", "2025-07-16", "2025-07-20"),
    ("2025-07/2025-07-16", "2025-07-01", "2025-07-16"),
    ("2025-07-16/2025", "2025-07-16", "2025-12-31"),
    ("2025-07/2025-07", "2025-07-01", "2025-07-31"),
    ("20XX/202X", "2000-01-01", "2029-12-31"),
]

OPEN = [
    ("../2025-07-16", None, "2025-07-16"),
    ("/2025-07-16", None, "2025-07-16"),
    ("2025-07-16/..", "2025-07-16", None),
    ("2025-07-16/", "2025-07-16", None),
    ("../2025-07", None, "2025-07-31"),
    ("20XX/..", "2000-01-01", None),
]

REFUSED = [
    "",
    " ",
    "2025-07-16 ",
    "2025-07-16\n",
    "2025-7-16",
    "25",
    "12025",
    "-2025",
    "+2025",
    "Y12025",
    "2025-07-16T10:00:00",
    "2025-07-16Z",
    "2025/07/16",
    "16.07.2025",
    "today",
    "unknown",
    "\uff12\uff10\uff12\uff15",
    "2025-21",
    "2025-2X",
    "2025-XX-16",
    "2025-1X-01",
    "2025-1X-1X",
    "202X-07",
    "20XX-XX",
    "2XXX",
    "XXXX",
    "2X25",
    "2025-X1",
    "2025-07-X1",
    "2025-07-4X",
    "2025-02-3X",
    "2025-13",
    "2025-00",
    "2025-02-29",
    "1900-02-29",
    "2025-04-31",
    "2025-07-32",
    "2025-07-00",
    "0000",
    "0000-01-01",
    "~2025",
    "2025~~",
    "2025~?",
    "2025~-07",
    "..",
    "/",
    "../",
    "/..",
    "../..",
    "2025/2026/2027",
    "2025//2026",
    "2026/2025",
    "2025-07-17/2025-07-16",
    "2025-08/2025-07",
    "2025 / 2026",
    "[2025,2026]",
]


def day(text):
    return None if text is None else date.fromisoformat(text)


@pytest.mark.parametrize(("text", "earliest", "latest"), RANGES + OPEN)
def test_a_date_means_every_day_from_its_earliest_to_its_latest(text, earliest, latest):
    read = parse(text)

    assert (read.earliest, read.latest) == (day(earliest), day(latest))
    assert str(read) == read.text == text
    assert read.qualifier == ""


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_outside_the_subset_or_names_no_day_is_refused_with_a_reason(text):
    with pytest.raises(ValueError, match=r"\w{3}"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2025-02-30", "a day that does not exist"),
        ("2025-13", "a month that does not exist"),
        ("0000-05", "no year 0000"),
        ("2026/2025", "ends before it starts"),
        ("../..", "at least one end"),
        ("2025-XX-16", "leaves a digit open and gives a later one"),
        ("yesterday", "not a date of the kinds"),
    ],
)
def test_the_reason_says_what_is_wrong(text, reason):
    with pytest.raises(ValueError, match=reason):
        parse(text)


@pytest.mark.parametrize(
    ("text", "qualifier"),
    [
        ("2025~", "~"),
        ("2025-07?", "?"),
        ("2025-07-16%", "%"),
        ("20XX~", "~"),
        ("2025~/2026", "~"),
        ("2025/2026?", "?"),
        ("2025~/2026~", "~"),
        ("2025~/2026?", "%"),
        ("2025%/2026?", "%"),
        ("../2026?", "?"),
        ("2025?/..", "?"),
    ],
)
def test_a_qualifier_is_kept_and_does_not_widen_the_range(text, qualifier):
    plain = text.translate({ord(sign): None for sign in "~?%"})

    assert parse(text).qualifier == qualifier
    assert (parse(text).earliest, parse(text).latest) == (parse(plain).earliest, parse(plain).latest)


def test_dates_are_equal_when_they_were_posted_with_the_same_text():
    assert parse("2025-07") == parse("2025-07")
    assert parse("2025-07") != parse("2025-07-XX")
    assert parse("2025-07") != "2025-07"
    assert len({parse("2025-07"), parse("2025-07"), parse("2025-07-XX")}) == 2


def test_a_date_never_changes():
    read = parse("2025-07")

    with pytest.raises(AttributeError):
        read.text = "2026"
    with pytest.raises(AttributeError):
        del read.latest
    assert repr(read) == "Edtf('2025-07')"


def test_a_date_survives_a_copy_and_a_pickle():
    read = parse("2025-07~")

    assert copy.deepcopy(read) == read
    assert pickle.loads(pickle.dumps(read)).latest == read.latest


def test_the_width_counts_the_days_after_the_first_and_an_open_end_is_the_widest():
    assert parse("2025-07-16").width == 0
    assert parse("2025-07").width == 30
    assert parse("0001/9999").width < UNBOUNDED == parse("../2025").width == parse("2025/").width
    assert parse("2025-07-16").precise
    assert parse("2025-06-3X").precise
    assert not parse("2025-07").precise


@pytest.mark.parametrize(
    ("a", "b", "together"),
    [
        ("2025-07-16", "2025-07", True),
        ("2025-07-16", "2025-08", False),
        ("2025-07", "2025-07-31/2025-08-02", True),
        ("../2025-07-16", "2025-07-16/..", True),
        ("../2025-07-15", "2025-07-16/..", False),
        ("../2025", "../1900", True),
        ("2025/..", "1900/..", True),
        ("2025/..", "../1900", False),
    ],
)
def test_ranges_meet_when_they_share_a_day(a, b, together):
    assert meets(parse(a), parse(b)) is together
    assert meets(parse(b), parse(a)) is together


days = st.dates(min_value=date(1, 1, 1))


@given(days, st.integers(0, 3))
@settings(max_examples=200, deadline=None)
def test_leaving_digits_open_never_loses_the_day_that_was_meant(known, kept):
    year, month, of_month = f"{known:%Y}".zfill(4), f"{known:%m}", f"{known:%d}"
    texts = (f"{year[:2]}XX", f"{year[:3]}X", f"{year}-XX", f"{year}-{month}-{of_month[0]}X")

    read = parse(texts[kept])

    assert read.earliest <= known <= read.latest


@given(days)
@settings(max_examples=200, deadline=None)
def test_a_month_ends_on_its_last_day(known):
    read = parse(f"{known.year:04}-{known.month:02}")

    assert read.latest.day == monthrange(known.year, known.month)[1]
    assert read.earliest == known.replace(day=1)


@given(days, st.integers(0, 5000))
@settings(max_examples=200, deadline=None)
def test_an_interval_runs_from_its_first_day_to_its_last(first, length):
    last = first + timedelta(days=min(length, (date.max - first).days))
    read = parse(f"{first.isoformat()}/{last.isoformat()}")

    assert (read.earliest, read.latest, read.width) == (first, last, (last - first).days)
    if first < last:
        with pytest.raises(ValueError, match="ends before"):
            parse(f"{last.isoformat()}/{first.isoformat()}")


alphabet = st.text("0123456789X-/.~?%", max_size=24)


@given(st.one_of(alphabet, st.sampled_from([text for text, *_ in RANGES + OPEN]).map(lambda text: text[:-1])))
@settings(max_examples=500, deadline=None)
def test_any_text_is_either_refused_or_kept_with_a_sensible_range(text):
    try:
        read = parse(text)
    except ValueError:
        return
    assert isinstance(read, Edtf)
    assert read.text == text
    assert read.earliest is not None or read.latest is not None
    if read.earliest and read.latest:
        assert read.earliest <= read.latest


@given(alphabet)
@settings(max_examples=500, deadline=None)
def test_the_pattern_of_the_schema_lets_every_date_through(text):
    import re

    try:
        parse(text)
    except ValueError:
        return
    assert re.search(DATE_PATTERN, text)


@pytest.mark.parametrize("text", [text for text, *_ in RANGES + OPEN] + ["2025~/2026%", "2025?"])
def test_the_pattern_of_the_schema_knows_every_kind(text):
    import re

    assert re.search(DATE_PATTERN, text)
