"""The register as a table to take away: one row a deadline, no name and no word of a citizen in it."""

import csv
import io
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import xlsxwriter  # type: ignore[import-untyped]
from defusedcsv import csv as safe_csv  # type: ignore[import-untyped]

from services.notifier.views import DeadlineView
from shared.calendar import VIETNAM

BATCH: Final = 1000
HEADS: Final = (
    "Hồ sơ", "Việc", "Đơn vị", "Tên đơn vị", "Bắt đầu tính", "Mốc", "Số ngày làm việc", "Ngày cuối",
    "Hết hạn", "Trạng thái", "Xong lúc", "Đã nhắc", "Báo quá hạn", "Báo cấp trên", "Dời từ", "Văn bản dời",
    "Căn cứ", "Lịch", "Tạm tính", "Mã thời hạn",
)  # fmt: skip
WIDTHS: Final = (22, 34, 16, 34, 18, 26, 10, 12, 18, 20, 18, 40, 18, 24, 18, 30, 40, 14, 10, 38)


def row_of(d: DeadlineView) -> tuple[Any, ...]:
    """Instants in Vietnamese time, days as YYYY-MM-DD, so that they sort."""
    told = "; ".join(f"{each.stage_vi} {_time(each.at)}" for each in d.reminders)
    days = "" if d.working_days is None else d.working_days
    return (
        d.label, d.duty_vi, d.unit, d.unit_name, _time(d.started_at), d.start_reason, days,
        d.last_day.isoformat(), _time(d.due_at), d.state_vi, _time(d.ended_at), told, _time(d.breached_at),
        d.escalated_vi, _time(d.moved_from), d.moved_by, d.basis_vi, d.calendar_version,
        "tạm tính" if d.provisional else "", d.id,
    )  # fmt: skip


def _time(instant: Any) -> str:
    return f"{instant.astimezone(VIETNAM):%Y-%m-%d %H:%M}" if instant else ""


async def as_csv(batches: AsyncIterator[Iterable[DeadlineView]]) -> AsyncIterator[bytes]:
    """UTF-8 with a mark, so that spreadsheets read the Vietnamese; a cell that would be a formula is not."""
    yield b"\xef\xbb\xbf" + _lines([HEADS])
    async for batch in batches:
        yield _lines(map(row_of, batch))


def _lines(rows: Iterable[Iterable[Any]]) -> bytes:
    out = io.StringIO()
    writer = safe_csv.writer(out, dialect=csv.excel)
    writer.writerows(rows)
    return out.getvalue().encode()


class Workbook:
    """An XLSX file written row by row, in memory that does not grow."""

    def __init__(self) -> None:
        with tempfile.NamedTemporaryFile(prefix="deadlines-", suffix=".xlsx", delete=False) as file:
            self.path = Path(file.name)
        options: Mapping[str, Any] = {
            "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
            "strings_to_numbers": False,
        }  # fmt: skip
        self._book = xlsxwriter.Workbook(str(self.path), dict(options))
        self._sheet = self._book.add_worksheet("Hạn")
        for column, width in enumerate(WIDTHS):
            self._sheet.set_column(column, column, width)
        self._sheet.freeze_panes(1, 0)
        self._sheet.write_row(0, 0, HEADS, self._book.add_format({"bold": True}))
        self._row = 0

    def write(self, batch: Iterable[DeadlineView]) -> None:
        for d in batch:
            self._row += 1
            self._sheet.write_row(self._row, 0, row_of(d))

    def close(self) -> None:
        self._sheet.autofilter(0, 0, max(self._row, 1), len(HEADS) - 1)
        self._book.close()

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
