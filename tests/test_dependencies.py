"""What the service runs on: locked, installed as locked, and under licences that it may be given away with."""

import importlib.metadata
import json
import re
import runpy
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKED = {package["name"]: package for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
ITSELF = "agreement-registry"
LIBRARIES = {"psycopg", "psycopg-binary"}
"""Under the LGPL, and used as a library that anybody can replace."""
AUDIT = runpy.run_path(str(ROOT / ".ci" / "audit.py"))


def runtime() -> Iterator[str]:
    """Every package that is installed without the groups for development."""
    waiting, seen = [{"name": ITSELF}], set()
    while waiting:
        asked = waiting.pop()
        wanted = {(asked["name"], extra) for extra in ("", *asked.get("extra", ()))} - seen
        seen |= wanted
        package = LOCKED[asked["name"]]
        for _, extra in wanted:
            needed = package.get("optional-dependencies", {}).get(extra, ()) if extra else None
            waiting += package.get("dependencies", ()) if needed is None else needed
    yield from sorted({name for name, _ in seen} - {ITSELF})


INSTALLED = {
    each.metadata["Name"].lower().replace("_", "-"): each for each in importlib.metadata.distributions()
}
RUNTIME = [name for name in runtime() if name in INSTALLED]


def licence(name: str) -> str:
    """What a package says of its licence."""
    metadata = INSTALLED[name].metadata
    stated = [metadata.get("License-Expression", ""), (metadata.get("License") or "")[:200]]
    classified = [each for each in metadata.get_all("Classifier") or () if each.startswith("License ::")]
    return "\n".join((*filter(None, stated), *classified))


def test_there_is_something_to_look_at():
    assert {"litestar", "sqlalchemy", "psycopg", "cryptography"} < set(RUNTIME)
    assert len(RUNTIME) > 30


@pytest.mark.parametrize("name", RUNTIME)
def test_a_package_may_be_given_away_with_the_service(name):
    said = licence(name)
    assert said
    if name in LIBRARIES:
        assert "LGPL" in said or "Lesser General Public License" in said
    else:
        assert not re.search(r"GPL|General Public License|Affero|SSPL|BUSL|Commons Clause", said)


def test_every_package_of_the_lock_file_has_a_hash():
    for name in runtime():
        package = LOCKED[name]
        assert package["source"] == {"registry": "https://pypi.org/simple"}
        for file in (*package.get("wheels", ()), *filter(None, [package.get("sdist")])):
            assert file["hash"].startswith("sha256:")


def test_what_is_installed_is_what_is_locked():
    for name in RUNTIME:
        assert INSTALLED[name].version == LOCKED[name]["version"]


def test_an_audit_without_an_answer_says_so_and_succeeds(capsys):
    assert AUDIT["report"]([]) == 0
    assert AUDIT["report"]([{"name": "a", "skip_reason": "not found"}]) == 0
    assert capsys.readouterr().out == f"{AUDIT['UNKNOWN']}\n" * 2


def test_a_known_vulnerability_is_named_and_fails(capsys):
    flaw = {"id": "CVE-2099-1", "fix_versions": ["1.1"]}
    known = [{"name": "a", "version": "1.0", "vulns": [flaw]}, {"name": "b", "version": "2", "vulns": []}]
    assert AUDIT["report"](known) == 1
    assert "a 1.0: CVE-2099-1, fixed in 1.1\n" in capsys.readouterr().out


def test_a_program_that_says_nothing_is_no_answer(monkeypatch):
    monkeypatch.setattr(AUDIT["subprocess"], "run", lambda *_, **__: None)
    assert AUDIT["asked"]("a==1.0\n") == []


def test_what_was_answered_is_read(monkeypatch):
    found = [{"name": "a", "version": "1.0", "vulns": []}]

    def answer(command: list[str], **_: object) -> None:
        Path(command[-1]).write_text(json.dumps({"dependencies": found}))

    monkeypatch.setattr(AUDIT["subprocess"], "run", answer)
    assert AUDIT["asked"]("a==1.0\n") == found
