"""The settings in force, from the command line."""

import pytest

from registry.cli.config import meaning
from registry.cli.exits import DONE, USAGE
from registry.config import Settings


def test_every_setting_is_listed_with_what_it_means(registry):
    ran = registry("config")
    assert ran.code == DONE
    for name in Settings.__struct_fields__:
        assert f"REGISTRY_{name.upper()} " in ran.out
        assert meaning(name) in ran.out


def test_no_password_is_shown(registry, monkeypatch):
    monkeypatch.setenv("REGISTRY_DATABASE", "postgresql://registry:s3cret@db/registry")
    for options in ((), ("--json",)):
        ran = registry("config", *options)
        assert "postgresql://registry:***@db/registry" in ran.out
        assert "s3cret" not in ran.out


def test_it_can_be_read_by_a_program(registry, monkeypatch):
    monkeypatch.setenv("REGISTRY_PORT", "9")
    assert registry("config", "--json").json["port"] == 9


@pytest.mark.parametrize(
    ("name", "value"),
    [("REGISTRY_PORT", "ninety"), ("REGISTRY_COLOUR", "red"), ("REGISTRY_AUTH", "maybe")],
)
def test_a_setting_that_does_not_fit_is_named(registry, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    ran = registry("config")
    assert ran.code == USAGE
    assert name in ran.err
