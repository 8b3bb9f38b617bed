"""Signing in and out of a service's pages: the OpenID code flow with PKCE, each attempt bound to the browser
that began it and good for one use."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from datetime import timedelta
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from shared.errors import PortalError
from shared.web.identity import IdentityUnavailable, Principal, ProviderRefused
from shared.web.session import (
    SESSION_LIFETIME,
    Door,
    digest,
    form_token,
    own_path,
    require_csrf,
    session_of,
)

ATTEMPT_LIFETIME = timedelta(minutes=10)


class SignInFailed(PortalError):
    """The way back from the issuer does not match a way out; the person starts again by hand, so that two
    redirecting parties can't loop."""

    status, code = 400, "signin_failed"
    title_vi, title_en = "Đăng nhập không thành công", "Sign-in failed"


def signin_router(door: Door) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    provider = door.verifier.provider

    def site(request: Request) -> str:
        """Our own address: the configured one, except that on loopback people may say `localhost` too."""
        return (door.base_url if door.secure else str(request.base_url)).rstrip("/")

    @router.get("/signin")
    async def signin(request: Request, next: str = "/") -> Response:
        if await session_of(request):
            return RedirectResponse(own_path(next), 303)
        verifier = secrets.token_urlsafe(48)
        redirect_uri = f"{site(request)}/signin/callback"
        state = await door.sessions.create(
            {
                "kind": "attempt",
                "verifier": verifier,
                "redirect_uri": redirect_uri,
                "browser": digest(form_token(request)),
                "next": own_path(next),
            },
            ATTEMPT_LIFETIME,
        )
        query = urlencode(
            {
                "response_type": "code",
                "client_id": door.client_id,
                "redirect_uri": redirect_uri,
                "scope": "openid profile",
                "state": state,
                "code_challenge": challenge_of(verifier),
                "code_challenge_method": "S256",
            }
        )
        return RedirectResponse(f"{await provider.endpoint('authorization_endpoint')}?{query}", 303)

    @router.get("/signin/callback")
    async def callback(request: Request, state: str = "", code: str = "", error: str = "") -> Response:
        attempt = await door.sessions.delete(state)
        browser = digest(request.cookies.get(door.form_cookie, ""))
        if (
            not attempt
            or attempt["kind"] != "attempt"
            or not hmac.compare_digest(attempt["browser"], browser)
        ):
            raise SignInFailed("Lượt đăng nhập này đã hết hạn hoặc bắt đầu từ trình duyệt khác.")
        if error or not code:
            raise SignInFailed("Dịch vụ đăng nhập không chấp nhận yêu cầu.")
        principal = await redeem(code, attempt["verifier"], attempt["redirect_uri"])
        # A fresh id at each sign-in: one that was planted beforehand opens nothing.
        await door.sessions.delete(request.cookies.get(door.session_cookie, ""))
        session_id = await door.sessions.create(
            {
                "kind": "session",
                "subject": principal.subject,
                "name": principal.name,
                "csrf": secrets.token_urlsafe(32),
            },
            SESSION_LIFETIME,
        )
        response = RedirectResponse(attempt["next"], 303)
        door.set_cookie(response, door.session_cookie, session_id, SESSION_LIFETIME)
        return response

    async def redeem(code: str, verifier: str, redirect_uri: str) -> Principal:
        try:
            answer = await provider.call(
                "POST",
                await provider.endpoint("token_endpoint"),
                data={
                    "grant_type": "authorization_code",
                    "code": code,
                    "redirect_uri": redirect_uri,
                    "code_verifier": verifier,
                },
                auth=(door.client_id, door.client_secret),
            )
        except ProviderRefused as error:
            raise SignInFailed("Mã đăng nhập đã dùng hoặc đã hết hạn.") from error
        principal = await door.verifier.verify(str(answer.get("access_token", "")))
        if principal.kind != "person":
            raise SignInFailed("Tài khoản của hệ thống không đăng nhập vào trang được.")
        return principal

    @router.post("/signout")
    async def signout(request: Request) -> Response:
        await require_csrf(request, await request.form())
        await door.sessions.delete(request.cookies.get(door.session_cookie, ""))
        query = urlencode({"client_id": door.client_id, "post_logout_redirect_uri": f"{site(request)}/"})
        try:
            goodbye = f"{await provider.endpoint('end_session_endpoint')}?{query}"
        except IdentityUnavailable:
            goodbye = "/"  # our own session is gone either way
        response = RedirectResponse(goodbye, 303)
        door.clear_session_cookie(response)
        return response

    return router


def challenge_of(verifier: str) -> str:
    """PKCE S256: what is shown at the start of the flow, so that only its starter can finish it."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
