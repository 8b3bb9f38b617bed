"""The sample issuer over real HTTP: one way in for people, one for services, and every other way shut."""

import re
import secrets
import stat
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from pydantic import SecretStr

from deploy.samples.keys import signing_key
from deploy.samples.people import FAILURES_ALLOWED, People, Person
from shared.errors import TooManyRequests, Unauthenticated
from shared.web.identity import ServiceTokens, Verifier
from shared.web.signin import challenge_of
from tests.samples.sample_servers import browser

CALLBACK = "http://127.0.0.1:9/signin/callback"
HAS_PASSWORD = "mot-lan"
VERIFIER = secrets.token_urlsafe(48)


def asking(**changes: str) -> dict[str, str]:
    usual = {
        "response_type": "code",
        "client_id": "svc-qa",
        "redirect_uri": CALLBACK,
        "scope": "openid profile",
        "state": "trang-thai",
        "nonce": "so-1",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in {**usual, **changes}.items() if value}


async def log_in(
    person: httpx2.AsyncClient, username: str = "ha", password: str = HAS_PASSWORD, **changes: str
) -> httpx2.Response:
    page = await person.get("/authorize", params=asking(**changes))
    ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert ticket, page.text
    return await person.post("/login", data={"ticket": ticket[1], "username": username, "password": password})


def answer_of(response: httpx2.Response) -> dict[str, str]:
    assert response.status_code == 303
    assert response.headers["location"].startswith(CALLBACK)
    return {
        name: values[0] for name, values in parse_qs(urlsplit(response.headers["location"]).query).items()
    }


async def redeem(client: httpx2.AsyncClient, code: str, **changes: Any) -> httpx2.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        "client_id": "svc-qa",
        "client_secret": "bi-mat",
    }
    return await client.post("/token", data={**form, **changes})


async def test_a_person_signs_in_and_the_token_says_who(issuer: str) -> None:
    async with browser(issuer) as person:
        answer = answer_of(await log_in(person))
        assert answer["state"] == "trang-thai"
        assert answer["iss"] == issuer
        tokens = (await redeem(person, answer["code"])).json()
        who = await Verifier(issuer, "bhxh-portal").verify(tokens["access_token"])
        assert (who.subject, who.name, who.kind) == ("u-ha", "Trần Thu Hà", "person")
        assert tokens["expires_in"] == 8 * 3600
        # What tells the page who signed in opens no API.
        with pytest.raises(Unauthenticated):
            await Verifier(issuer, "bhxh-portal").verify(tokens["id_token"])
        assert (await Verifier(issuer, "svc-qa").verify(tokens["id_token"])).subject == "u-ha"


async def test_who_is_signed_in_is_not_asked_again_until_signing_out(issuer: str) -> None:
    async with browser(issuer) as person:
        await log_in(person)
        assert "code" in answer_of(await person.get("/authorize", params=asking()))
        assert (await person.get("/authorize", params=asking(prompt="login"))).status_code == 200
        goodbye = await person.get("/logout", params={"post_logout_redirect_uri": "http://127.0.0.1:9/"})
        assert goodbye.headers["location"] == "http://127.0.0.1:9/"
        assert (await person.get("/authorize", params=asking())).status_code == 200
        stranger = await person.get("/logout", params={"post_logout_redirect_uri": "https://example.com/"})
        assert stranger.status_code == 200


