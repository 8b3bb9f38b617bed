"""Signing in to a service's pages, through the sample issuer, over real HTTP."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from shared.errors import PortalError
from shared.web.identity import ServiceTokens, Verifier
from shared.web.session import (
    Door,
    DoorMiddleware,
    MemorySessions,
    csrf_token,
    own_path,
    principal_of,
    require_csrf,
    require_principal,
)
from shared.web.signin import signin_router
from tests.samples.sample_servers import browser, listening, running


def desk_app(door: Door) -> FastAPI:
    app = FastAPI()
    app.add_middleware(DoorMiddleware, door=door)
    app.include_router(signin_router(door))

    @app.exception_handler(PortalError)
    async def told(request: Request, error: PortalError) -> Response:
        return JSONResponse({"code": error.code}, error.status)

    @app.get("/desk")
    async def desk(request: Request) -> dict[str, str]:
        principal = await require_principal(request)
        return {"name": principal.name, "kind": principal.kind, "csrf": await csrf_token(request)}

    @app.get("/ask")
    async def ask(request: Request) -> dict[str, str]:
        return {"csrf": await csrf_token(request), "again": await csrf_token(request)}

    @app.get("/article")
    async def article(request: Request) -> dict[str, bool]:
        return {"anonymous": await principal_of(request) is None}

    @app.post("/ask")
    async def asked(request: Request) -> dict[str, str]:
        await require_csrf(request, await request.form())
        return {"status": "ok"}

    return app


@pytest.fixture(scope="module")
async def desk(issuer: str) -> AsyncIterator[str]:
    with listening() as (listener, url):
        door = Door("qa", url, Verifier(issuer, "bhxh-portal"), MemorySessions(), "svc-qa", "bi-mat")
        async with running(desk_app(door), listener):
            yield url


async def to_login_form(person: httpx2.AsyncClient, desk: str, next_path: str = "/desk") -> str:
    page = await person.get(f"{desk}/signin", params={"next": next_path}, follow_redirects=True)
    ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert ticket, page.text
    return ticket[1]


async def sign_in(
    person: httpx2.AsyncClient, issuer: str, desk: str, next_path: str = "/desk"
) -> httpx2.Response:
    form = {"ticket": await to_login_form(person, desk, next_path), "username": "ha", "password": "mot-lan"}
    return await person.post(f"{issuer}/login", data=form, follow_redirects=True)


async def test_a_person_signs_in_works_and_signs_out(issuer: str, desk: str) -> None:
    async with browser() as person:
        assert (await person.get(f"{desk}/desk")).status_code == 401
        page = await sign_in(person, issuer, desk)
        assert (page.url.path, page.json()["name"]) == ("/desk", "Trần Thu Hà")
        assert (await person.post(f"{desk}/ask", data={"csrf": page.json()["csrf"]})).status_code == 200
        assert (await person.post(f"{desk}/signout", data={"csrf": "x"})).status_code == 403
        goodbye = await person.post(f"{desk}/signout", data={"csrf": page.json()["csrf"]})
        assert goodbye.headers["location"].startswith(f"{issuer}/logout?")
        assert (await person.get(goodbye.headers["location"])).headers["location"] == f"{desk}/"
        assert (await person.get(f"{desk}/desk")).status_code == 401


async def test_the_cookie_is_kept_from_scripts_and_strangers(issuer: str, desk: str) -> None:
    async with browser() as person:
        landed = await sign_in(person, issuer, desk)
        [cookie] = [
            c for step in landed.history for c in step.headers.get_list("set-cookie") if "qa_session" in c
        ]
        assert {"HttpOnly", "Path=/", "SameSite=lax", "Max-Age=28800"} <= set(cookie.split("; "))


def test_on_https_the_cookie_is_bound_to_the_host() -> None:
    door = Door(
        "qa", "https://hoidap.example.vn", Verifier("https://i", "a"), MemorySessions(), "svc-qa", "bi-mat"
    )
    response = Response()
    door.set_cookie(response, door.session_cookie, "x")
    assert response.headers["set-cookie"] == "__Host-qa=x; HttpOnly; Path=/; SameSite=lax; Secure"
    assert "bi-mat" not in repr(door)


async def test_a_return_that_began_in_another_browser_is_refused(issuer: str, desk: str) -> None:
    async with browser() as attacker, browser() as victim:
        form = {"ticket": await to_login_form(attacker, desk), "username": "ha", "password": "mot-lan"}
        back = (await attacker.post(f"{issuer}/login", data=form)).headers["location"]
        await victim.get(f"{desk}/ask")
        assert (await victim.get(back)).json()["code"] == "signin_failed"
        # The attempt is spent for the attacker too.
        assert (await attacker.get(back)).json()["code"] == "signin_failed"


@pytest.mark.parametrize("query", ["", "?state=x&code=y", "?code=y", "?state=%00"])
async def test_a_return_without_its_way_out_is_refused(desk: str, query: str) -> None:
    async with browser() as person:
        answer = await person.get(f"{desk}/signin/callback{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "signin_failed")


async def test_an_attempt_is_no_session(desk: str) -> None:
    async with browser() as person:
        out = await person.get(f"{desk}/signin")
        state = parse_qs(urlsplit(out.headers["location"]).query)["state"][0]
        answer = await person.get(f"{desk}/desk", headers={"cookie": f"qa_session={state}"})
        assert answer.status_code == 401


async def test_two_tabs_may_sign_in_side_by_side(issuer: str, desk: str) -> None:
    async with browser() as person:
        first, second = await to_login_form(person, desk, "/desk?tab=1"), await to_login_form(person, desk)
        for ticket in (first, second):
            form = {"ticket": ticket, "username": "ha", "password": "mot-lan"}
            landed = await person.post(f"{issuer}/login", data=form, follow_redirects=True)
            assert landed.status_code == 200


async def test_a_bearer_token_opens_pages_too_and_a_wrong_one_is_told(issuer: str, desk: str) -> None:
    header = await ServiceTokens(issuer, "svc-qa", "bi-mat").header()
    async with browser(desk) as service:
        assert (await service.get("/desk", headers=header)).json()["kind"] == "service"
        assert (await service.post("/ask", headers=header)).status_code == 200
        for wrong in ("Bearer x", "Bearer", "Basic eDp5", ""):
            assert (await service.get("/article", headers={"authorization": wrong})).status_code == 401


async def test_an_anonymous_form_proves_its_browser(desk: str) -> None:
    async with browser(desk) as asker, browser(desk) as other:
        page = (await asker.get("/ask")).json()
        assert page["csrf"] == page["again"] == (await asker.get("/ask")).json()["csrf"]
        assert (await asker.post("/ask", data={"csrf": page["csrf"]})).status_code == 200
        forged: list[Any] = [{}, {"csrf": ""}, {"csrf": page["csrf"] + "x"}, {"csrf": "é"}]
        for form in forged:
            assert (await asker.post("/ask", data=form)).status_code == 403
        assert (await other.post("/ask", data={"csrf": page["csrf"]})).status_code == 403
        assert (
            await other.post("/ask", data={"csrf": ""}, headers={"cookie": "qa_form="})
        ).status_code == 403
        assert "set-cookie" not in (await other.get("/article")).headers


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("/desk/triage?page=2", "/desk/triage?page=2"),
        ("/tin-bai/thông-báo", "/tin-bai/thông-báo"),
        *((bad, "/") for bad in ("", None, "https://example.com", "//example.com", "/\\example.com", "desk")),
        *(
            (bad, "/")
            for bad in ("/\t/example.com", "/a\r\nSet-Cookie: x", "/signin?next=/", "/signin/callback")
        ),
    ],
)
def test_a_sign_in_leads_to_our_own_paths_alone(asked: str | None, given: str) -> None:
    assert own_path(asked) == given


async def test_a_record_is_found_until_it_expires_and_taken_once() -> None:
    now = datetime(2026, 11, 23, 2, tzinfo=UTC)
    sessions = MemorySessions(lambda: now)
    session_id = await sessions.create({"kind": "session", "subject": "u-ha"}, timedelta(hours=8))
    assert len(session_id) >= 43
    assert session_id not in str(sessions._records)
    record = await sessions.get(session_id)
    assert record and record["subject"] == "u-ha"
    assert await sessions.delete(session_id)
    assert await sessions.delete(session_id) is None
    late = await sessions.create({"kind": "session"}, timedelta(hours=8))
    now += timedelta(hours=8)
    assert await sessions.get(late) is None
