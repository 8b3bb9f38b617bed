"""Who is asking. A bearer token is believed only when its algorithm, signature, issuer, audience, expiry and
not-before all hold. It says *who*; which unit and which role that is, our own database says."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import httpx2
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from joserfc.jws import CompactSignature
from joserfc.jwt import JWTClaimsRegistry

from shared.errors import Unauthenticated, Unavailable
from shared.tls import trusted

ALGORITHM = "ES256"
LEEWAY_SECONDS = 30
REFETCH_AFTER = 10.0  # an unknown key id asks the issuer again at most this often
KEYS_STALE_AFTER = 600.0  # a key the issuer has withdrawn is dropped within this time
LONGEST_TOKEN = 8192
REMEMBER_SECONDS = 30.0  # a verified token is not verified again for so long: it costs 0.2 ms each time
MOST_REMEMBERED = 4096


class IdentityUnavailable(Unavailable):
    """The issuer does not answer, and nothing it said before settles the matter."""

    code = "identity_unavailable"
    title_vi, title_en = "Dịch vụ đăng nhập tạm thời không phản hồi", "The identity service does not answer"


@dataclass(frozen=True, slots=True)
class Principal:
    """A person or one of our services, as vouched for by the issuer."""

    subject: str
    name: str
    kind: Literal["person", "service"]


class Provider:
    """The issuer's addresses, as its discovery document gives them; read when first needed, then remembered.

    ``backchannel_url`` is where this process reaches the issuer when that differs from the address that
    people's browsers and the ``iss`` claim use, as between containers."""

    def __init__(self, issuer_url: str, backchannel_url: str | None = None) -> None:
        self.issuer_url = issuer_url
        self._base = issuer_url.rstrip("/")
        self._backchannel = (backchannel_url or issuer_url).rstrip("/")
        self._document: dict[str, Any] = {}

    async def endpoint(self, name: str) -> str:
        if not self._document:
            document = await self.call("GET", f"{self._base}/.well-known/openid-configuration")
            if document.get("issuer") != self.issuer_url:
                raise IdentityUnavailable("The discovery document names another issuer.", retry_after=10)
            self._document = document
        url = self._document.get(name)
        if not isinstance(url, str):
            raise IdentityUnavailable(f"The issuer offers no {name}.", retry_after=60)
        return url

    async def call(self, method: str, url: str, **request: Any) -> dict[str, Any]:
        """The issuer's JSON answer. A 4xx is `ProviderRefused`, other trouble `IdentityUnavailable`."""
        if url.startswith(self._base):
            url = self._backchannel + url.removeprefix(self._base)
        try:
            # Calls are minutes apart, so each has its own client and none is left to close. No proxy: keys
            # and tokens come from the issuer itself.
            async with httpx2.AsyncClient(timeout=5.0, trust_env=False, verify=trusted()) as client:
                response = await client.request(method, url, **request)
            body = response.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise IdentityUnavailable(retry_after=5) from error
        if 400 <= response.status_code < 500:
            raise ProviderRefused(str(body.get("error", "")) if isinstance(body, dict) else "")
        if response.status_code != 200 or not isinstance(body, dict):
            raise IdentityUnavailable(retry_after=5)
        return body


class ProviderRefused(Unauthenticated):
    """The issuer answered, and said no (an OAuth error code is in ``detail``)."""


class _UnknownKey(Exception):
    pass


