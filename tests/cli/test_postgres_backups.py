"""PostgreSQL's own tools make the backups there; what they put back is held against what was signed, all the same."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from campaigns.postgres_cluster import DATABASE, Cluster
from cli.conftest import Registry
from cli.posts import registered
from cli.servers import serving
from registry.audit.keys import make_key
from registry.cli.exits import DONE

JSON = {"Content-Type": "application/cloudevents+json"}


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    home = Path(tempfile.mkdtemp(prefix="registry-pg-"))
    home.chmod(0o755)
    cluster = Cluster(home, 5503)
    cluster.initialise()
    yield cluster
    cluster.stop()
    shutil.rmtree(home, ignore_errors=True)


def post(settings: dict[str, str], agreement: str) -> int:
    """Post to a service that is started for it."""
    with serving("serve", "--port", "0", **settings) as server:
        return httpx.post(f"{server.url}/events", json=registered(agreement), headers=JSON).status_code


@pytest.mark.postgres
def test_a_dump_that_is_put_back_goes_on_only_if_it_has_everything(
    registry: Registry, cluster: Cluster, tmp_path: Path
):
    make_key(tmp_path / "key")
    settings = {
        "auth": "off",
        "database": cluster.url,
        "log_key_file": str(tmp_path / "key"),
        "checkpoint_file": str(tmp_path / "checkpoint"),
    }
    where = ("-h", str(cluster.home), "-p", str(cluster.port), "-U", "postgres")
    for number, agreement in enumerate(("aaa-bbb-one", "aaa-bbb-two"), 1):
        assert post(settings, agreement) == 201
        cluster.run_tool("pg_dump", *where, "-Fc", "-f", str(cluster.home / f"{number}.dump"), DATABASE)
    for number, taken in ((1, 503), (2, 201)):
        name = f"restored_{number}"
        cluster.run_tool("createdb", *where, name)
        cluster.run_tool("pg_restore", *where, "-d", name, str(cluster.home / f"{number}.dump"))
        url = cluster.url.replace(f"/{DATABASE}?", f"/{name}?")
        assert registry("verify", "--database", url).code == DONE
        assert post(settings | {"database": url}, "aaa-bbb-three") == taken
