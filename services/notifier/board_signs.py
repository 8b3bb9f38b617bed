"""The register's vital signs in words (dấu hiệu): what is looked at, how it stands, whether that is well."""

from dataclasses import dataclass
from typing import Final

from services.notifier.board_vitals import Vitals
from services.notifier.regulation import Lane
from shared.web.vietnamese import number

SILENT: Final = 10.0  # seconds without a heartbeat
LATE: Final = 30.0  # of the slowest breach in a hundred
TODAY: Final = 60.0  # that somebody waits who must be told today
OWED: Final = 900.0  # that a notice waits which the law demands
SOME: Final = 1800.0  # that any other mail waits
WORDS: Final = {"ok": "Bình thường", "warn": "Cần theo dõi", "bad": "Cần xử lý ngay", "": "Chưa có số liệu"}


@dataclass(frozen=True, slots=True)
class Sign:
    name: str
    measure: str
    state: str = "ok"  # ok, warn, bad; empty: not known

    @property
    def word(self) -> str:
        return WORDS[self.state]


def lasting(seconds: float) -> str:
    """0,4 giây; 12 giây; 3 phút; 2 giờ."""
    if seconds < 120:
        return f"{number(round(seconds, 1) if seconds < 10 else round(seconds))} giây"
    minutes = round(seconds / 60)
    return f"{minutes} phút" if minutes < 120 else f"{number(round(minutes / 60, 1))} giờ"


def signs_of(found: Vitals) -> list[Sign]:
    return [
        _heartbeat(found), _unfired(found), _lag(found), _today(found), _mail(found), _unreached(found),
        _clocks(found), _calendar(found),
    ]  # fmt: skip


def _heartbeat(found: Vitals) -> Sign:
    if found.heartbeat is None:
        return Sign("Nhịp tim", "chưa nghe bản sao nào", "bad")
    heard = f"nghe {lasting(found.heartbeat)} trước"
    return Sign("Nhịp tim", heard, "bad" if found.heartbeat > SILENT else "ok")


def _unfired(found: Vitals) -> Sign:
    name = "Đến giờ mà chưa phát"
    if not found.unfired:
        return Sign(name, "không có")
    count = f"{number(found.unfired)} việc, lâu nhất {lasting(found.oldest)}"
    return Sign(name, count, "bad" if found.late else "warn" if found.oldest > LATE else "ok")


def _lag(found: Vitals) -> Sign:
    name = "Độ trễ báo quá hạn, 24 giờ"
    if not found.lags:
        return Sign(name, "chưa có lần nào")
    half, most = found.lags["0.5"], found.lags["0.99"]
    words = f"p50 {lasting(half)}, p99 {lasting(most)} ({number(found.fired)} lần)"
    return Sign(name, words, "warn" if most > LATE else "ok")


def _today(found: Vitals) -> Sign:
    waited = found.waiting[Lane.URGENT.value]
    words = f"chờ lâu nhất {lasting(waited)}" if waited else "không thư nào chờ"
    return Sign("Thư phải báo ngay trong ngày", words, "bad" if waited > TODAY else "ok")


def _mail(found: Vitals) -> Sign:
    owed = found.waiting[Lane.STATUTORY.value]
    others = max(found.waiting[lane.value] for lane in (Lane.COURTESY, Lane.INTERNAL, Lane.SIGNAL))
    if not owed and not others:
        return Sign("Thư khác", "không thư nào chậm")
    state = "bad" if owed > OWED else "warn" if others > SOME else "ok"
    return Sign("Thư khác", f"bắt buộc: {lasting(owed)}; còn lại: chậm {lasting(others)}", state)


def _unreached(found: Vitals) -> Sign:
    name = "Chưa báo được bằng cách nào"
    if not found.unreached:
        return Sign(name, "không ai")
    return Sign(name, f"{number(found.unreached)} người, cần báo bằng cách khác", "bad")


def _clocks(found: Vitals) -> Sign:
    return Sign("Đồng hồ", " ".join(found.clocks), "bad") if found.clocks else Sign("Đồng hồ", "khớp nhau")


def _calendar(found: Vitals) -> Sign:
    moving = found.moving
    if moving is None:
        return Sign("Áp dụng lịch làm việc", "không có lịch nào đang áp dụng")
    of = f"/{number(moving.total)}" if moving.total is not None else ""
    words = f"lịch {moving.calendar}: đã xét {number(moving.examined)}{of} hạn, {lasting(moving.seconds)}"
    return Sign("Áp dụng lịch làm việc", words, "bad" if moving.seconds > 10 * TODAY else "warn")
