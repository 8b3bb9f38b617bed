"""What a portal is sent: an article at a version, or its withdrawal, with the hash of its canonical JSON."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import standardwebhooks
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from shared.errors import InvalidInput, Unauthenticated


class WrongSignature(Unauthenticated):
    """The push is not signed by the sender this portal knows, or was signed too long ago."""

    code = "wrong_signature"
    title_vi, title_en = "Chữ ký không hợp lệ", "The signature is not valid"


class WrongHash(InvalidInput):
    code = "wrong_hash"
    title_vi, title_en = "Mã băm không khớp nội dung", "The hash does not match the article"


class Article(BaseModel):
    model_config = ConfigDict(extra="allow", populate_by_name=True)

    title: str = Field(min_length=1)
    summary: str = ""
    html: str = ""
    content_class: str = Field("", alias="class")
    unit: str = ""
    author: str | None = None
    source: str | None = None
    published_at: AwareDatetime | None = None
    url: str = ""


class Parcel(BaseModel):
    """`epoch` and `version` only grow; a withdrawal leaves a tombstone that bears its version."""

    model_config = ConfigDict(extra="forbid")

    item_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    epoch: int = Field(ge=0)
    version: int = Field(ge=0)
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    action: Literal["publish", "withdraw"]
    article: dict[str, Any] | None = None

    @field_validator("article")
    @classmethod
    def _is_an_article(cls, article: dict[str, Any] | None) -> dict[str, Any] | None:
        if article is not None:
            Article.model_validate(article)
        return article  # as it came: the hash is over every field of it

    @property
    def order(self) -> tuple[int, int]:
        return self.epoch, self.version

    def require_hash(self) -> None:
        """A publication carries its article; a withdrawal may leave it out, and then nothing is hashed."""
        if self.article is None and self.action == "withdraw":
            return
        if self.article is None or hash_of(self.article) != self.hash:
            raise WrongHash("Mã băm gửi kèm không phải của nội dung này.")


class Held(BaseModel):
    """A parcel as this portal keeps it, with the time it came and the id of the message that brought it."""

    parcel: Parcel
    received_at: datetime
    webhook_id: str

    @property
    def article(self) -> Article | None:
        return Article.model_validate(self.parcel.article) if self.parcel.article else None


def hash_of(article: dict[str, Any]) -> str:
    canonical = json.dumps(article, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


class Seal:
    """Checks the Standard Webhooks signature of a push; the library's many errors become one."""

    def __init__(self, secret: str) -> None:
        self._webhook = standardwebhooks.Webhook(secret)

    def check(self, body: bytes, headers: dict[str, str]) -> str:
        """The id of the message, when the signature over id, time and body is right and recent."""
        try:
            self._webhook.verify(body, headers, json_parse=False)
        except Exception as error:  # it lets ValueError, UnicodeDecodeError and others through on bad input
            raise WrongSignature("Chữ ký thiếu, sai hoặc đã quá 5 phút.") from error
        return headers["webhook-id"]


def now() -> datetime:
    return datetime.now(UTC)