class Verifier:
    def __init__(
        self,
        issuer_url: str,
        audience: str,
        jwks_uri: str | None = None,
        *,
        backchannel_url: str | None = None,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.provider = Provider(issuer_url, backchannel_url)
        self._clock = clock
        self._jwks_uri = jwks_uri
        self._ticks = ticks
        self._keys: dict[str, ECKey] = {}
        self._verified: dict[str, tuple[float, Principal]] = {}
        self._asked_at = float("-inf")
        self._issuer_answered = True
        self._fetching = asyncio.Lock()
        self._claims_rules = JWTClaimsRegistry(
            now=lambda: int(clock()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self.provider.issuer_url},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            nbf={"essential": True},
            sub={"essential": True},
        )

    async def verify(self, token: str) -> Principal:
        """The principal, or `Unauthenticated`; `IdentityUnavailable` when no key can be had to judge by."""
        if len(token) > LONGEST_TOKEN:
            raise Unauthenticated("Mã truy cập không hợp lệ.")
        until, known = self._verified.get(token, (0.0, None))
        if known and self._clock() < until:
            return known
        if not self._keys or self._ticks() - self._asked_at > KEYS_STALE_AFTER:
            await self._fetch_keys(unless_asked_within=1.0)
        if not self._keys:
            raise IdentityUnavailable(retry_after=5)
        try:
            claims = self._decode(token)
        except _UnknownKey:
            await self._fetch_keys(unless_asked_within=REFETCH_AFTER)
            try:
                claims = self._decode(token)
            except _UnknownKey:
                # The key may be one that the issuer has just made and cannot tell us about.
                if not self._issuer_answered:
                    raise IdentityUnavailable(retry_after=5) from None
                raise Unauthenticated("Mã truy cập ký bằng khoá không rõ.") from None
        subject = claims["sub"]
        # RFC 9068: under client credentials the subject is the client itself.
        kind: Literal["person", "service"] = "service" if claims.get("client_id") == subject else "person"
        principal = Principal(subject, str(claims.get("name") or subject), kind)
        if len(self._verified) >= MOST_REMEMBERED:
            self._verified.clear()
        until = min(self._clock() + REMEMBER_SECONDS, claims["exp"] + LEEWAY_SECONDS)
        self._verified[token] = (until, principal)
        return principal

    def _decode(self, token: str) -> dict[str, Any]:
        try:
            claims = jwt.decode(token, self._key_of, algorithms=[ALGORITHM]).claims
            self._claims_rules.validate(claims)
        except (JoseError, ValueError, TypeError, RecursionError) as error:  # the last: a header nested deep
            raise Unauthenticated("Mã truy cập không hợp lệ hoặc đã hết hạn.") from error
        return claims

    def _key_of(self, signed: object) -> ECKey:
        kid = signed.headers().get("kid") if isinstance(signed, CompactSignature) else None
        if not isinstance(kid, str) or kid not in self._keys:
            raise _UnknownKey
        return self._keys[kid]

    async def _fetch_keys(self, *, unless_asked_within: float) -> None:
        """Ask for the key set. What is known stays in use while the issuer is away."""
        async with self._fetching:
            if self._ticks() - self._asked_at < unless_asked_within:
                return
            self._asked_at = self._ticks()
            try:
                jwks_uri = self._jwks_uri or await self.provider.endpoint("jwks_uri")
                keys = _signing_keys(await self.provider.call("GET", jwks_uri))
            except (IdentityUnavailable, ProviderRefused):
                keys = {}
            self._issuer_answered = bool(keys)
            self._keys = keys or self._keys


def _signing_keys(key_set: dict[str, Any]) -> dict[str, ECKey]:
    """The P-256 signing keys by id; keys of another kind are not ours to use and are passed over."""
    keys: dict[str, ECKey] = {}
    entries = key_set.get("keys")
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict) or entry.get("crv") != "P-256" or entry.get("use", "sig") != "sig":
            continue
        try:
            keys[entry["kid"]] = ECKey.import_key({k: v for k, v in entry.items() if k != "d"})
        except (JoseError, KeyError, ValueError, TypeError):
            continue
    return keys


class ServiceTokens:
    """A token of our own for calls between services, renewed a minute before it would lapse."""

    RENEW_BEFORE = 60.0
    RETRY_AFTER = 5.0

    def __init__(
        self,
        issuer_url: str,
        client_id: str,
        client_secret: str,
        *,
        backchannel_url: str | None = None,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._provider = Provider(issuer_url, backchannel_url)
        self._credentials = (client_id, client_secret)
        self._ticks = ticks
        self._token = ""
        self._lapses_at = self._renew_at = float("-inf")
        self._renewing = asyncio.Lock()

    async def header(self) -> dict[str, str]:
        if self._ticks() >= self._renew_at:
            async with self._renewing:
                if self._ticks() >= self._renew_at:
                    await self._renew()
        return {"Authorization": f"Bearer {self._token}"}

    async def _renew(self) -> None:
        asked_at = self._ticks()
        try:
            answer = await self._provider.call(
                "POST",
                await self._provider.endpoint("token_endpoint"),
                data={"grant_type": "client_credentials"},
                auth=self._credentials,
            )
            self._token, lifetime = str(answer["access_token"]), float(answer["expires_in"])
        except (IdentityUnavailable, ProviderRefused, KeyError, ValueError) as error:
            if asked_at >= self._lapses_at:
                raise IdentityUnavailable("Chưa lấy được mã truy cập của dịch vụ.", retry_after=5) from error
            self._renew_at = asked_at + self.RETRY_AFTER
        else:
            self._lapses_at = asked_at + lifetime
            self._renew_at = self._lapses_at - min(self.RENEW_BEFORE, lifetime / 2)