async def test_a_code_is_good_for_one_use(issuer: str) -> None:
    async with browser(issuer) as person:
        code = answer_of(await log_in(person))["code"]
        assert (await redeem(person, code)).status_code == 200
        again = await redeem(person, code)
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"code_verifier": secrets.token_urlsafe(48)}, 400, "invalid_grant"),
        ({"code_verifier": ""}, 400, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:8/signin/callback"}, 400, "invalid_grant"),
        ({"client_id": "svc-content", "client_secret": "bi-mat-khac"}, 400, "invalid_grant"),
        ({"client_secret": "sai"}, 401, "invalid_client"),
        ({"client_id": "ai-do", "client_secret": ""}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
async def test_only_the_asker_redeems_a_code(
    issuer: str, changes: dict[str, str], status: int, error: str
) -> None:
    async with browser(issuer) as person:
        answer = await redeem(person, answer_of(await log_in(person))["code"], **changes)
        assert (answer.status_code, answer.json()["error"]) == (status, error)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"state": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "profile"}, "invalid_scope"),
    ],
)
async def test_a_flow_without_its_safeguards_is_sent_back(
    issuer: str, changes: dict[str, str], error: str
) -> None:
    async with browser(issuer) as person:
        assert answer_of(await person.get("/authorize", params=asking(**changes)))["error"] == error


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "ai-do"},
        {"redirect_uri": "https://example.com/signin/callback"},
        {"redirect_uri": "http://127.0.0.1:9/elsewhere"},
        {"redirect_uri": "http://127.0.0.1:9/signin/callback?x=1"},
        {"redirect_uri": "http://127.0.0.1@example.com/signin/callback"},
        {"redirect_uri": "http://127.0.0.1.example.com/signin/callback"},
        {"redirect_uri": "http://x@127.0.0.1/signin/callback"},
        {"redirect_uri": "http://127.0.0.1:99999/signin/callback"},
        {"redirect_uri": "javascript://127.0.0.1/signin/callback"},
        {"redirect_uri": ""},
    ],
)
async def test_nothing_is_sent_to_an_address_that_is_not_registered(
    issuer: str, changes: dict[str, str]
) -> None:
    async with browser(issuer) as person:
        await log_in(person)
        assert (await person.get("/authorize", params=asking(**changes))).status_code == 400


@pytest.mark.parametrize(("username", "password"), [("ha", "sai"), ("ai-do", "mot-lan"), ("ha", "")])
async def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(
    issuer: str, username: str, password: str
) -> None:
    async with browser(issuer) as person:
        refused = await log_in(person, username, password)
        assert refused.status_code == 401
        assert "Tên đăng nhập hoặc mật khẩu chưa đúng" in refused.text


async def test_a_login_form_belongs_to_the_browser_it_was_shown_in(issuer: str) -> None:
    async with browser(issuer) as attacker, browser(issuer) as victim:
        page = await attacker.get("/authorize", params=asking())
        ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
        assert ticket
        planted = {"ticket": ticket[1], "username": "lan", "password": "hai-lan"}
        assert (await victim.post("/login", data=planted)).status_code == 400


async def test_guessing_is_slowed_down_per_address_and_leaves_others_alone() -> None:
    people = People([Person(id="u-ha", username="ha", name="Hà")], {"ha": SecretStr("mot-lan")})
    for _ in range(FAILURES_ALLOWED):
        assert await people.check("ha", "sai", "10.0.0.1") is None
    with pytest.raises(TooManyRequests) as told:
        await people.check("ha", "mot-lan", "10.0.0.1")
    assert 0 < told.value.extra["retry_after"] <= 301
    for _ in range(FAILURES_ALLOWED + 1):
        assert await people.check("ha", "mot-lan", "10.0.0.2")


async def test_a_service_gets_a_token_of_its_own(issuer: str) -> None:
    header = await ServiceTokens(issuer, "svc-qa", "bi-mat").header()
    who = await Verifier(issuer, "bhxh-portal").verify(header["Authorization"].removeprefix("Bearer "))
    assert (who.subject, who.kind) == ("svc-qa", "service")
    async with browser(issuer) as client:
        public = await client.post(
            "/token", data={"grant_type": "client_credentials", "client_id": "portal-cli"}
        )
        assert public.json()["error"] == "unauthorized_client"


async def test_a_public_client_needs_its_verifier_alone(issuer: str) -> None:
    async with browser(issuer) as person:
        code = answer_of(await log_in(person, client_id="portal-cli"))["code"]
        answer = await redeem(person, code, client_id="portal-cli", client_secret="")
        assert answer.status_code == 200


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first = signing_key(tmp_path / "issuer")
    assert signing_key(tmp_path / "issuer").kid == first.kid
    assert stat.S_IMODE((tmp_path / "issuer" / "signing-key.json").stat().st_mode) == 0o600


async def test_the_published_key_is_public(issuer: str) -> None:
    async with browser(issuer) as client:
        [key] = (await client.get("/jwks.json")).json()["keys"]
        assert "d" not in key
        assert (key["alg"], key["use"], key["crv"]) == ("ES256", "sig", "P-256")
        assert (await client.get("/health/ready")).status_code == 200
