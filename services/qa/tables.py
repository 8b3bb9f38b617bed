"""Số liệu mang về, tệp XLSX: the figures, and the questions behind them; no name and no word of an asker."""

import tempfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import xlsxwriter  # type: ignore[import-untyped]

from services.qa.queries.figures import KINDS_VI, Figures
from services.qa.queries.history import GROUND_VI
from services.qa.regulation import OUTCOME_VI, STATUS_VI, Status
from shared.calendar import VIETNAM
from shared.contracts.qa import Outcome, RefusalGround

FIGURE_HEADS: Final = ("Tháng", "Đơn vị", *KINDS_VI.values(), "Đúng hạn (%)", "Trung vị (ngày làm việc)")
ROW_HEADS: Final = (
    "Số tiếp nhận", "Tháng", "Đơn vị", "Trạng thái", "Kết quả", "Căn cứ", "Nhận lúc", "Tính từ ngày",
    "Hạn trả lời", "Trả lời lúc", "Gửi lúc", "Đăng lúc", "Xong lúc", "Số lần báo quá trình", "Phức tạp",
    "Đính chính", "Đánh giá",
)  # fmt: skip
SAFE: Final[Mapping[str, Any]] = {
    "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
    "strings_to_numbers": False,
}  # fmt: skip


class Book:
    """Written row by row, in memory that does not grow."""

    def __init__(self) -> None:
        with tempfile.NamedTemporaryFile(prefix="figures-", suffix=".xlsx", delete=False) as file:
            self.path = Path(file.name)
        self._book = xlsxwriter.Workbook(str(self.path), dict(SAFE))
        self._bold = self._book.add_format({"bold": True})

    def figures(self, rows: Iterable[Figures], units: Mapping[str, str]) -> None:
        sheet = self._sheet("Số liệu", FIGURE_HEADS)
        for place, row in enumerate(rows, 1):
            rate = "" if row.rate is None else round(row.rate, 1)
            median = "" if row.median_days is None else row.median_days
            name = units.get(row.unit, row.unit) or "Chưa chuyển đơn vị"
            sheet.write_row(place, 0, (row.month, name, *row.counts.values(), rate, median))

    def questions(self, rows: Iterable[Mapping[str, Any]], units: Mapping[str, str], start: int) -> int:
        """Appends; returns where the next rows go."""
        if not start:
            self._rows = self._sheet("Câu hỏi", ROW_HEADS)
            start = 1
        for row in rows:
            self._rows.write_row(start, 0, cells_of(row, units))
            start += 1
        return start

    def _sheet(self, name: str, heads: tuple[str, ...]) -> Any:
        sheet = self._book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(heads) - 1, 18)
        sheet.write_row(0, 0, heads, self._bold)
        return sheet

    def close(self) -> None:
        self._book.close()

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)


def cells_of(row: Mapping[str, Any], units: Mapping[str, str]) -> tuple[Any, ...]:
    """Instants in Vietnamese time, days as YYYY-MM-DD, so that they sort."""
    outcome, ground = row.get("outcome"), row.get("ground")
    return (
        row["number"], row["month"], units.get(row["unit"], row["unit"]), STATUS_VI[Status(row["status"])],
        OUTCOME_VI[Outcome(outcome)] if outcome else "", GROUND_VI[RefusalGround(ground)] if ground else "",
        _time(row["received_at"]), row["sorted_on"], _time(row.get("reply_due_at")),
        _time(row.get("answered_at")), _time(row.get("sent_at")), _time(row.get("published_at")),
        _time(row.get("closed_at")), row.get("rounds", 0), "có" if row.get("complex") else "",
        row.get("correction", 0), row.get("rating", ""),
    )  # fmt: skip


def _time(instant: datetime | None) -> str:
    return f"{instant.astimezone(VIETNAM):%Y-%m-%d %H:%M}" if instant else ""
