"""API keys as rows, on both databases."""

import math
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, select, text

from registry.errors import Invalid, NotFound
from registry.store.api_keys import (
    KeyRequest,
    create,
    listed,
    note_used,
    read_live,
    revoke,
    revoke_label,
    shown,
)
from registry.store.key_text import hashed
from registry.store.tables import api_key, principal

TODAY = datetime.now(UTC).date()
DESK = KeyRequest(label="the desk", scopes=("events:write",))


def test_a_key_is_shown_once_and_only_its_hash_is_kept(writing: Engine) -> None:
    id, key = create(writing, DESK)
    with writing.connect() as connection:
        (row,) = connection.execute(select(api_key)).mappings()
        everything = " ".join(str(value) for value in connection.execute(text("SELECT * FROM api_key")).one())
    assert (row["id"], row["hash"]) == (id, hashed(key))
    assert key not in everything
    assert key.rsplit("_", 1)[1] not in everything


def test_a_key_is_listed_with_what_it_may(writing: Engine) -> None:
    id, _ = create(
        writing,
        KeyRequest(
            label="Gazette",
            scopes=("events:write", "agreements:read", "events:write"),
            sources=("https://gazette.example/",),
            parties=("pak", "slv"),
            expires=TODAY + timedelta(days=30),
        ),
    )
    create(writing, DESK)
    (key, other) = listed(writing)
    assert (key.id, key.label, key.scopes) == (id, "Gazette", ("agreements:read", "events:write"))
    assert (key.sources, key.parties) == (("https://gazette.example/",), ("pak", "slv"))
    assert (key.expires, key.revoked, key.last_used) == (TODAY + timedelta(days=30), None, None)
    assert abs(key.created - datetime.now(UTC)) < timedelta(minutes=1)
    assert other.expires is None
    assert shown(writing, id) == key


def test_keys_of_one_label_are_of_one_principal(writing: Engine, reading: Engine) -> None:
    for _ in range(2):
        create(writing, DESK)
    create(writing, KeyRequest(label="another", scopes=("admin",)))
    _, keys = read_live(reading, None)
    assert keys is not None
    assert len({key.principal.id for key in keys}) == 2
    with reading.connect() as connection:
        assert connection.execute(
            select(principal.c.kind, principal.c.label).order_by(principal.c.label)
        ).all() == [
            ("key", "another"),
            ("key", "the desk"),
        ]


def test_a_live_key_says_who_holds_it_and_until_when(writing: Engine, reading: Engine) -> None:
    create(writing, KeyRequest(label="a", scopes=("admin",), sources=("urn:a:",), expires=date(2100, 1, 1)))
    create(writing, DESK)
    stamp, keys = read_live(reading, None)
    assert stamp == (2, 0)
    assert keys is not None
    dated, endless = sorted(keys, key=lambda key: key.ends)
    assert (dated.principal.kind, dated.principal.label, dated.principal.sources) == ("key", "a", ("urn:a:",))
    assert dated.principal.scopes == {"admin"}
    assert dated.ends == datetime(2100, 1, 2, tzinfo=UTC).timestamp()
    assert endless.ends == math.inf


def test_nothing_is_read_again_while_nothing_has_changed(writing: Engine, reading: Engine) -> None:
    id, _ = create(writing, DESK)
    stamp, _ = read_live(reading, None)
    assert read_live(reading, stamp) == (stamp, None)
    create(writing, DESK)
    after, keys = read_live(reading, stamp)
    assert (after, keys and len(keys)) == ((2, 0), 2)
    revoke(writing, id)
    last, keys = read_live(reading, after)
    assert (last, keys and len(keys)) == ((2, 1), 1)


def test_a_revocation_stays_as_it_was(writing: Engine) -> None:
    id, _ = create(writing, DESK)
    first = revoke(writing, id)
    assert first.revoked is not None
    assert revoke(writing, id) == first


def test_all_keys_of_a_label_are_revoked_at_once(writing: Engine) -> None:
    create(writing, DESK)
    create(writing, DESK)
    create(writing, KeyRequest(label="another", scopes=("admin",)))
    revoke_label(writing, DESK.label)
    assert [key.revoked is None for key in listed(writing)].count(True) == 1


def test_a_key_that_is_not_there(writing: Engine) -> None:
    with pytest.raises(NotFound, match="no key"):
        revoke(writing, "0" * 16)
    with pytest.raises(NotFound, match="no key"):
        shown(writing, "0" * 16)


def test_the_day_of_use_is_noted_and_never_goes_back(writing: Engine) -> None:
    id, _ = create(writing, DESK)
    note_used(writing, [id], "2026-11-02")
    note_used(writing, [id], "2026-11-01")
    assert shown(writing, id).last_used == date(2026, 11, 2)


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"label": ""}, "/label"),
        ({"label": "two\nlines"}, "/label"),
        ({"label": "x" * 81}, "/label"),
        ({"scopes": ()}, "/scopes"),
        ({"scopes": ("admin", "everything")}, "/scopes/1"),
        ({"sources": ("not a source",)}, "/sources/0"),
        ({"sources": ("mailto:a@b.example",)}, "/sources/0"),
        ({"parties": ("pak", "SLV")}, "/parties/1"),
        ({"expires": TODAY - timedelta(days=1)}, "/expires"),
    ],
)
def test_what_makes_no_key_is_said_with_its_place(
    wrong: dict[str, object], pointer: str, writing: Engine
) -> None:
    request = KeyRequest(**{"label": "x", "scopes": ("admin",), **wrong})  # type: ignore[arg-type]
    with pytest.raises(Invalid) as refused:
        create(writing, request)
    assert [flaw.pointer for flaw in refused.value.flaws] == [pointer]
    assert listed(writing) == []


@pytest.mark.parametrize("source", ["https://a.example/", "urn:desk:", "https://a.example/x#", "/desk/"])
def test_exact_sources_and_prefixes_are_taken(source: str, writing: Engine) -> None:
    create(writing, KeyRequest(label="x", scopes=("events:write",), sources=(source,)))
