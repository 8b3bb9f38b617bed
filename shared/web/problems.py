"""Every error as an RFC 9457 problem with a stable code, in two languages; as a page for a browser."""

from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from shared.errors import (
    InvalidInput,
    MalformedBody,
    NotFound,
    PortalError,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from shared.mongo import TROUBLE
from shared.web.session import signin_path
from shared.web.spoken import N_, VIETNAMESE, gettext, language

log = structlog.get_logger(__name__)

FIELD_MESSAGES: Final = {
    "missing": ("Thiếu trường này.", "This field is required."),
    "extra_forbidden": ("Không có trường này.", "There is no such field."),
    "string_too_long": ("Dài hơn mức cho phép.", "Longer than allowed."),
    "string_too_short": ("Ngắn hơn mức cho phép.", "Shorter than allowed."),
    "enum": ("Không phải một giá trị được phép.", "Not one of the allowed values."),
    "literal_error": ("Không phải một giá trị được phép.", "Not one of the allowed values."),
    "uuid_parsing": ("Mã không đúng dạng.", "Not a valid id."),
    "timezone_aware": ("Thời điểm phải có múi giờ.", "The time needs its offset."),
}


class Problem(BaseModel):
    """RFC 9457. ``title`` is Vietnamese, ``title_en`` English; ``code`` never changes its meaning."""

    type: str
    title: str
    title_en: str
    status: int
    detail: str
    code: str
    instance: str
    correlation_id: str


def field_errors(errors: Any) -> list[dict[str, str]]:
    """What is wrong with each field, never the value: it may be a citizen's."""
    found = []
    for error in errors:
        vi, en = FIELD_MESSAGES.get(error["type"], (error["msg"], error["msg"]))
        if error["type"] == "value_error":
            vi = en = str(error["msg"]).removeprefix("Value error, ")
        where = [str(part) for part in error["loc"] if part not in ("body", "query", "path", "header")]
        found.append({"field": ".".join(where), "message": vi, "message_en": en, "type": error["type"]})
    return found


def wants_page(request: Request) -> bool:
    return not request.url.path.startswith("/v1/") and "text/html" in request.headers.get("accept", "")


def correlation_of(request: Request) -> str:
    return str(request.scope.get("state", {}).get("correlation", ""))


def problem_for(request: Request, error: PortalError) -> dict[str, Any]:
    described = Problem(
        type=f"urn:bhxh:problem:{error.code}", title=error.title_vi, title_en=error.title_en,
        status=error.status, detail=error.detail or error.title_vi, code=error.code,
        instance=request.url.path, correlation_id=correlation_of(request),
    )  # fmt: skip
    return {**described.model_dump(), **{k: v for k, v in error.extra.items() if k != "retry_after"}}


def respond(request: Request, error: PortalError) -> Response:
    problem = problem_for(request, error)
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if "retry_after" in error.extra or error.status in (429, 503):
        headers["Retry-After"] = str(error.extra.get("retry_after", 5))
    if wants_page(request):
        if (
            isinstance(error, Unauthenticated)
            and request.method == "GET"
            and "/signin" not in request.url.path
        ):
            return RedirectResponse(signin_path(request), 303)
        page = request.app.state.look.render("problem.html", **(problem | _in_words(problem, error)))
        return HTMLResponse(page, error.status, headers)
    return JSONResponse(problem, error.status, headers, "application/problem+json")


def _in_words(problem: dict[str, Any], error: PortalError) -> dict[str, Any]:
    """The problem as a page in the language spoken tells it; where the catalogue has no word for what is said
    in detail, the English title stands for it."""
    if language() == VIETNAMESE:
        return {"errors": {e["field"]: e.get("message", "") for e in problem.get("errors", ())}}
    detail = str(error.extra.get("detail_en") or gettext(error.detail))
    return {
        "title": error.title_en, "detail": "" if detail == error.detail else detail,
        "errors": {
            each["field"]: each.get("message_en") or gettext(each.get("message", ""))
            for each in problem.get("errors", ())
        },
    }  # fmt: skip


def from_validation(errors: Any) -> PortalError:
    errors = list(errors)
    if any(error["type"] == "json_invalid" for error in errors):
        return MalformedBody("Nội dung không phải JSON hợp lệ.")
    if any(error["type"] == "uuid_parsing" and error["loc"][0] == "path" for error in errors):
        return NotFound(N_("Không có hồ sơ mang mã này."))
    found = field_errors(errors)
    names = ", ".join(e["field"] for e in found)
    return InvalidInput(f"Cần xem lại: {names}.", errors=found)


def install(app: FastAPI) -> None:
    async def portal(request: Request, error: Exception) -> Response:
        assert isinstance(error, PortalError)  # noqa: S101 (registered for this class only)
        if error.status >= 500:
            log.warning("request.refused", code=error.code, reason=error.detail)
        return respond(request, error)

    async def validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError | ValidationError)  # noqa: S101
        return respond(request, from_validation(error.errors()))

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        if error.status_code == 404:
            return respond(request, NotFound(N_("Không có trang hoặc địa chỉ này.")))
        # FastAPI says 400 of any body that it could not read to its end.
        if request.scope["state"].get("too_large"):
            return respond(request, TooLarge("Nội dung gửi lên vượt quá mức cho phép."))
        if error.status_code == 400:
            return respond(request, MalformedBody("Nội dung gửi lên không đọc được."))
        plain = type("Plain", (PortalError,), {
            "status": error.status_code, "code": f"http_{error.status_code}",
            "title_vi": "Yêu cầu không thực hiện được", "title_en": str(error.detail),
        })  # fmt: skip
        return respond(request, plain(str(error.detail)))

    async def trouble(request: Request, error: Exception) -> Response:
        log.warning("request.database_trouble", error=type(error).__name__)
        return respond(request, Unavailable(N_("Cơ sở dữ liệu chưa trả lời."), retry_after=2))

    async def unexpected(request: Request, error: Exception) -> Response:
        log.error("request.failed", error=type(error).__name__, exc_info=error)
        return respond(
            request, PortalError(N_("Đã ghi nhận lỗi; vui lòng thử lại, hoặc báo cho chúng tôi mã báo lỗi."))
        )

    app.add_exception_handler(PortalError, portal)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(ValidationError, validation)
    app.add_exception_handler(HTTPException, http)
    for kind in TROUBLE:
        app.add_exception_handler(kind, trouble)
    app.add_exception_handler(Exception, unexpected)
