"""What the OpenAPI document says of every operation under /v1, beside its own parameters and answers: who
asks, what makes a command happen once, how fresh a list is, and how every refusal looks."""

from typing import Any, Final

from fastapi import FastAPI
from pydantic import BaseModel, Field

from shared.web.freshness import PATIENCE, WAIT_FOR, WRITTEN, NotYetVisible
from shared.web.problems import Problem

COMMANDS: Final = frozenset({"post", "put", "patch", "delete"})
BEARER: Final = "bearer"


class FieldError(BaseModel):
    """Sai ở trường nào."""

    field: str
    message: str = ""
    message_en: str = ""


class Refusal(Problem):
    """RFC 9457: ``code`` ổn định, ``title`` tiếng Việt, ``title_en`` tiếng Anh."""

    errors: list[FieldError] = Field(default_factory=list)


REFUSED: Final = {
    "description": "Không thực hiện được: một vấn đề theo RFC 9457, có mã ổn định.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
}


def described(app: FastAPI) -> None:
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        document = plain()
        parts = document.setdefault("components", {})
        schema = Refusal.model_json_schema(ref_template="#/components/schemas/{model}")
        parts.setdefault("schemas", {}).update(schema.pop("$defs"), Refusal=schema)
        parts["securitySchemes"] = {
            BEARER: {"type": "http", "scheme": "bearer", "description": "Thẻ truy cập của nơi cấp (OIDC)."}
        }
        for path, operations in document["paths"].items():
            if path.startswith("/v1/"):
                for method, operation in operations.items():
                    _describe(method, operation)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _describe(method: str, operation: dict[str, Any]) -> None:
    answers, parameters = operation["responses"], operation.setdefault("parameters", [])
    answers.pop("422", None)  # as FastAPI would have it, which is not how we answer
    answers["default"] = REFUSED
    operation["security"] = [{}, {BEARER: []}]
    if method in COMMANDS:
        parameters.append(_header(
            "Idempotency-Key", "Mỗi lệnh một khóa mới, 8 đến 200 ký tự; gửi lại cùng khóa: chỉ làm một lần."
        ))  # fmt: skip
        parameters.append(_header("If-Match", 'Chỉ làm khi hồ sơ còn ở phiên bản này, ví dụ "3" (ETag).'))
        for status, answer in answers.items():
            if status.startswith("2"):
                told = f"Đã ghi vào đâu, bản nào; gửi lại trong {WAIT_FOR} để thấy việc vừa làm."
                answer.setdefault("headers", {})[WRITTEN] = {
                    "schema": {"type": "string"},
                    "description": told,
                }
        return
    parameters.append(_header(
        WAIT_FOR,
        f"Nội dung tiêu đề {WRITTEN} của lệnh trước: danh sách trả về mới ít nhất đến đó, hoặc 503 "
        f"`{NotYetVisible.code}` sau {PATIENCE:g} giây.",
    ))  # fmt: skip


def _header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": {"type": "string"},
            "description": description}  # fmt: skip
