"""The image: how it is built, and what it may do."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from deploy.conftest import DEPLOY, ROOT

TEXT = (DEPLOY / "Dockerfile").read_text()
HADOLINT = Path(sys.executable).parent / "hadolint"
LAST_STAGE = TEXT[TEXT.rindex("\nFROM ") :]


def test_a_linter_finds_nothing():
    done = subprocess.run([HADOLINT, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_every_image_it_stands_on_has_its_version():
    bases = re.findall(r"^FROM (\S+)", TEXT, re.MULTILINE)
    assert len(bases) == 3
    assert all(re.search(r":\d+\.\d+\.\d+", base) for base in bases)
    assert bases[1] == bases[2]  # else what was built for one Python would run on another


def test_it_takes_what_the_lock_file_says_and_nothing_to_develop_with():
    syncs = re.findall(r"uv sync .*", TEXT)
    assert len(syncs) == 2
    assert all("--frozen --no-dev" in sync for sync in syncs)


def test_it_runs_as_nobody_in_particular_and_stops_as_it_is_asked_to():
    assert re.search(r"^USER 10001:10001$", LAST_STAGE, re.MULTILINE)
    assert re.search(r"^STOPSIGNAL SIGTERM$", LAST_STAGE, re.MULTILINE)
    assert re.search(r'^ENTRYPOINT \["registry"\]$', LAST_STAGE, re.MULTILINE)  # no shell swallows the signal
    assert "HEALTHCHECK" in LAST_STAGE


def test_no_secret_is_built_in():
    for line in re.findall(r"^(?:ARG|ENV) (.*(?:\\\n.*)*)", TEXT, re.MULTILINE):
        assert not re.search(r"KEY|PASSWORD|SECRET|TOKEN", line)


def test_the_builder_is_given_what_it_copies_and_nothing_else():
    text = (ROOT / ".dockerignore").read_text().splitlines()
    first, *lines = [line for line in text if not line.startswith("#")]
    assert first == "*"
    given = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied = {
        name
        for line in re.findall(r"^COPY (?!--from)(.+)$", TEXT, re.MULTILINE)
        for name in line.split()[:-1]
    }
    assert copied == given
    assert all((ROOT / name).exists() for name in copied)


def test_everything_that_a_wheel_is_made_of_is_copied():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {Path(name).parts[0] for name in (*wheel["packages"], *wheel["force-include"])}
    needed |= {project["project"]["readme"], *project["project"]["license-files"]}
    for name in needed:
        assert re.search(rf"^COPY .*\b{re.escape(name)}\b", TEXT, re.MULTILINE), name


@pytest.mark.parametrize("address", re.findall(r"http://\S+?(?=['\"])", TEXT))
def test_it_is_looked_after_where_it_listens(address):
    assert address == "http://127.0.0.1:8000/healthz"
    assert "EXPOSE 8000" in LAST_STAGE
