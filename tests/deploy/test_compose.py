"""The composition on one machine: valid, with secrets as files, and every service without rights it does not need."""

import json
import re
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft7Validator

from deploy.conftest import DEPLOY, ROOT, document

FILE = DEPLOY / "compose.yaml"
COMPOSE = document(FILE)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def test_it_is_valid_by_the_compose_specification():
    schemas = files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((schemas / "compose-spec.json").read_text())
    assert [error.message for error in Draft7Validator(schema).iter_errors(COMPOSE)] == []


def test_every_image_has_its_version():
    for service in SERVICES.values():
        assert re.search(r":v?\d+\.\d+", service["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_gain_no_rights(name):
    service = SERVICES[name]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    if name != "database":  # it begins as root, and gives its files to the user that it then runs as
        assert service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", ["migrate", "registry", "proxy", "prometheus"])
def test_a_service_cannot_write_to_its_own_image(name):
    assert SERVICES[name]["read_only"] is True


def test_secrets_are_files_and_each_is_given_to_who_needs_it():
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", ())}
    assert used == set(COMPOSE["secrets"])
    assert all(secret["file"].startswith("secrets/") for secret in COMPOSE["secrets"].values())
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|KEY", name):
                assert str(value).removeprefix("/run/secrets/") in service["secrets"]
    assert "database_owner_password" not in SERVICES["registry"]["secrets"]
    assert "log_key" not in SERVICES["migrate"]["secrets"]


def test_the_service_starts_after_its_migrations_and_twice():
    registry = SERVICES["registry"]
    assert registry["deploy"]["replicas"] == 2
    assert registry["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert SERVICES["migrate"]["environment"]["REGISTRY_SERVICE_ROLE"] == "registry"


def test_it_is_given_time_to_stop():
    assert SERVICES["registry"]["stop_grace_period"] == "15s"
    assert SERVICES["registry"]["environment"]["REGISTRY_DRAIN_SECONDS"] <= 3


def test_nothing_but_the_proxy_is_reached_from_outside():
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"proxy", "grafana"}
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["grafana"]["ports"])
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert SERVICES["database"]["networks"] == SERVICES["registry"]["networks"] == ["inside"]


def test_the_proxy_is_believed_where_it_is():
    subnets = [each["subnet"] for each in COMPOSE["networks"]["inside"]["ipam"]["config"]]
    assert subnets == [SERVICES["registry"]["environment"]["REGISTRY_TRUSTED_PROXIES"]]


def test_every_file_that_is_mounted_is_there():
    mounted = [
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", ())
        if volume.startswith(".")
    ]
    assert len(mounted) >= 6
    assert all((FILE.parent / path).exists() for path in mounted)
    build = SERVICES["registry"]["build"]
    assert (FILE.parent / build["context"] / build["dockerfile"]).resolve() == ROOT / "deploy" / "Dockerfile"
