"""A year of the calendar as a form: rows as they are typed, room for more, and each error at its field."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import ValidationError

from services.notifier.api.calendar_drafts import RowsBody
from shared.calendar import CalendarData
from shared.calendar_data.draft import draft_year
from shared.errors import Forbidden, PortalError
from shared.web.problems import field_errors

MORE: Final = 5
KINDS: Final = (("holiday", "Nghỉ"), ("swap_off", "Nghỉ hoán đổi"), ("makeup", "Làm bù"))
COLUMNS: Final = ("date", "kind", "vi", "en", "by")
WORDS: Final = {
    ("date", "value_error"): "Hãy chọn ngày.",
    ("vi", "string_too_short"): "Hãy viết lý do bằng tiếng Việt.",
    ("en", "string_too_short"): "Hãy viết lý do bằng tiếng Anh.",
    ("by", "string_pattern_mismatch"): "Hãy chọn khóa của văn bản quyết định.",
    ("document", "string_too_short"): "Cần số, ngày của văn bản quyết định.",
    ("reason", "string_too_short"): "Hãy cho biết vì sao bỏ bản thảo.",
}  # fmt: skip
EMPTY: Final = {"date": "", "kind": "holiday", "vi": "", "en": "", "by": ""}


@dataclass(frozen=True)
class Sheet:
    """``known``: documents that are there already; ``added``: those that the keeper names, (key, text)."""

    base: str
    year: int
    provisional: bool
    rows: tuple[Mapping[str, str], ...]
    added: tuple[tuple[str, str], ...]
    known: tuple[tuple[str, str], ...]
    from_law: bool = False

    @classmethod
    def of_year(cls, data: CalendarData, year: int, base: str) -> "Sheet":
        """The year as it stands; one that is not there yet, as the law lets expect. Raises
        CalendarYearNotDrafted."""
        documents = dict(data.documents)
        there = next((each for each in data.years if each.year == year), None)
        drafted = None if there else draft_year(year)
        found = there or (drafted.rows if drafted else None)
        assert found is not None  # noqa: S101 (one of the two)
        added = tuple((k, v) for k, v in (drafted.documents if drafted else {}).items() if k not in documents)
        rows = tuple({**row.model_dump(mode="json")} for row in found.days)
        return cls(base, year, found.provisional, (*rows, *[EMPTY] * MORE), (*added, ("", "")),
                   tuple(documents.items()), from_law=drafted is not None)  # fmt: skip

    def longer(self) -> "Sheet":
        return replace(self, rows=(*self.rows, *[EMPTY] * MORE), added=(*self.added, ("", "")))

    def written(self) -> list[tuple[int, Mapping[str, str]]]:
        """Rows with anything in them besides their kind, each with its place on the page. A row whose day was
        cleared is struck out."""
        return [(n, row) for n, row in enumerate(self.rows) if row["date"].strip()]

    def body(self) -> RowsBody:
        """Raises pydantic's ValidationError."""
        days = [{name: row[name] for name in COLUMNS} for _, row in self.written()]
        documents = {key.strip(): text for key, text in self.added if key.strip() or text.strip()}
        year = {"year": self.year, "provisional": self.provisional, "days": days}
        return RowsBody.model_validate({"documents": documents, "years": [year]})

    def place(self, field: str) -> str:
        """The id on the page of a field of the body: years.0.days.3.date → r5-date."""
        parts = field.split(".")
        if len(parts) >= 4 and parts[0] == "years" and parts[2] == "days":
            number = self.written()[int(parts[3])][0]
            return f"r{number}-{parts[4] if len(parts) > 4 else 'date'}"
        if parts[0] == "documents":
            return "doc-0"
        return "r0-date" if field == "years" else field


def sheet_of(fields: Mapping[str, Any]) -> Sheet:
    """As it was typed. Lists of one length are ours; a shorter one comes from no form of this page."""
    columns = {name: _texts(fields.get(name)) for name in COLUMNS}
    count = max(len(texts) for texts in columns.values())
    rows = tuple(
        {name: columns[name][n] if n < len(columns[name]) else "" for name in COLUMNS} for n in range(count)
    )
    year = str(fields.get("year", ""))
    return Sheet(
        base=str(fields.get("base", "")), year=int(year) if year.isdecimal() else 0, rows=rows,
        provisional=bool(fields.get("provisional")),
        added=tuple(zip(_texts(fields.get("doc_key")), _texts(fields.get("doc_text")), strict=False)),
        known=(),
    )  # fmt: skip


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def summary_of(error: Exception, sheet: Sheet | None = None) -> dict[str, str]:
    """Errors by the id of their field. Raises what no form can mend."""
    if isinstance(error, Forbidden):
        raise error
    if isinstance(error, ValidationError):
        found = field_errors(error.errors())
    elif isinstance(error, PortalError):
        found = list(error.extra.get("errors", ()))
        if not found:
            return {"": error.detail or error.title_vi}
    else:
        raise error
    said = {}
    for each in found:
        words = WORDS.get((each["field"].rpartition(".")[2], each.get("type", "")), each["message"])
        said[sheet.place(each["field"]) if sheet else each["field"]] = words
    return said
