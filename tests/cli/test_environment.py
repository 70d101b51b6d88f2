"""The settings a command works with."""

from argparse import Namespace

import pytest

from registry.cli.environment import api_key, masked, settings_of
from registry.cli.exits import USAGE, Stop


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in ("REGISTRY_DATABASE", "REGISTRY_PORT", "REGISTRY_API_KEY", "REGISTRY_COLOUR"):
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
