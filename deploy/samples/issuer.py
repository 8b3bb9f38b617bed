"""A small OpenID provider for one machine: code flow with PKCE for people, client credentials for services.
It says who someone is and nothing about what they may do. Loopback only; production refuses it by name."""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from typing import Annotated, Any
from urllib.parse import unquote, urlencode, urlsplit

from fastapi import APIRouter, FastAPI, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from deploy.samples.grants import (
    Code,
    Drawer,
    OAuthError,
    Pending,
    SignInRequest,
    is_loopback_page,
    is_registered,
    origin_of,
)
from deploy.samples.keys import PERSON_TOKEN_SECONDS, SERVICE_TOKEN_SECONDS, Mint, signing_key
from deploy.samples.people import People
from deploy.samples.serving import sample_app, sample_look, serve
from deploy.samples.settings import IssuerSettings
from shared.errors import TooManyRequests

PUBLIC_CLIENT = "portal-cli"  # command-line tools of this machine: no secret to keep, PKCE all the same
SSO_COOKIE = "issuer_session"
BROWSER_COOKIE = "issuer_browser"
NO_STORE = {"Cache-Control": "no-store"}


class Issuer:
    def __init__(self, settings: IssuerSettings) -> None:
        self.url = settings.url.rstrip("/")
        self.mint = Mint(self.url, signing_key(settings.data))
        self.people = People.load(settings.people, settings.passwords)
        self.clients = {
            client_id: hashlib.sha256(secret.get_secret_value().encode()).digest()
            for client_id, secret in settings.clients.items()
        }
        settings.passwords.clear()
        if overlap := self.clients.keys() & {person.id for person in self.people.all}:
            raise ValueError(f"a person may not bear a client's id: {sorted(overlap)}")
        self.pending: Drawer[Pending] = Drawer(600)
        self.codes: Drawer[Code] = Drawer(60)
        self.signed_in: Drawer[str] = Drawer(8 * 3600)
        self.look = sample_look("Đăng nhập")

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks.json",
            "end_session_endpoint": f"{self.url}/logout",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "scopes_supported": ["openid", "profile"],
            "claims_supported": ["sub", "name"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "authorization_response_iss_parameter_supported": True,
        }

    def client_of(self, request: Request, form: dict[str, str]) -> str:
        """The client that authenticates itself at the token endpoint, by header or by form."""
        client_id, secret = _basic(request) or (form.get("client_id", ""), form.get("client_secret", ""))
        if client_id == PUBLIC_CLIENT and not secret:
            return client_id
        given = hashlib.sha256(secret.encode()).digest()
        if not hmac.compare_digest(given, self.clients.get(client_id, b"")):
            raise OAuthError("invalid_client", "The client is unknown or its secret is wrong.", 401)
        return client_id

    def back_with_code(self, asked: SignInRequest, person_id: str) -> Response:
        code = self.codes.put(Code(asked, person_id))
        return self.back(asked.redirect_uri, code=code, state=asked.state)

    def back(self, redirect_uri: str, **answer: str) -> Response:
        return RedirectResponse(f"{redirect_uri}?{urlencode({**answer, 'iss': self.url})}", 303, NO_STORE)

    def login_form(
        self, ticket: str, pending: Pending, *, username: str = "", error: str = "", status: int = 200
    ) -> Response:
        page = self.look.render(
            "login.html",
            action="/login",
            hidden={"ticket": ticket},
            username=username,
            error=error,
            people=self.people.all,
        )
        response = HTMLResponse(page, status, NO_STORE)
        _allow_form_to(response, origin_of(pending.request.redirect_uri))
        response.set_cookie(BROWSER_COOKIE, pending.browser, max_age=600, httponly=True, samesite="lax")
        return response

    def message(self, title: str, text: str, status: int = 200) -> Response:
        page = self.look.render("issuer.html", title=title, text=text, bad=status >= 400)
        return HTMLResponse(page, status, NO_STORE)


def issuer_app(settings: IssuerSettings) -> FastAPI:
    issuer = Issuer(settings)
    app = sample_app("Sample issuer", issuer.look)
    app.include_router(_published(issuer))
    app.include_router(_login(issuer))
    app.include_router(_token(issuer))
    return app


def _published(issuer: Issuer) -> APIRouter:
    router = APIRouter()

    @router.get("/.well-known/openid-configuration")
    async def discovery() -> dict[str, Any]:
        return issuer.discovery()

    @router.get("/jwks.json")
    async def jwks() -> dict[str, Any]:
        return issuer.mint.jwks()

    @router.get("/")
    async def home() -> Response:
        return issuer.message("Dịch vụ đăng nhập", "Mời mở trang làm việc; trang ấy dẫn tới đây khi cần.")

    return router


