"""A small OpenID Connect provider that really listens: discovery, code flow with PKCE, keys. For tests."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "bingcheng", "client-secret"


class Provider:
    """Signs in whoever comes, as the person whose `claims` it holds; what it does wrong is set by a test."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "1"})
        self.signing_key, self.algorithm = self.key, "RS256"
        self.claims = {
            "sub": "42",
            "preferred_username": "Li.Na",
            "name": "李娜",
            "hospital": "north",
            "roles": ["arzt"],
        }
        self.changes: dict[str, object] = {}
        self.said_issuer: str | None = None
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[dict[str, str]] = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(path.query).items()}
                if path.path == "/.well-known/openid-configuration":
                    self.answer(provider.metadata())
                elif path.path == "/keys":
                    self.answer({"keys": [provider.key.as_dict(private=False)]})
                elif path.path == "/authorize":
                    provider.asked.append(query)
                    code = f"code-{len(provider.codes)}"
                    provider.codes[code] = query
                    self.send_response(302)
                    self.send_header("location", f"{query['redirect_uri']}?code={code}&state={query['state']}")
                    self.end_headers()
                else:
                    self.send_error(404)

            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                form = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
                self.answer(*provider.token(form, self.headers.get("authorization", "")))

            def answer(self, said: object, status: int = 200) -> None:
                body = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def metadata(self) -> dict[str, object]:
        return {
            "issuer": self.said_issuer or self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }

    def token(self, form: dict[str, str], authorization: str) -> tuple[dict[str, object], int]:
        begun = self.codes.pop(form.get("code", ""), None)
        if begun is None or urlsafe_b64decode(authorization.removeprefix("Basic ")).decode() != f"{CLIENT}:{SECRET}":
            return {"error": "invalid_grant"}, 400
        digest = urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if (begun["code_challenge_method"], begun["code_challenge"]) != ("S256", digest):
            return {"error": "invalid_grant"}, 400
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "exp": int(time.time()) + 300,
            "iat": int(time.time()),
            "nonce": begun["nonce"],
            **self.claims,
            **self.changes,
        }
        signed = jwt.encode({"alg": self.algorithm, "kid": "1"}, claims, self.signing_key, algorithms=[self.algorithm])
        return {"access_token": "a", "token_type": "Bearer", "id_token": signed}, 200

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
