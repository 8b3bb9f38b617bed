"""The day as data: what is submitted, what is asked, and what each person then does with it."""

import re
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field

from shared.calendar import VIETNAM

HERE: Final = Path(__file__).parent
WRAP: Final = re.compile(r"(?<!\n)\n(?!\n)")


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Moment(Row):
    """A time told from the day itself, so that the same day's script is the same request when repeated."""

    days_ago: int
    at: time

    def before(self, today: datetime) -> str:
        day = (today - timedelta(days=self.days_ago)).date()
        return datetime.combine(day, self.at, VIETNAM).isoformat()


class Edit(Row):
    by: str
    note: str
    cut_from: str = ""
    """Where the tail that is cut off begins."""
    cut: tuple[str, ...] = ()
    replace: dict[str, str] = Field(default_factory=dict)

    def apply(self, html: str) -> str:
        if self.cut_from:
            html = html[: html.index(self.cut_from)]
        for old, new in {**dict.fromkeys(self.cut, ""), **self.replace}.items():
            if old not in html:
                raise ValueError(f"the edit finds no «{old}»")
            html = html.replace(old, new)
        return html


class Approval(Row):
    by: str
    refused: tuple[str, ...] = ()
    """Codes one of which the approval is expected to be refused with."""


class Return(Row):
    by: str
    reason: str
    words: str


class Article(Row):
    key: str
    content_class: str = Field(alias="class")
    by: str
    title: str
    summary: str
    html: str
    author: str
    source: str
    quoted: bool
    event: Moment
    permitted: Moment | None = None
    refused_to: str = ""
    """Who tries to approve it and may not."""
    edit: Edit | None = None
    approval: Approval | None = None
    returned: Return | None = Field(default=None, alias="return")

    def body(self, today: datetime) -> dict[str, Any]:
        return {
            "content_class": self.content_class,
            "title": self.title,
            "summary": self.summary,
            "html": self.html,
            "author_name": self.author,
            "source_name": self.source,
            "quoted": self.quoted,
            "event_at": self.event.before(today),
            "permitted_at": self.permitted.before(today) if self.permitted else None,
        }


class Asker(Row):
    name: str
    email: str
    phone: str = ""
    province: str = ""


class Question(Row):
    key: str
    asker: Asker
    subject: str
    text: str
    by_mail: bool = False
    adds: str = ""
    """What its asker adds later, in answer to the acknowledgement, by mail too."""
    steps: tuple[dict[str, Any], ...] = ()

    def body(self) -> dict[str, Any]:
        person = {name: value for name, value in self.asker.model_dump().items() if value}
        return {**person, "subject": self.subject, "text": self.text, "consent": True}

    def acts(self, name: str) -> list[dict[str, Any]]:
        return [step for step in self.steps if step["act"] == name]


def _unwrapped(value: Any) -> Any:
    """The files wrap their lines; people do not. A blank line stays a paragraph."""
    if isinstance(value, str):
        return WRAP.sub(" ", value.strip())
    if isinstance(value, dict):
        return {key: _unwrapped(inner) for key, inner in value.items()}
    return [_unwrapped(inner) for inner in value] if isinstance(value, list) else value


def articles(folder: Path = HERE / "articles") -> list[Article]:
    files = sorted(folder.glob("*.yaml"))
    return [Article.model_validate(yaml.safe_load(file.read_text("utf-8"))) for file in files]


def questions(file: Path = HERE / "questions.yaml") -> list[Question]:
    rows = yaml.safe_load(file.read_text("utf-8"))
    return [Question.model_validate(_unwrapped(row)) for row in rows]


def names(file: Path = HERE / "directory.yaml") -> dict[str, str]:
    """Ids of units and user names, as they are read aloud."""
    directory = yaml.safe_load(file.read_text("utf-8"))
    units = {unit["id"]: unit["name"].replace("Bảo hiểm xã hội", "BHXH") for unit in directory["units"]}
    people = {one["username"]: f"{one['name']} ({units[one['unit']]})" for one in directory["staff"]}
    return units | people
