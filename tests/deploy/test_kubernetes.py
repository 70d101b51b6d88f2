"""The manifests: valid by the schemas of several versions of Kubernetes, and each pod without rights it does not need."""

import shutil
import subprocess
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deploy.conftest import DEPLOY, document, documents
from registry.cli.listen import GRACE
from registry.cli.workers import PATIENCE
from registry.config import load

BASE = DEPLOY / "kubernetes"
LISTED = document(BASE / "kustomization.yaml")["resources"]
RESOURCES = [resource for name in LISTED for resource in documents(BASE / name)]
EXAMPLES = list(documents(BASE / "secrets.example.yaml"))


def of(kind: str) -> list[dict[str, Any]]:
    return [resource for resource in RESOURCES if resource["kind"] == kind]


DEPLOYMENT = of("Deployment")[0]
JOB = of("Job")[0]
PODS = [DEPLOYMENT["spec"]["template"], JOB["spec"]["template"]]
IDS = ["service", "migrate"]


@pytest.mark.parametrize("version", ["1.32", "1.34"])
def test_every_manifest_is_valid(version):
    for resource in [*RESOURCES, *EXAMPLES]:
        kubernetes_validate.validate(resource, version, strict=True)


def test_every_file_is_listed_or_an_example():
    files = {path.name for path in BASE.glob("*.yaml")}
    assert files == {*LISTED, "kustomization.yaml", "secrets.example.yaml"}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
@pytest.mark.parametrize("folder", [".", "monitoring"])
def test_kustomize_builds_it(folder):
    done = subprocess.run(
        ["kubectl", "kustomize", BASE / folder], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    built = [each for each in yaml.safe_load_all(done.stdout) if each]
    assert {each["metadata"].get("namespace", "registry") for each in built} == {"registry"}
    if folder == ".":
        assert "image: agreement-registry:0.1.0" in done.stdout


@pytest.mark.parametrize("pod", PODS, ids=IDS)
def test_a_pod_has_no_rights_and_cannot_write_to_its_image(pod):
    spec = pod["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    (container,) = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("pod", PODS, ids=IDS)
def test_a_service_of_this_name_changes_no_setting(pod):
    assert pod["spec"]["enableServiceLinks"] is False


@pytest.mark.parametrize("pod", PODS, ids=IDS)
def test_the_settings_of_a_pod_make_a_configuration(pod):
    (container,) = pod["spec"]["containers"]
    maps = {resource["metadata"]["name"]: resource["data"] for resource in of("ConfigMap")}
    environ = {each["name"]: each["value"] for each in container["env"]}
    for source in container["envFrom"]:
        environ |= maps[source["configMapRef"]["name"]]
    settings = load(environ)
    mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
    for path in (settings.database_password_file, settings.log_key_file, settings.checkpoint_file):
        assert not path or any(path.startswith(f"{mount}/") for mount in mounts)


@pytest.mark.parametrize("pod", PODS, ids=IDS)
def test_secrets_are_files_that_others_cannot_read_and_all_are_explained(pod):
    explained = {example["metadata"]["name"]: example["stringData"] for example in EXAMPLES}
    for volume in pod["spec"]["volumes"]:
        if secret := volume.get("secret"):
            assert explained[secret["secretName"]]
            if secret["secretName"] != "registry-database-ca":
                assert secret["defaultMode"] == 0o440
    assert not any("valueFrom" in each for each in pod["spec"]["containers"][0]["env"])


def test_examples_of_secrets_hold_nothing():
    for example in EXAMPLES:
        assert set(example["stringData"].values()) == {""}


def test_probes_ask_what_they_mean():
    (container,) = DEPLOYMENT["spec"]["template"]["spec"]["containers"]
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["startupProbe"]["httpGet"]["path"] == "/healthz"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_a_pod_is_given_time_to_stop():
    settings = of("ConfigMap")[0]["data"]
    drain = int(settings["REGISTRY_DRAIN_SECONDS"])
    grace = DEPLOYMENT["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace >= drain + max(GRACE, PATIENCE) + 5


def test_an_upgrade_takes_no_replica_away_before_another_is_ready():
    assert DEPLOYMENT["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert of("HorizontalPodAutoscaler")[0]["spec"]["minReplicas"] >= 2
    assert "replicas" not in DEPLOYMENT["spec"]  # else each apply would undo what the autoscaler decided


@pytest.mark.parametrize("kind", ["PodDisruptionBudget", "Service", "NetworkPolicy"])
def test_what_selects_pods_selects_those_of_the_service(kind):
    selector = of(kind)[0]["spec"].get("selector") or of(kind)[0]["spec"]["podSelector"]
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    assert (selector.get("matchLabels") or selector).items() <= labels.items()