def _login(issuer: Issuer) -> APIRouter:
    router = APIRouter()

    @router.get("/authorize")
    async def authorize(request: Request) -> Response:
        query = dict(request.query_params)
        redirect_uri = query.get("redirect_uri", "")
        known = query.get("client_id") in {*issuer.clients, PUBLIC_CLIENT}
        # Until both are known to be ours nothing is sent anywhere: an open redirect would carry codes off.
        if not known or not is_registered(redirect_uri):
            return issuer.message("Yêu cầu không hợp lệ", "Ứng dụng hoặc địa chỉ quay về chưa đăng ký.", 400)
        try:
            asked = SignInRequest.parse(query)
        except OAuthError as error:
            return issuer.back(
                redirect_uri,
                error=error.code,
                error_description=error.description,
                state=query.get("state", ""),
            )
        person_id = issuer.signed_in.get(request.cookies.get(SSO_COOKIE, ""))
        if person_id and not asked.ask_again:
            return issuer.back_with_code(asked, person_id)
        browser = request.cookies.get(BROWSER_COOKIE) or secrets.token_urlsafe(32)
        pending = Pending(asked, browser)
        return issuer.login_form(issuer.pending.put(pending), pending)

    @router.post("/login")
    async def login(
        request: Request,
        ticket: Annotated[str, Form(max_length=100)],
        username: Annotated[str, Form(max_length=100)] = "",
        password: Annotated[str, Form(max_length=200)] = "",
    ) -> Response:
        pending = issuer.pending.get(ticket)
        if not pending or request.cookies.get(BROWSER_COOKIE) != pending.browser:
            return issuer.message("Trang đăng nhập đã cũ", "Mời quay lại trang làm việc và thử lại.", 400)
        address = request.client.host if request.client else ""
        try:
            person = await issuer.people.check(username.strip().lower(), password, address)
        except TooManyRequests as error:
            response = issuer.login_form(ticket, pending, username=username, error=error.detail, status=429)
            response.headers["Retry-After"] = str(error.extra["retry_after"])
            return response
        if person is None:
            wrong = "Tên đăng nhập hoặc mật khẩu chưa đúng."
            return issuer.login_form(ticket, pending, username=username, error=wrong, status=401)
        if issuer.pending.take(ticket) is None:
            return issuer.message("Trang đăng nhập đã dùng", "Mời quay lại trang làm việc và thử lại.", 400)
        response = issuer.back_with_code(pending.request, person.id)
        _allow_form_to(response, origin_of(pending.request.redirect_uri))
        response.set_cookie(
            SSO_COOKIE, issuer.signed_in.put(person.id), max_age=8 * 3600, httponly=True, samesite="lax"
        )
        return response

    @router.get("/logout")
    async def logout(request: Request, post_logout_redirect_uri: str = "") -> Response:
        issuer.signed_in.take(request.cookies.get(SSO_COOKIE, ""))
        if is_loopback_page(post_logout_redirect_uri):
            response: Response = RedirectResponse(post_logout_redirect_uri, 303)
        else:
            response = issuer.message("Đã đăng xuất", "Phiên đăng nhập trên máy này đã kết thúc.")
        response.delete_cookie(SSO_COOKIE)
        return response

    return router


def _token(issuer: Issuer) -> APIRouter:
    router = APIRouter()

    @router.post("/token")
    async def token(request: Request) -> Response:
        form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
        try:
            client_id = issuer.client_of(request, form)
            answer = _granted(issuer, client_id, form)
        except OAuthError as error:
            headers = NO_STORE | ({"WWW-Authenticate": "Basic"} if error.status == 401 else {})
            body = {"error": error.code, "error_description": error.description}
            return JSONResponse(body, error.status, headers)
        return JSONResponse({**answer, "token_type": "Bearer"}, headers=NO_STORE)

    return router


def _granted(issuer: Issuer, client_id: str, form: dict[str, str]) -> dict[str, Any]:
    mint = issuer.mint
    if form.get("grant_type") == "authorization_code":
        # Taken before it is judged: a code that was tried wrongly is spent.
        code = issuer.codes.take(form.get("code", ""))
        if code is None:
            raise OAuthError("invalid_grant", "The code is unknown, spent or too old.")
        person_id = code.redeem(client_id, form.get("redirect_uri", ""), form.get("code_verifier", ""))
        person = issuer.people.get(person_id)
        if person is None:
            raise OAuthError("invalid_grant", "The person is no longer known.")
        return {
            "access_token": mint.access_token(person.id, person.name, client_id, PERSON_TOKEN_SECONDS),
            "id_token": mint.id_token(person.id, person.name, client_id, code.request.nonce),
            "expires_in": PERSON_TOKEN_SECONDS,
            "scope": "openid profile",
        }
    if form.get("grant_type") == "client_credentials":
        if client_id == PUBLIC_CLIENT:
            raise OAuthError("unauthorized_client", "A public client has no credentials of its own.")
        token = mint.access_token(client_id, client_id, client_id, SERVICE_TOKEN_SECONDS)
        return {"access_token": token, "expires_in": SERVICE_TOKEN_SECONDS}
    raise OAuthError("unsupported_grant_type", "Offered: authorization_code, client_credentials.")


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote(client_id), unquote(secret)


def _allow_form_to(response: Response, origin: str) -> None:
    """The login form ends at the page that asked: browsers hold its redirects to `form-action` too."""
    response.headers["Content-Security-Policy"] = (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' {origin}"
    )


def main() -> None:
    settings = IssuerSettings()
    os.environ.pop("ISSUER_PASSWORDS", None)
    if urlsplit(settings.url).hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise SystemExit(
            "ISSUER_URL phải là địa chỉ của chính máy này (127.0.0.1): đây chỉ là dịch vụ chạy thử."
        )
    serve(issuer_app(settings), settings.host, settings.port)


if __name__ == "__main__":
    main()
