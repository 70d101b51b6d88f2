"""The settings a command works with."""

from argparse import Namespace

import pytest

from registry.cli.environment import api_key, masked, settings_of
from registry.cli.exits import USAGE, Stop
from registry.store.database import parse_url


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in (
        "REGISTRY_DATABASE",
        "REGISTRY_PORT",
        "REGISTRY_API_KEY",
        "REGISTRY_COLOUR",
        "REGISTRY_DATABASE_PASSWORD_FILE",
    ):
        monkeypatch.delenv(name, raising=False)


def test_an_option_stands_above_the_environment(monkeypatch):
    monkeypatch.setenv("REGISTRY_DATABASE", "sqlite:///environment.db")
    assert settings_of(Namespace(database=None)).database == "sqlite:///environment.db"
    assert settings_of(Namespace(database="sqlite:///option.db")).database == "sqlite:///option.db"
    assert settings_of(Namespace(), port=9).port == 9


def test_the_key_of_a_client_is_no_setting_of_the_server(monkeypatch):
    monkeypatch.setenv("REGISTRY_API_KEY", "secret")
    assert settings_of(Namespace()).port == 8000
    assert api_key() == "secret"


def test_an_empty_key_is_none(monkeypatch):
    monkeypatch.setenv("REGISTRY_API_KEY", "")
    assert api_key() is None


def test_an_unknown_setting_ends_the_command(monkeypatch):
    monkeypatch.setenv("REGISTRY_COLOUR", "red")
    with pytest.raises(Stop, match="REGISTRY_COLOUR") as stopped:
        settings_of(Namespace())
    assert stopped.value.code == USAGE


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:///registry.db", "sqlite:///registry.db"),
        ("sqlite:////srv/a@b:c/registry.db", "sqlite:////srv/a@b:c/registry.db"),
        ("postgresql://user:s3cret@db:5432/r", "postgresql://user:***@db:5432/r"),
        ("postgresql+psycopg://user:a/b:c@db/r", "postgresql+psycopg://user:***@db/r"),
        ("postgresql://user@db/r", "postgresql://user@db/r"),
        (
            "postgresql://db/r?user=u&password=s3cret&sslmode=require",
            "postgresql://db/r?user=u&password=***&sslmode=require",
        ),
        ("postgresql://db/r?sslpassword=s3cret", "postgresql://db/r?sslpassword=***"),
    ],
)
def test_no_password_is_shown(url, shown):
    assert masked(url) == shown


@pytest.mark.parametrize("url", ["postgresql://service@db/registry", "postgresql://service:old@db/registry"])
def test_the_password_of_the_database_may_stand_in_a_file(monkeypatch, tmp_path, url):
    file = tmp_path / "password"
    file.write_text("s3cret/@:%\n")
    monkeypatch.setenv("REGISTRY_DATABASE", url)
    monkeypatch.setenv("REGISTRY_DATABASE_PASSWORD_FILE", str(file))
    assert settings_of(Namespace()).database == "postgresql://service:s3cret%2F%40%3A%25@db/registry"
    assert parse_url(settings_of(Namespace()).database).password == "s3cret/@:%"
    assert "s3cret" not in masked(settings_of(Namespace()).database)


def test_several_hosts_keep_their_places_beside_a_password(monkeypatch, tmp_path):
    file = tmp_path / "password"
    file.write_text("word")
    monkeypatch.setenv("REGISTRY_DATABASE", "postgresql://service@/registry?host=db1,db2&port=5432,5432")
    monkeypatch.setenv("REGISTRY_DATABASE_PASSWORD_FILE", str(file))
    assert settings_of(Namespace()).database == (
        "postgresql://service:word@/registry?host=db1,db2&port=5432,5432"
    )


@pytest.mark.parametrize(
    ("url", "content", "said"),
    [
        ("postgresql://db/registry", b"s3cret", "names its user"),
        ("postgresql://service@db/registry", b"", "no password"),
        ("postgresql://service@db/registry", b"s3cret\nmore", "no password"),
        ("postgresql://service@db/registry", b"s3cret\xff", "not UTF-8"),
        ("postgresql://service@db/registry", None, "No such file"),
    ],
)
def test_a_password_that_cannot_be_used_is_said_and_not_shown(monkeypatch, tmp_path, url, content, said):
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("REGISTRY_DATABASE", url)
    monkeypatch.setenv("REGISTRY_DATABASE_PASSWORD_FILE", str(file))
    with pytest.raises(Stop, match=said) as stopped:
        settings_of(Namespace())
    assert "s3cret" not in str(stopped.value)


def test_sqlite_has_no_password(monkeypatch):
    monkeypatch.setenv("REGISTRY_DATABASE_PASSWORD_FILE", "/nowhere")
    assert settings_of(Namespace()).database == "sqlite:///registry.db"
