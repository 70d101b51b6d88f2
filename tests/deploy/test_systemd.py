"""The units: systemd understands them, and leaves the service hardly anything that it could do to the machine."""

import re
import shutil
import subprocess

import pytest

from deploy.conftest import DEPLOY

UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SERVICE = (DEPLOY / "systemd" / "registry.service").read_text()
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_every_line(unit, tmp_path):
    copied = tmp_path / unit.name
    copied.write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", unit.read_text()))
    done = subprocess.run(["systemd-analyze", "verify", copied], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize(("unit", "most"), [("registry", 15), ("registry-migrate", 45)])
def test_systemd_finds_little_to_object_to(unit, most):
    done = subprocess.run(
        [
            "systemd-analyze", "security", "--offline=true", f"--threshold={most}",
            DEPLOY / "systemd" / f"{unit}.service",
        ],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd judges no unit that is not loaded")
    assert done.returncode == 0, done.stdout[-400:]


def test_secrets_come_as_credentials_and_not_in_the_environment():
    for unit in UNITS:
        text = unit.read_text()
        for name, value in re.findall(r"^Environment=(\w+)=(.*)$", text, re.MULTILINE):
            assert value.startswith("%d/"), name
            assert f"LoadCredential={value.removeprefix('%d/')}:" in text


def test_it_is_given_time_to_stop():
    assert "KillSignal=SIGTERM" in SERVICE
    assert int(re.search(r"TimeoutStopSec=(\d+)", SERVICE)[1]) >= 10
