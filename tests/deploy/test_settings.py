"""What the files of a deployment name is there: settings, files, and nothing secret."""

import re

import pytest

from deploy.conftest import DEPLOY, ROOT
from registry.config import PREFIX, Settings, load

NAMED = re.compile(r"\bREGISTRY_[A-Z_]+\b")
SETTINGS = {PREFIX + name.upper() for name in Settings.__struct_fields__}
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file() and "secrets" not in path.parts)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(DEPLOY)))
def test_every_setting_that_is_named_is_one(file):
    assert set(NAMED.findall(file.read_text())) <= SETTINGS


@pytest.mark.parametrize("file", ["registry.env", "migrate.env"])
def test_an_environment_file_makes_a_configuration(file):
    lines = (DEPLOY / "systemd" / file).read_text().splitlines()
    environ = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    assert load(environ).database.startswith("postgresql://")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(DEPLOY)))
def test_no_url_has_a_password_and_no_file_a_key(file):
    text = file.read_text()
    assert not re.search(r"://[^/\s:@]+:[^/\s@]+@", text)
    assert "PRIVATE KEY" not in text
    assert not re.search(r"agr_\w{8}", text)


def test_secrets_of_a_deployment_are_never_committed():
    assert "deploy/secrets/" in (ROOT / ".gitignore").read_text().splitlines()
