"""Generated files from the command line."""

import json

import pytest

from registry import __version__
from registry.cli.contracts import contracts
from registry.cli.exits import DONE, REFUSED, USAGE
from registry.domain.events import EVENT_TYPES


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "contracts"


def test_every_type_has_a_schema_and_the_api_a_description(registry, folder):
    ran = registry("contracts", "--to", folder)
    many = len(EVENT_TYPES) + 2
    assert (ran.code, ran.out) == (DONE, f"{many} generated files in {folder}: {many} written, 0 removed\n")
    assert {path.name for path in folder.iterdir()} == {f"{name}.schema.json" for name in EVENT_TYPES} | {
        "openapi.json",
        "asyncapi.json",
    }
    assert json.loads((folder / "openapi.json").read_text())["openapi"].startswith("3.1")


def test_what_is_written_is_not_stale(registry, folder):
    registry("contracts", "--to", folder)
    ran = registry("contracts", "--to", folder, "--check")
    assert (ran.code, ran.out.endswith(" generated files, 0 stale\n"), ran.err) == (DONE, True, "")
    assert registry("contracts", "--to", folder).out.endswith(": 0 written, 0 removed\n")


def test_what_changed_is_missing_or_is_generated_no_more_is_stale(registry, folder):
    registry("contracts", "--to", folder)
    changed, missing, gone = (
        folder / name for name in ("openapi.json", "agreement.signed.v1.schema.json", "old.json")
    )
    changed.write_text("{}")
    missing.unlink()
    gone.write_text("{}")
    ran = registry("contracts", "--to", folder, "--check")
    assert ran.code == REFUSED
    assert ran.err.splitlines() == [f"stale: {path}" for path in sorted((changed, missing, gone))]
    assert ran.out.endswith(" 3 stale; run `registry contracts`\n")
    assert not missing.exists()
    assert registry("contracts", "--to", folder).out.endswith(": 2 written, 1 removed\n")
    assert not gone.exists()


def test_the_page_of_all_types_stands_in_the_documentation_beside(registry, folder):
    (folder.parent / "docs").mkdir()
    registry("contracts", "--to", folder)
    assert "agreement.signed.v1" in (folder.parent / "docs" / "events.md").read_text()


def test_a_release_is_kept_beside_and_what_breaks_it_is_told(registry, folder):
    ran = registry("contracts", "--to", folder, "--release")
    many = 2 * (len(EVENT_TYPES) + 2)
    assert ran.out == f"{many} generated files in {folder}: {many} written, 0 removed\n"
    copy = folder / "released" / __version__
    assert registry("contracts", "--to", folder, "--check").code == DONE
    before = json.loads((copy / "openapi.json").read_text())
    before["paths"]["/dropped"] = {}
    (copy / "openapi.json").write_text(json.dumps(before))
    (copy / "dropped.schema.json").write_text("{}")
    ran = registry("contracts", "--to", folder, "--check")
    assert (ran.code, ran.err.splitlines()) == (
        REFUSED,
        ["breaks what was released: /dropped: is gone", "breaks what was released: dropped.schema.json: is gone"],
    )  # fmt: skip
    assert registry("contracts", "--to", folder, "--release").out.endswith(": 1 written, 1 removed\n")
    assert not (copy / "dropped.schema.json").exists()


def test_a_place_where_nothing_can_be_written(registry, tmp_path):
    (tmp_path / "file").touch()
    ran = registry("contracts", "--to", tmp_path / "file" / "contracts")
    assert (ran.code, "cannot write to" in ran.err) == (USAGE, True)


def test_the_contracts_of_the_project_are_up_to_date(registry):
    ran = registry("contracts", "--check")
    assert (ran.code, ran.err) == (DONE, "")


def test_generating_is_repeatable():
    assert contracts() == contracts()
