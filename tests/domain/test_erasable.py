"""What may be erased: what nothing depends on any more."""

import pytest

from registry.domain.amending import check_erasure
from registry.errors import Rejected

A = "https://a.example/"


@pytest.fixture
def refused(log):
    def check(rule, target, *parts):
        with pytest.raises(Rejected) as caught:
            check_erasure(log.state, target.identity, parts)
        assert caught.value.rule == rule

    return check


@pytest.fixture
def body():
    return {"end": "2030", "auto_renew": False}


def test_parts_of_persons_may_always_be_erased(log, body):
    term = log.post("term-set", **body)
    assert check_erasure(log.state, term.identity, [1, 2]) == term


def test_what_is_not_here_cannot_be_erased(log):
    with pytest.raises(Rejected) as caught:
        check_erasure(log.state, (A, "nowhere"), [1])
    assert caught.value.rule == "target-unknown"


def test_retractions_and_tombstones_are_never_erased(log, refused, body):
    retraction = log.retract(log.post("term-set", **body))
    refused("target-never", retraction, 1)


def test_part_0_of_what_counts_is_not_erased(log, refused, body):
    refused("erasure-of-what-counts", log.events[0], 0)
    refused("erasure-of-what-counts", log.post("term-set", **body), 0)


def test_part_0_of_what_was_corrected_or_retracted_may_be_erased(log, body):
    term = log.post("term-set", **body)
    correction = log.correct(term, **body)
    check_erasure(log.state, term.identity, [0])
    log.retract(correction)
    check_erasure(log.state, correction.identity, [0])
    log.retract(term)
    check_erasure(log.state, term.identity, [0])


def test_part_0_of_a_correction_in_a_chain_stays_as_it_says_what_is_corrected(log, refused, body):
    first = log.correct(log.post("term-set", **body), **body)
    last = log.correct(first, **body)
    refused("erasure-of-what-counts", first, 0)
    refused("erasure-of-what-counts", last, 0)


def test_an_event_whose_part_0_is_gone_may_still_be_corrected(log, body):
    term = log.post("term-set", **body)
    correction = log.correct(term, **body)
    log.record(
        log.make(
            "personal-data-erased",
            target={"source": term.source, "id": term.id},
            parts=[0],
            legal_basis="GDPR 17(1)(b)",
        )
    )
    log.retract(correction)
    log.correct(term, end="2031", auto_renew=False)
    assert log.view().term.end == "2031"
