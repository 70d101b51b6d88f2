"""The proxy: its configuration holds, and it lets through what the service takes."""

import getpass
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from cli.servers import serving
from deploy.conftest import DEPLOY
from registry.api.streams import HEARTBEAT
from registry.config import Settings
from registry.http.freshness import MAX_WAIT

TEXT = (DEPLOY / "nginx" / "nginx.conf").read_text()
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
SELF_SIGNED = [
    "openssl",
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
]


@pytest.fixture
def adapted(tmp_path: Path) -> Path:
    """The configuration with a certificate and paths of its own, for the nginx that is installed."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    subprocess.run(
        [*SELF_SIGNED, "-subj", "/CN=localhost", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    (tmp_path / "mime.types").write_text("types { text/html html; }")
    text = TEXT.replace("/tmp/", f"{tmp_path}/").replace("/run/secrets/tls_certificate", str(certificate))
    text = text.replace("/run/secrets/tls_key", str(key))
    version = subprocess.run([NGINX, "-v"], check=True, capture_output=True, text=True).stderr
    if tuple(map(int, re.findall(r"\d+", version)[:3])) < (1, 25, 1):
        text = text.replace("http2 on;", "")  # said in the line of `listen` before
    text = re.sub(r"(?:fastcgi|uwsgi|scgi)_temp_path.*", "", text)  # not every build has these
    file = tmp_path / "nginx.conf"
    file.write_text(text)
    return file


def test_nginx_takes_it(adapted: Path):
    done = subprocess.run([NGINX, "-t", "-q", "-c", adapted], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextmanager
def proxying(file: Path, url: str) -> Iterator[tuple[str, str]]:
    """Run nginx in front of a service; gives its plain and its encrypted URL."""
    plain, encrypted = free_port(), free_port()
    text = file.read_text().replace("listen 8080", f"listen 127.0.0.1:{plain}")
    text = text.replace("listen 8443", f"listen 127.0.0.1:{encrypted}").replace("http://registry:8000", url)
    file.write_text(f"user {getpass.getuser()};\n{text}")
    with subprocess.Popen(
        [NGINX, "-c", file, "-g", "daemon off;"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as nginx:
        try:
            ends = time.monotonic() + 10
            while time.monotonic() < ends:
                with suppress(OSError), socket.create_connection(("127.0.0.1", encrypted), 1):
                    break
            yield f"http://127.0.0.1:{plain}", f"https://127.0.0.1:{encrypted}"
        finally:
            nginx.terminate()


def test_it_serves_what_is_encrypted_and_keeps_the_rest_to_itself(adapted: Path, tmp_path: Path):
    settings = {"database": f"sqlite:///{tmp_path / 'registry.db'}", "auth": "off"}
    with (
        serving("serve", "--port", "0", **settings) as server,
        proxying(adapted, server.url) as (plain, encrypted),
        httpx.Client(verify=False) as client,
    ):
        ready = client.get(f"{encrypted}/healthz")
        assert ready.json() == {"status": "ok"}
        assert ready.headers["Strict-Transport-Security"].startswith("max-age=31536000")
        assert client.get(f"{encrypted}/metrics").status_code == 404
        assert client.get(f"{plain}/").headers["Location"].startswith("https://")
        assert client.post(f"{plain}/events", json={}).status_code == 403
        assert client.get(f"{plain}/agreements").status_code == 403
        headers = {"Content-Type": "application/cloudevents-batch+json"}
        large = b"[" + b" " * (Settings().max_batch_bytes - 2) + b"]"
        assert client.post(f"{encrypted}/events", content=large, headers=headers).status_code == 200
        assert client.post(f"{encrypted}/events", content=large + b" ", headers=headers).status_code == 413
        live = {"Accept": "text/event-stream"}
        with client.stream("GET", f"{encrypted}/events", headers=live) as stream:
            assert stream.status_code == 200
            assert next(stream.iter_raw())  # passed on at once, and not gathered


def seconds(directive: str) -> int:
    return int(re.search(rf"^\s*{directive} (\d+)s;", TEXT, re.MULTILINE)[1])


def test_the_largest_batch_goes_through():
    megabytes = int(re.search(r"client_max_body_size (\d+)m;", TEXT)[1])
    assert megabytes * 1024 * 1024 == Settings().max_batch_bytes


def test_neither_a_live_stream_nor_a_read_that_waits_is_cut_off():
    assert seconds("proxy_read_timeout") > 2 * HEARTBEAT
    assert seconds("proxy_read_timeout") > MAX_WAIT
    assert "proxy_max_temp_file_size 0;" in TEXT


def test_what_is_not_safe_twice_is_not_tried_twice():
    for directive, place in re.findall(r"location (= /events|/) \{([^}]*proxy_pass[^}]*)\}", TEXT):
        assert ("non_idempotent" in place) == (directive == "= /events")


def test_the_service_learns_who_asks_and_how():
    for header in ("Host $host", "X-Forwarded-Proto $scheme", "X-Forwarded-For $remote_addr"):
        assert f"proxy_set_header {header};" in TEXT  # set, and not added to what a client says itself


def test_no_query_string_is_logged_and_no_metrics_leave():
    assert not re.search(
        r"\$(?:request|request_uri|args|query_string|http_referer|http_authorization)\b", TEXT
    )
    assert re.search(r"location = /metrics \{\s*return 404;", TEXT)


def test_only_what_is_encrypted_is_served():
    assert "Strict-Transport-Security" in TEXT
    assert "ssl_protocols TLSv1.2 TLSv1.3;" in TEXT
    plain = TEXT[TEXT.index("listen 8080") : TEXT.index("listen 8443")]
    assert "proxy_pass" not in plain
