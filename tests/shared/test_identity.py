"""Each way in which a token can be wrong, and each way in which the issuer can be away."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from shared.errors import Unauthenticated
from shared.web.identity import IdentityUnavailable, Principal, ServiceTokens, Verifier

ISSUER = "http://127.0.0.1:1"  # nothing listens there: what is fetched goes through `FakeIssuer`
AUDIENCE = "bhxh-portal"
KEY = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
OTHER = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)


class FakeIssuer:
    def __init__(self) -> None:
        self.keys = [KEY.as_dict(private=False)]
        self.away = False
        self.asked: list[str] = []
        self.lifetime = 600

    async def call(self, method: str, url: str, **request: Any) -> dict[str, Any]:
        self.asked.append(url.removeprefix(ISSUER))
        if self.away:
            raise IdentityUnavailable
        answers: dict[str, dict[str, Any]] = {
            "/.well-known/openid-configuration": {
                "issuer": ISSUER,
                "jwks_uri": f"{ISSUER}/jwks.json",
                "token_endpoint": f"{ISSUER}/token",
            },
            "/jwks.json": {"keys": self.keys},
            "/token": {"access_token": f"token-{self.asked.count('/token')}", "expires_in": self.lifetime},
        }
        return answers[self.asked[-1]]


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeIssuer]:
    fake = FakeIssuer()
    monkeypatch.setattr("shared.web.identity.Provider.call", lambda _, *args, **kw: fake.call(*args, **kw))
    yield fake


class Ticks:
    now = 1000.0

    def __call__(self) -> float:
        return self.now

    def shift(self, seconds: float) -> None:
        self.now += seconds


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "u-ha", "name": "Trần Thu Hà", "nbf": now, "iat": now}
    return {name: value for name, value in {**good, "exp": now + 600, **changes}.items() if value is not None}


def token(key: ECKey = KEY, **changes: Any) -> str:
    return jwt.encode({"alg": "ES256", "kid": key.kid}, claims(**changes), key)


async def test_a_right_token_names_the_person(fake: FakeIssuer) -> None:
    assert await Verifier(ISSUER, AUDIENCE).verify(token()) == Principal("u-ha", "Trần Thu Hà", "person")


async def test_a_remembered_token_expires_all_the_same(fake: FakeIssuer) -> None:
    now = time.time()
    verifier = Verifier(ISSUER, AUDIENCE, clock=lambda: now)
    short = token(exp=int(now) + 10)
    assert await verifier.verify(short) is await verifier.verify(short)
    now += 40.5
    with pytest.raises(Unauthenticated):
        await verifier.verify(short)


async def test_a_client_that_speaks_for_itself_is_a_service(fake: FakeIssuer) -> None:
    verifier = Verifier(ISSUER, AUDIENCE)
    service = await verifier.verify(token(sub="svc-qa", client_id="svc-qa", name=None))
    assert service == Principal("svc-qa", "svc-qa", "service")
    assert (await verifier.verify(token(client_id="svc-qa"))).kind == "person"


def base64url(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def packed(**header: Any) -> str:
    return ".".join(base64url(json.dumps(part).encode()) for part in ({"kid": KEY.kid, **header}, claims()))


def unsigned() -> str:
    return packed(alg="none") + "."


def signed_with_the_public_key_as_a_secret() -> str:
    signed = packed(alg="HS256")
    return f"{signed}.{base64url(hmac.digest(KEY.as_pem(private=False), signed.encode(), 'sha256'))}"


def with_a_changed_payload() -> str:
    head, _, signature = token().split(".")
    return f"{head}.{base64url(json.dumps(claims(sub='u-oanh')).encode())}.{signature}"


def by_another_key_under_our_kid() -> str:
    return jwt.encode({"alg": "ES256", "kid": KEY.kid}, claims(), ECKey.generate_key("P-256"))


def bringing_its_own_key() -> str:
    header = {"alg": "ES256", "jwk": OTHER.as_dict(private=False), "kid": OTHER.kid}
    return jwt.encode(header, claims(), OTHER)


def nested_too_deep() -> str:
    return base64url(b"[" * 5100) + ".e30.e30"


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(lambda: token(exp=int(time.time()) - 31), id="expired"),
        pytest.param(lambda: token(nbf=int(time.time()) + 60), id="not yet valid"),
        pytest.param(lambda: token(iat=int(time.time()) + 60), id="issued in the future"),
        pytest.param(lambda: token(aud="another-portal"), id="for another audience"),
        pytest.param(lambda: token(aud=["x", "y"]), id="for other audiences"),
        pytest.param(lambda: token(iss="http://127.0.0.1:2"), id="from another issuer"),
        pytest.param(lambda: token(OTHER), id="by an unknown key"),
        pytest.param(lambda: token(exp=None), id="never expires"),
        pytest.param(lambda: token(exp="2099"), id="expiry is not a number"),
        pytest.param(lambda: token(nbf=None), id="without not-before"),
        pytest.param(lambda: token(aud=None), id="without audience"),
        pytest.param(lambda: token(iss=None), id="without issuer"),
        pytest.param(lambda: token(sub=None), id="about nobody"),
        pytest.param(lambda: token(sub=""), id="about a blank"),
        pytest.param(lambda: token(sub=7), id="about a number"),
        pytest.param(unsigned, id="alg none"),
        pytest.param(signed_with_the_public_key_as_a_secret, id="HS256 with the public key"),
        pytest.param(with_a_changed_payload, id="changed after signing"),
        pytest.param(by_another_key_under_our_kid, id="another key under our kid"),
        pytest.param(bringing_its_own_key, id="brings its own key"),
        pytest.param(nested_too_deep, id="nested too deep"),
        pytest.param(lambda: "", id="empty"),
        pytest.param(lambda: "a.b.c", id="not a token"),
        pytest.param(lambda: "é.ü.ñ", id="not ASCII"),
        pytest.param(lambda: "x" * 9000, id="too long"),
    ],
)
async def test_a_wrong_token_is_refused(fake: FakeIssuer, bad: Any) -> None:
    with pytest.raises(Unauthenticated):
        await Verifier(ISSUER, AUDIENCE).verify(bad())


@pytest.mark.parametrize("changes", [{"exp": -29}, {"nbf": 29}, {"iat": 29}])
async def test_clocks_may_differ_by_half_a_minute(fake: FakeIssuer, changes: dict[str, int]) -> None:
    moved = {name: int(time.time()) + seconds for name, seconds in changes.items()}
    assert await Verifier(ISSUER, AUDIENCE).verify(token(**moved))


async def test_a_new_key_is_fetched_but_not_at_every_strangers_wish(fake: FakeIssuer) -> None:
    ticks = Ticks()
    verifier = Verifier(ISSUER, AUDIENCE, ticks=ticks)
    await verifier.verify(token())
    fake.keys.append(OTHER.as_dict(private=False))
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await verifier.verify(token(OTHER))
    assert fake.asked.count("/jwks.json") == 1
    ticks.shift(11)
    assert await verifier.verify(token(OTHER))
    assert fake.asked.count("/jwks.json") == 2


async def test_a_withdrawn_key_is_dropped_after_ten_minutes(fake: FakeIssuer) -> None:
    ticks = Ticks()
    verifier = Verifier(ISSUER, AUDIENCE, ticks=ticks)
    await verifier.verify(token())
    fake.keys = [OTHER.as_dict(private=False)]
    ticks.shift(601)
    with pytest.raises(Unauthenticated):
        await verifier.verify(token())


async def test_known_keys_outlast_an_outage_of_the_issuer(fake: FakeIssuer) -> None:
    ticks = Ticks()
    verifier = Verifier(ISSUER, AUDIENCE, ticks=ticks)
    await verifier.verify(token())
    fake.away = True
    ticks.shift(3600)
    assert await verifier.verify(token())
    with pytest.raises(IdentityUnavailable):
        await verifier.verify(token(OTHER))


async def test_without_any_key_nothing_can_be_said(fake: FakeIssuer) -> None:
    fake.away = True
    ticks = Ticks()
    verifier = Verifier(ISSUER, AUDIENCE, ticks=ticks)
    for _ in range(3):
        with pytest.raises(IdentityUnavailable) as told:
            await verifier.verify(token())
    assert told.value.status == 503
    assert told.value.extra["retry_after"]
    assert len(fake.asked) == 1
    fake.away = False
    ticks.shift(2)
    assert await verifier.verify(token())


async def test_keys_that_are_not_ours_to_use_are_passed_over(fake: FakeIssuer) -> None:
    mine = KEY.as_dict(private=False)
    fake.keys = [{"kty": "RSA", "kid": "r"}, {"crv": "P-256", "kid": "broken"}, "x", {**mine, "use": "enc"}]  # type: ignore[list-item]
    with pytest.raises(IdentityUnavailable):
        await Verifier(ISSUER, AUDIENCE).verify(token())
    fake.keys.append(mine)
    assert await Verifier(ISSUER, AUDIENCE).verify(token())


async def test_an_issuer_that_does_not_answer_is_unavailability_not_a_crash() -> None:
    with pytest.raises(IdentityUnavailable):
        await Verifier(ISSUER, AUDIENCE).verify(token())


async def test_a_service_token_is_kept_and_renewed_before_it_lapses(fake: FakeIssuer) -> None:
    ticks = Ticks()
    tokens = ServiceTokens(ISSUER, "svc-qa", "bi-mat", ticks=ticks)
    assert await tokens.header() == await tokens.header() == {"Authorization": "Bearer token-1"}
    ticks.shift(541)
    assert await tokens.header() == {"Authorization": "Bearer token-2"}
    fake.away = True
    ticks.shift(550)
    assert await tokens.header() == {"Authorization": "Bearer token-2"}
    ticks.shift(60)
    with pytest.raises(IdentityUnavailable):
        await tokens.header()
