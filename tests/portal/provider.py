"""An OpenID provider on this machine, over real HTTP: it signs who a test says, rightly or in any wrong way."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa


class Provider:
    """One provider with one client; ``claims`` and ``header`` change what it signs, ``answers`` what it answers at a path."""

    def __init__(self, client: str, secret: str, *, methods: tuple[str, ...] = ("client_secret_basic",)) -> None:
        self.client, self.secret, self.methods = client, secret, methods
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.kid = "k1"
        self.codes: dict[str, dict[str, str]] = {}
        self.claims: dict[str, Any] = {}
        self.signing: dict[str, Any] = {}
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []
        self.now = 0.0
        self.sub = ""
        """Who is at the provider's own page and agrees there at once, where a real browser comes by."""
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked.append(self.path)
                self._send(*provider.give(self.path))

            def do_POST(self) -> None:
                provider.asked.append(self.path)
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                self._send(*provider.token(self.path, body, self.headers.get("authorization", "")))

            def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in {"content-type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def give(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Return the configuration or the keys."""
        if path in self.answers:
            return self.answers[path]
        if path.startswith("/authorize?"):
            back = self.agree(self.issuer + path, self.sub)
            return 302, {"location": f"{self.codes[back['code']]['redirect_uri']}?{urlencode(back)}"}, b""
        if path == "/.well-known/openid-configuration":
            found: dict[str, Any] = {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "token_endpoint_auth_methods_supported": self.methods,
            }
        else:
            plain = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
            found = {"keys": [{"kty": "oct", "k": "AAAA", "kid": "hmac"}, {**plain, "kid": self.kid, "use": "sig"}]}
        return 200, {}, json.dumps(found).encode()

    def agree(self, address: str, sub: str) -> dict[str, str]:
        """Return what a browser brings back after its person agreed to sign in as ``sub``."""
        asked = {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}
        assert address.startswith(f"{self.issuer}/authorize?")
        assert (asked["response_type"], asked["client_id"]) == ("code", self.client)
        assert asked["code_challenge_method"] == "S256"
        code = hashlib.sha256(address.encode()).hexdigest()
        self.codes[code] = {**asked, "sub": sub}
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def token(self, path: str, body: str, authorization: str) -> tuple[int, dict[str, str], bytes]:
        """Return the ID token for a code, to the client that can prove itself and knows the verifier."""
        if path in self.answers:
            return self.answers[path]
        sent = {key: values[0] for key, values in parse_qs(body).items()}
        noted = self.codes.pop(sent["code"], None)
        if self.methods == ("client_secret_basic",):
            pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
            name, _, secret = (unquote(each) for each in pair.partition(":"))
        else:
            name, secret = sent["client_id"], sent.get("client_secret", "")
        digest = base64.urlsafe_b64encode(hashlib.sha256(sent["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if (
            noted is None
            or (name, secret) != (self.client, self.secret)
            or digest != noted["code_challenge"]
            or sent["redirect_uri"] != noted["redirect_uri"]
        ):
            return 400, {}, b'{"error": "invalid_grant"}'
        claims = {
            "iss": self.issuer, "sub": noted["sub"], "aud": self.client, "nonce": noted["nonce"],
            "iat": int(self.now), "exp": int(self.now) + 300, "name": "Name of " + noted["sub"],
        }  # fmt: skip
        claims = {key: value for key, value in {**claims, **self.claims}.items() if value is not None}
        how: dict[str, Any] = {"key": self.key, "algorithm": "RS256", "headers": {"kid": self.kid}, **self.signing}
        signed = jwt.encode(claims, **how)
        return 200, {}, json.dumps({"access_token": "x", "token_type": "Bearer", "id_token": signed}).encode()
