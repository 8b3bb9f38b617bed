"""The issuer's signing key and the tokens it makes: ES256, named by `kid`, with every claim that a verifier
enforces."""

import json
import os
import secrets
import time
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

AUDIENCE = "bhxh-portal"
PERSON_TOKEN_SECONDS = 8 * 3600
SERVICE_TOKEN_SECONDS = 600
ID_TOKEN_SECONDS = 300


def signing_key(folder: Path) -> ECKey:
    """The key of this data folder, made on first run and readable by its owner alone."""
    file = folder / "signing-key.json"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
        draft = folder / f".signing-key.{os.getpid()}"
        # Owner-only from the first byte on, and never half a key under the final name.
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            json.dump(key.as_dict(private=True), handle)
        draft.replace(file)
    file.chmod(0o600)
    return ECKey.import_key(json.loads(file.read_text()))


class Mint:
    def __init__(self, issuer_url: str, key: ECKey) -> None:
        self._issuer_url = issuer_url
        self._key = key

    def jwks(self) -> dict[str, Any]:
        return {"keys": [self._key.as_dict(private=False)]}

    def access_token(self, subject: str, name: str, client_id: str, lifetime: int) -> str:
        claims = {"sub": subject, "name": name, "aud": AUDIENCE, "client_id": client_id}
        return self._sign("at+jwt", claims, lifetime)

    def id_token(self, subject: str, name: str, client_id: str, nonce: str | None) -> str:
        claims = {"sub": subject, "name": name, "aud": client_id}
        return self._sign("JWT", claims | ({"nonce": nonce} if nonce else {}), ID_TOKEN_SECONDS)

    def _sign(self, kind: str, claims: dict[str, Any], lifetime: int) -> str:
        now = int(time.time())
        header = {"alg": "ES256", "kid": self._key.kid, "typ": kind}
        stamp = {"iss": self._issuer_url, "iat": now, "nbf": now, "exp": now + lifetime}
        return jwt.encode(header, {**claims, **stamp, "jti": secrets.token_urlsafe(16)}, self._key)
