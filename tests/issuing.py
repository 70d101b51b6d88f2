"""An issuer of tokens on this machine, as an identity provider is one."""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

AUDIENCE = "https://registry.test/"
DISCOVERY = "/.well-known/openid-configuration"
RSA_KEY = rsa.generate_private_key(65537, 2048)
OTHER_RSA_KEY = rsa.generate_private_key(65537, 2048)
WEAK_RSA_KEY = rsa.generate_private_key(65537, 1024)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def jwk(key: Any, **members: Any) -> dict[str, Any]:
    """The public half of a key, as a key set has it."""
    algorithm: Any = {
        rsa.RSAPrivateKey: RSAAlgorithm,
        ec.EllipticCurvePrivateKey: ECAlgorithm,
        ed25519.Ed25519PrivateKey: OKPAlgorithm,
    }
    kind = next(algorithm[type_] for type_ in algorithm if isinstance(key, type_))
    return {**kind.to_jwk(key.public_key(), as_dict=True), **members}


class Issuing:
    """The issuer: what it answers, and how often it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[str] = []
        self.keys: Any = [
            jwk(RSA_KEY, kid="rsa", use="sig"),
            jwk(EC_KEY, kid="ec"),
            jwk(ED_KEY, kid="ed"),
        ]
        self.documents: dict[str, Any] = {}
        """What it answers instead, by path: bytes, a status, or a place to go to."""

    def document(self, path: str) -> Any:
        self.asked.append(path)
        if path in self.documents:
            return self.documents[path]
        if path == DISCOVERY:
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        return {"keys": self.keys} if path == "/keys" else 404

    def token(
        self,
        key: Any = RSA_KEY,
        algorithm: str = "RS256",
        headers: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A token as the issuer makes it; a claim that is None is left out."""
        now = int(time.time())
        every = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "somebody",
            "iat": now,
            "exp": now + 300,
            "scope": "openid events:read agreements:read",
            **claims,
        }
        said = {name: value for name, value in every.items() if value is not None}
        kid = {RSA_KEY: "rsa", EC_KEY: "ec", ED_KEY: "ed"}.get(key, "rsa")
        return jwt.encode(said, key, algorithm=algorithm, headers={"kid": kid, **(headers or {})})


def unsigned(token: str, **header: Any) -> str:
    """The same claims under another header, without a signature."""
    encoded = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": "rsa", **header}).encode())
    return f"{encoded.decode().rstrip('=')}.{token.split('.')[1]}."


@contextmanager
def issuing() -> Iterator[Issuing]:
    """Serve an issuer on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = issuer.document(self.path)
            if isinstance(answer, int):
                self.send_response(answer)
                self.send_header("Location", f"{issuer.url}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    issuer = Issuing(f"http://127.0.0.1:{server.server_address[1]}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
