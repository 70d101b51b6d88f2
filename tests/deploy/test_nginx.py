"""The proxy: its configuration holds, and it lets through what the service takes."""

import re
import shutil
import subprocess

import pytest

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


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_nginx_takes_it(tmp_path):
    certificate, key, file = tmp_path / "tls.crt", tmp_path / "tls.key", tmp_path / "nginx.conf"
    subprocess.run(
        [*SELF_SIGNED, "-subj", "/CN=registry.test", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    (tmp_path / "mime.types").write_text("types { text/html html; }")
    text = TEXT.replace("/run/secrets/tls_certificate", str(certificate))
    text = text.replace("/run/secrets/tls_key", str(key))
    version = subprocess.run([NGINX, "-v"], check=True, capture_output=True, text=True).stderr
    if tuple(map(int, re.findall(r"\d+", version)[:3])) < (1, 25, 1):
        text = text.replace("http2 on;", "")  # said in the line of `listen` before
    text = re.sub(r"(?:fastcgi|uwsgi|scgi)_temp_path.*", "", text)  # not every build has these
    file.write_text(text)
    done = subprocess.run([NGINX, "-t", "-q", "-c", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


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
