"""Alerts and dashboard: Prometheus understands each expression, and the service exports what they ask for."""

import json
import re
import time
from collections import defaultdict
from collections.abc import Iterator

import httpx
import promql_parser
import pytest

from cli.servers import serving
from deploy.conftest import DEPLOY, ROOT, document
from registry.audit.keys import make_key
from registry.merkle.note import COSIGNATURE

RULES = [
    rule for group in document(DEPLOY / "prometheus" / "rules.yaml")["groups"] for rule in group["rules"]
]
BOARD = json.loads((DEPLOY / "grafana" / "dashboards" / "registry.json").read_text())
ASKED = {f"alert {rule['alert']}": rule["expr"] for rule in RULES} | {
    f"{panel['title']} {target['refId']}": target["expr"]
    for panel in BOARD["panels"]
    for target in panel["targets"]
}
OF_PROMETHEUS = {"up"}
"""Made by Prometheus itself for whatever it scrapes."""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The names of all samples that a service exports, and the labels of each."""
    home = tmp_path_factory.mktemp("metrics")
    witness = make_key(home / "witness.key").verifier_key("witness.example/w1", COSIGNATURE)
    (home / "witnesses").write_text(f"{witness} http://127.0.0.1:9\n")
    settings = {"database": f"sqlite:///{home / 'registry.db'}", "witnesses_file": str(home / "witnesses")}
    with serving("serve", "--port", "0", metrics_open="true", **settings) as server:
        httpx.get(f"{server.url}/events")  # so that there is a request to tell of
        ends = time.monotonic() + 10
        while True:
            samples: dict[str, set[str]] = defaultdict(set)
            for name, labels in named(httpx.get(f"{server.url}/metrics").raise_for_status().text):
                samples[name] |= labels
            if samples["registry_problems_total"] or time.monotonic() > ends:
                return samples


def named(text: str) -> Iterator[tuple[str, set[str]]]:
    """Read names and labels; a family without samples has the names that its type makes."""
    for line in text.splitlines():
        if typed := re.match(r"# TYPE (\w+) (\w+)", line):
            endings = ("_bucket", "_sum", "_count") if typed[2] == "histogram" else ("",)
            yield from ((typed[1] + ending, set()) for ending in endings)
        elif sample := re.match(r"(\w+)(?:\{(.*)\})? ", line):
            yield sample[1], set(re.findall(r'(\w+)="', sample[2] or ""))


def selectors(expression: object) -> Iterator[tuple[str, set[str]]]:
    """Give the metrics that an expression reads, and the labels that it narrows them by."""
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression.name, {matcher.name for matcher in expression.matchers.matchers}
    for part in ("expr", "vector_selector", "lhs", "rhs", "param"):
        inner = getattr(expression, part, None)
        if inner is not None and not isinstance(inner, str | float):
            yield from selectors(inner)
    for argument in getattr(expression, "args", None) or ():
        yield from selectors(argument)


@pytest.mark.parametrize("expression", ASKED.values(), ids=ASKED.keys())
def test_every_metric_that_is_asked_for_is_exported(expression, exported):
    asked = list(selectors(promql_parser.parse(expression)))
    assert asked
    for name, labels in asked:
        if name in OF_PROMETHEUS:
            continue
        assert name in exported
        assert labels - {"job", "instance"} <= exported[name]


@pytest.mark.parametrize("expression", ASKED.values(), ids=ASKED.keys())
def test_every_label_that_is_grouped_by_is_one_of_the_metric(expression, exported):
    grouped = {
        label for labels in re.findall(r"by \(([\w, ]+)\)", expression) for label in labels.split(", ")
    }
    names = {name for name, _ in selectors(promql_parser.parse(expression))} - OF_PROMETHEUS
    assert grouped - {"job", "instance", "le"} <= set().union(*(exported[name] for name in names))


def test_every_alert_says_what_it_means_and_is_explained_in_the_operations_page():
    page = (ROOT / "docs" / "operations.md").read_text()
    for rule in RULES:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]
        assert f"| `{rule['alert']}` |" in page
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


def test_a_panel_stands_beside_the_others_and_asks_the_source_that_is_provisioned():
    (source,) = document(DEPLOY / "grafana" / "provisioning" / "datasources" / "prometheus.yaml")[
        "datasources"
    ]
    places = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        places.add((place["x"], place["y"]))
        for each in (panel, *panel["targets"]):
            assert each["datasource"] == {"type": source["type"], "uid": source["uid"]}
    assert len(places) == len(BOARD["panels"])


def test_what_prometheus_reads_is_where_it_looks():
    config = document(DEPLOY / "prometheus" / "prometheus.yaml")
    assert all((DEPLOY / "prometheus" / name).exists() for name in config["rule_files"])
    assert {job["job_name"] for job in config["scrape_configs"]} == {"registry"}  # which the alerts name
