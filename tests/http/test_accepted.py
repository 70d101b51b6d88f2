"""Choosing between forms by what a client likes."""

import pytest
from litestar import Request

from registry.http.accepted import best_form

FORMS = ("application/json", "text/csv", "application/x-ndjson")


def best(*accepts: str) -> str | None:
    headers = [(b"accept", accept.encode("latin-1")) for accept in accepts]
    return best_form(Request({"type": "http", "headers": headers}), FORMS)  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "application/json"),
        (" , ", "application/json"),
        ("*/*", "application/json"),
        ("TEXT/CSV", "text/csv"),
        ("text/*", "text/csv"),
        ("text/csv;header=present", "text/csv"),
        ("text/csv, application/json", "text/csv"),
        ("*/*, text/csv", "text/csv"),
        ("text/csv;q=0.5, application/json;q=0.9", "application/json"),
        ("text/csv ; header=present ; Q=0.333333, */*;q=0.3", "text/csv"),
        ("text/csv;q=0.1, text/*, application/*;q=0.2", "application/json"),
        ("application/json;q=0, application/*", "application/x-ndjson"),
        ("application/json;q=0, text/csv;q=0, */*;q=0.001", "application/x-ndjson"),
    ],
)
def test_the_most_exact_range_decides_the_weight_of_a_form(accept: str, form: str) -> None:
    assert best(accept) == form


@pytest.mark.parametrize(
    "accept", ["text/csv;q=0", "*/*;q=0", "image/*", "a", "/", ";;;", "text/csv;q=0.000"]
)
def test_what_weighs_nothing_is_not_wanted(accept: str) -> None:
    assert best(accept) is None


@pytest.mark.parametrize("weight", ["inf", "nan", "1e999", "-1", "2", "x", ""])
def test_what_is_no_weight_weighs_one(weight: str) -> None:
    assert best(f"application/json;q=0.9, text/csv;q={weight}") == "text/csv"


def test_several_headers_are_one() -> None:
    assert best("application/json;q=0.5", "text/csv") == "text/csv"
