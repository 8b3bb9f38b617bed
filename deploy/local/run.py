"""`make run`: start the system, let its first day's work run, show where everything is, stay until Ctrl-C."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from deploy.local.kafka import REPO
from deploy.local.ports import Ports
from deploy.local.process import Process, Trouble
from deploy.local.system import System
from deploy.local.wiring import PORTALS, SERVICES, settings_of

BEGAN: Final = "RUN_BEGAN"  # when `make run` was typed, by the bootstrap
RESTARTS: Final = 3
RESTART_WINDOW: Final = 60.0

WHAT: Final = {
    "content": "Bài viết: soạn, duyệt, đăng; trang chủ của cổng",
    "qa": "Hỏi đáp: gửi câu hỏi, tra cứu, phân loại, trả lời",
    "sync": "Liên kết: chuyển bài sang các cổng đối tác",
    "notifier": "Hạn và thư báo; bảng điều hành",
    "issuer": "Đăng nhập của cán bộ (chạy thử)",
    "mail": "Hộp thư: mọi thư đã gửi, đọc được tại đây",
    "signals": "Tin nhắn (SMS) và kênh trực đã gửi, đọc được tại đây",
    "scanner": "Máy quét mã độc: đã nói gì về từng tệp đính kèm",
}


class _Asked(Exception):
    """Ctrl-C, a SIGTERM, or the terminal went away."""


class _Terminal(Console):
    """A console that may vanish: what can no longer be said must not keep us from stopping in order."""

    def print(self, *objects: Any, **options: Any) -> None:
        try:
            super().print(*objects, **options)
        except OSError:
            self.quiet = True

    def on_broken_pipe(self) -> None:
        self.quiet = True


def main() -> int:
    console = _Terminal(highlight=False, width=None if sys.stdout.isatty() else 120)
    asked = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        if not asked.is_set():
            asked.set()
            raise _Asked

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ask)

    system: System | None = None
    try:
        data = Path(os.environ.get("DATA", REPO / ".data"))
        system = System(
            data,
            Ports.fixed(),
            settings_of(os.environ),
            signals=True,
            scanner=True,
            apart=True,
            told=lambda name, seconds: console.print(f"  {seconds:5.1f} s  {name}"),
        )
        _run(system, console)
    except _Asked:
        return 0
    except Trouble as trouble:
        asked.set()
        console.print(f"\n[bold red]It did not start.[/bold red] {_plain(str(trouble))}")
        return 1
    except OSError as error:
        asked.set()
        console.print(f"\n[bold red]It stopped.[/bold red] {_plain(_sentence(error))}")
        return 1
    finally:
        if system is not None and system.running:
            _stop(system, console)


def _run(system: System, console: Console) -> NoReturn:
    console.print("[bold]Starting[/bold]")
    began = float(os.environ.pop(BEGAN, time.time()))
    system.start()
    if system.cleared:
        console.print(f"A killed run had left {', '.join(system.cleared)}; they were stopped first.")
    console.print(f"[bold]Everything answers after {time.time() - began:.1f} s.[/bold]")
    watch = _Watch(system, console)
    _day(system, console, watch)
    _addresses(system, console)
    while True:
        watch.look()
        time.sleep(0.3)


def _plain(text: str) -> str:
    return text.replace("[", r"\[")


def _sentence(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "The disk is full. Free some space and `make run` again: nothing acknowledged is lost."
    return f"{error.strerror or error}: {error.filename or 'no file named'}. Mend it and `make run` again."


def _day(system: System, console: Console, watch: _Watch) -> None:
    """The first day's work, once a data folder; a child of its own, because it is a user and not a part."""
    done = system.data / "day-done"
    if os.environ.get("DEMO", "").lower() == "off" or done.exists():
        return
    console.print("\n[bold]Một ngày làm việc[/bold]")
    told = {"DAY_URLS": json.dumps(system.urls), "DAY_PASSWORDS": json.dumps(system.passwords)}
    began = time.monotonic()
    day = subprocess.Popen(
        [sys.executable, "-m", "deploy.demo.day"],
        env={**os.environ, **told, "PYTHONUNBUFFERED": "1"},
        cwd=REPO,
        start_new_session=True,
    )
    try:
        while day.poll() is None:
            watch.look()
            time.sleep(0.1)
    finally:
        if day.poll() is None:
            day.kill()
            day.wait()
    if day.returncode == 0:
        done.write_text(time.strftime("%Y-%m-%dT%H:%M:%S%z\n"), encoding="utf-8")
        console.print(f"[bold]The day's work is done, in {time.monotonic() - began:.1f} s.[/bold]")
    else:
        console.print(
            f"[bold red]The day's work stopped (code {day.returncode});[/bold red] its last line says where. "
            f"The system stays up; its logs are in {system.data / 'log'}. The next `make run` tries again."
        )


def _addresses(system: System, console: Console) -> None:
    places = Table(box=SIMPLE_HEAD, title="Địa chỉ", title_justify="left", title_style="bold")
    places.add_column("Nơi")
    places.add_column("Là gì")
    for name in (*SERVICES, "issuer", "mail", "signals", "scanner"):
        places.add_row(system.urls[name], WHAT[name])
    for portal in PORTALS:
        places.add_row(system.urls[portal.id], portal.name)
    people = Table(box=SIMPLE_HEAD, title="Người dùng thử", title_justify="left", title_style="bold")
    for heading in ("Tên", "Mật khẩu một lần", "Họ tên"):
        people.add_column(heading, no_wrap=True)
    people.add_column("Vai trò")
    roomy = console.width >= 110
    if roomy:
        people.add_column("Đơn vị")
    for person in system.people:
        roles = "; ".join(f"{service}: {', '.join(names)}" for service, names in person.roles.items())
        row = [person.username, system.passwords[person.username], person.name, roles]
        people.add_row(*row, *([person.unit] if roomy else []))
    console.print(places, people)
    console.print(
        f"Data: {system.data}   Logs: {system.data / 'log'}   [bold]Ctrl-C stops everything.[/bold]"
    )


class _Watch:
    """Tells when a process dies, and starts it again unless it keeps dying."""

    def __init__(self, system: System, console: Console) -> None:
        self.system, self.console = system, console
        self.deaths: defaultdict[str, list[float]] = defaultdict(list)

    def look(self) -> None:
        for process in self.system.fallen():
            self.console.print(f"\n[bold red]Died:[/bold red] {_plain(process.obituary())}")
            now = time.monotonic()
            recent = [at for at in self.deaths[process.name] if now - at < RESTART_WINDOW]
            self.deaths[process.name] = [*recent, now]
            if len(recent) < RESTARTS:
                self._restart(process)
            else:
                process.wanted = False
                self.console.print(
                    f"{process.name} keeps dying and is left down. Read its log, mend the cause, then Ctrl-C "
                    "and `make run`."
                )

    def _restart(self, process: Process) -> None:
        began = time.monotonic()
        try:
            self.system.start_process(process.name)
        except Trouble as trouble:
            self.console.print(f"It did not come back: {_plain(str(trouble))}")
        else:
            self.console.print(
                f"{process.name} was started again and answers after {time.monotonic() - began:.1f} s."
            )


def _stop(system: System, console: Console) -> None:
    console.print("\nStopping; at most ten seconds.")
    began = time.monotonic()
    unwilling = system.stop()
    if unwilling:
        console.print(f"Had to be ended by force: {', '.join(unwilling)}.")
    console.print(f"Stopped after {time.monotonic() - began:.1f} s. The data stays in {system.data}.")


if __name__ == "__main__":
    sys.exit(main())
