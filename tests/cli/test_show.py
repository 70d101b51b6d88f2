"""An agreement on the command line."""

import re

import pytest

from registry.cli.demo import AGREEMENT
from registry.cli.exits import DONE, REFUSED, USAGE

RECORDED = r" \(recorded [0-9]{4}-[0-9]{2}-[0-9]{2}\)"

REASON = (
    "It takes effect on signature, and both parties have signed, the later of which counts from 2025-07-16."
)


def test_the_story_on_a_screenful(registry, told_url):
    ran = registry("show", AGREEMENT, "--valid-as-of", "2025-07-20", "--database", told_url)
    assert (ran.code, ran.err) == (DONE, "")
    assert ran.out.splitlines()[:5] == [
        "Cooperation between Pakistan and El Salvador on digital assets",
        f"{AGREEMENT}, version 71, on 2025-07-20",
        "",
        "In effect since 2025-07-16",
        f"{REASON} [positions 33, 32]",
    ]
    for line in (
        "Parties       Pakistan (pak) and El Salvador (slv)",
        "Instrument    loi, non-binding, entry into force on-signature",
        "Prospective   Mining of cryptocurrencies, Exchanges for digital assets",
        "On record     8 statements, 22 facts, 2 publications",
        "  2025-07-16     signed for El Salvador in San Salvador: Nayib Bukele, President",
        "  no date        engagement expected: Series of engagements",
        "Disputed: area.digital-identity.state",
        "Possibly one and the same: meeting-in-san-salvador and meeting-of-delegations",
    ):
        assert f"\n{line}\n" in re.sub(RECORDED, "", ran.out)
    assert len(re.findall(RECORDED, ran.out)) == 6  # every line of the timeline says when it was learned


@pytest.mark.parametrize(
    ("options", "status"),
    [
        (("--valid-as-of", "2025-07-15"), "Registered"),
        (("--valid-as-of", "2025-07-16"), "In effect since 2025-07-16"),
        (("--known-as-of", "29"), "Registered"),
        (("--known-as-of", "33"), "In effect since 2025-07-16"),
        (("--known-as-of", "9999-01-01T00:00:00Z"), "In effect since 2025-07-16"),
        (("--known-as-of", "9999-01-01t00:00:00.5+02:00"), "In effect since 2025-07-16"),
    ],
)
def test_it_is_shown_on_any_day_as_known_at_any_time(registry, told_url, options, status):
    assert registry("show", AGREEMENT, "--database", told_url, *options).out.splitlines()[3] == status


@pytest.mark.parametrize("then", ["0", "1970-01-01T00:00:00Z"])
def test_before_its_first_event_there_is_no_agreement(registry, told_url, then):
    ran = registry("show", AGREEMENT, "--database", told_url, "--known-as-of", then)
    assert (ran.code, ran.err) == (REFUSED, f"registry: there is no agreement {AGREEMENT!r} as of {then}\n")


def test_an_agreement_that_nobody_registered(registry, told_url):
    ran = registry("show", "nowhere", "--database", told_url)
    assert (ran.code, ran.err) == (REFUSED, "registry: there is no agreement 'nowhere'\n")


def test_what_can_be_no_id_is_not_looked_for(registry, told_url):
    ran = registry("show", "No Id", "--database", told_url)
    assert (ran.code, "is no agreement id" in ran.err) == (REFUSED, True)


@pytest.mark.parametrize("day", ["2025-02-30", "16.7.2025", "today"])
def test_a_day_is_one_of_the_calendar(registry, told_url, day):
    ran = registry("show", AGREEMENT, "--database", told_url, "--valid-as-of", day)
    assert (ran.code, "is no day such as" in ran.err) == (USAGE, True)


@pytest.mark.parametrize(
    "then", ["yesterday", "-1", "2025-07-16T12:00:00", "2025-07-16", "0000-01-01T00:00:00Z"]
)
def test_a_time_has_an_offset(registry, told_url, then):
    ran = registry("show", AGREEMENT, "--database", told_url, f"--known-as-of={then}")
    assert (ran.code, "is neither a position nor a time" in ran.err) == (USAGE, True)


def test_every_rule_that_was_tried_can_be_shown(registry, told_url):
    table = registry("show", AGREEMENT, "--database", told_url, "--explain").out.partition("\nrule ")[2]
    last = table.splitlines()[-1]
    assert last.startswith("in-force    yes    it takes effect on signature")
    assert last.endswith("  33, 32")


def test_everything_that_is_known_as_json(registry, told_url):
    shown = registry("show", AGREEMENT, "--database", told_url, "--json").json
    assert (shown["status"], shown["version"], "rules" in shown) == ("in-force", 71, False)
    explained = registry("show", AGREEMENT, "--database", told_url, "--json", "--explain").json
    assert explained.pop("rules")[-1]["code"] == "in-force"
    assert explained == shown


def test_visibility_is_always_todays(registry, told_url, file_of):
    from registry.cli.demo import AGREEMENT as SUBJECT

    changed = {
        "specversion": "1.0",
        "id": "hidden",
        "source": "https://openvoicenews.example/",
        "type": "agreement.visibility-changed.v1",
        "subject": SUBJECT,
        "data": {"visibility": "restricted", "reason": "under embargo"},
    }
    assert registry("append", file_of([changed]), "--database", told_url).code == DONE
    assert (
        "\nVisibility    restricted\n"
        in registry("show", SUBJECT, "--known-as-of", "71", "--database", told_url).out
    )


def test_a_person_gets_long_lines_folded(registry, told_url, monkeypatch):
    monkeypatch.setattr("registry.cli.console.on_terminal", lambda _: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    shown = registry("show", AGREEMENT, "--database", told_url).out
    assert max(map(len, shown.splitlines())) <= 80
    assert f"\n{' ' * len('Institutions  ')}" in shown


def test_a_fault_of_ours_is_not_blamed_on_a_server(registry, told_url, monkeypatch):
    monkeypatch.setattr("registry.cli.portrait.aspects", lambda view: iter([view["no such field"]]))
    with pytest.raises(KeyError):
        registry("show", AGREEMENT, "--database", told_url)
