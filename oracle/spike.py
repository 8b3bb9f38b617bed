"""A rush of questions while processes die: ``python -m oracle.spike``. Two thousand a minute come in for five
minutes, a clerk refuses some of them, the active relay and a worker of qa are killed in the middle; then each
acknowledged question is on record with its letter and its clocks, and refusals have reached the mail server
within a second."""

import argparse
import asyncio
import contextlib
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import psutil  # type: ignore[import-untyped]

from deploy.demo.edges import Edges
from deploy.local.process import Trouble
from deploy.local.system import System
from oracle.client import Client, Command, Gone
from oracle.evidence import Collector, Evidence, Holders
from oracle.findings import Finding
from oracle.quiet import quiet
from oracle.run import judge
from oracle.spike_judge import (
    Asked,
    accepted_at,
    clocks,
    figures,
    is_slow,
    letters,
    refusal_waits,
)
from services.notifier.queries import projections as notifier_projections
from services.notifier.settings import NotifierSettings
from shared.projections import Projection

PATIENCE: Final = 120.0
WARM_UP: Final = 20  # questions, and a tenth of them refused, before the clock of the measure begins
TWICE: Final = 0.02  # of those who ask do so a second time; each makes one question
RELAYING: Final = "worker,bulk,relay"
PLACES: Final = ("Hà Nội", "Quảng Ngãi", "Cần Thơ", "Đà Nẵng", "Lâm Đồng", "Nghệ An")
MATTERS: Final = (
    ("Rút bảo hiểm xã hội một lần", "Tôi nghỉ việc đã lâu, sổ còn ở công ty cũ. Tôi cần những giấy tờ gì?"),
    ("Thẻ bảo hiểm y tế sai ngày sinh", "Thẻ của tôi ghi sai ngày sinh, khám bệnh bị từ chối. Sửa ở đâu?"),
    ("Lương hưu tháng này chưa nhận", "Mẹ tôi đổi tài khoản ngân hàng và chưa nhận được lương hưu. Hỏi ai?"),
    ("Đóng tự nguyện cho người bán hàng", "Tôi bán hàng ở chợ, muốn đóng tự nguyện theo quý có được không?"),
    ("Cấp đổi căn cước cho con", "Con tôi đến tuổi làm căn cước thì nộp hồ sơ ở đâu, mang theo những gì?"),
)
REFUSAL: Final = {
    "ground": "out_of_scope", "explanation": "Việc này không thuộc phạm vi, chức năng của cơ quan.",
    "referral": "advised_asker", "agency": "Công an cấp xã nơi cư trú",
}  # fmt: skip


@dataclass(frozen=True)
class Size:
    """Seconds from the first question on. ``down``: how long who was killed stays away, longer than a lease
    lives, so that another must take over."""

    seconds: float = 60.0
    per_minute: int = 2000
    refusals: int = 60  # a minute
    relay_at: float = 10.0
    worker_at: float = 35.0
    down: float = 12.0


FULL: Final = Size(seconds=300.0, relay_at=90.0, worker_at=190.0)


@dataclass
class Rush:
    """What the client has seen."""

    asked: list[Asked] = field(default_factory=list)
    refused: list[Command] = field(default_factory=list)
    measured: set[str] = field(default_factory=set)  # streams whose refusal counts
    killed: list[str] = field(default_factory=list)


class Ran:
    """qa's edge alone in one process, two that work and relay behind it; the notifier as in ``make run``."""

    def __init__(self, folder: Path) -> None:
        self.system = System(folder, env={"PORTAL_LOG_LEVEL": "WARNING"}, apart=True)
        self.behind: list[str] = []

    def start(self) -> None:
        self.system.start()
        self.behind = [self.system.add_replica("qa", roles=RELAYING) for _ in range(2)]
        self.system.stop_process("qa")
        self.system.start_process("qa", {"PORTAL_ROLES": "api"})

    def spent(self) -> dict[str, float]:
        """Processor seconds of each process since it began."""
        pids = {name: self.system.pid(name) for name in self.system.names()}
        times = {name: psutil.Process(pid).cpu_times() for name, pid in pids.items() if pid}
        return {name: time.user + time.system for name, time in times.items()}

    def raised(self, name: str) -> None:
        """As long as it takes, on a busy machine."""
        for _ in range(5):
            with contextlib.suppress(Trouble, OSError):
                return self.system.start_process(name)
        return None


class Spike(Collector):
    """The product's own settings; mails are read where the mail server keeps them."""

    def __init__(self, ran: Ran) -> None:
        super().__init__(ran)
        self._mail = ran.system.data / "mail"
        self.accepted: dict[str, list[float]] = {}

    async def _edges(self, found: Evidence) -> None:
        self.accepted = await asyncio.to_thread(accepted_at, self._mail)
        found.mails = [id for id, times in self.accepted.items() for _ in times]

    def projections(self, service: str) -> Sequence[Projection]:
        if service == "notifier":
            return notifier_projections(NotifierSettings().policy())
        return super().projections(service)

    async def relaying(self) -> str:
        lease = await self.databases["qa"].leases.find_one({"_id": "relay"}) or {}
        return str(lease.get("holder", ""))


def body(number: int) -> dict[str, Any]:
    """No two alike, and nobody asks twice."""
    subject, text = MATTERS[number % len(MATTERS)]
    return {
        "name": f"Nguyễn Thị Hoa {number}", "email": f"nguoi-hoi-{number}@hopthu.example.vn",
        "province": PLACES[number % len(PLACES)], "subject": f"{subject}, hồ sơ {number}",
        "text": f"{text} Mã hồ sơ của tôi là {number}. " + "Tôi đã hỏi ở xã nhưng chưa rõ. " * (number % 9),
        "consent": True,
    }  # fmt: skip


async def ask(client: Client, number: int, rush: Rush) -> None:
    asked = Asked(number, sent_at=time.time())
    rush.asked.append(asked)
    with contextlib.suppress(Gone):
        command = await client.do(f"spike{number:06}", "ask", "qa", "/v1/questions", body(number))
        asked.answered_at, asked.id = time.time(), str(command.answer.get("id", ""))


async def refuse(client: Client, asked: Asked, rush: Rush, *, measured: bool = True) -> None:
    if measured:
        rush.measured.add(f"question-{asked.id}")
    with contextlib.suppress(Gone):
        life, path = f"spike{asked.number:06}", f"/v1/questions/{asked.id}/refusal"
        rush.refused.append(await client.do(life, "refuse", "qa", path, REFUSAL, by="ha"))


async def rushed(client: Client, size: Size, rush: Rush) -> None:
    """At its own pace, whether or not what was asked has been answered."""
    began, count = time.monotonic(), round(size.seconds * size.per_minute / 60)
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            await _until(began + number * 60 / size.per_minute)
            group.create_task(ask(client, WARM_UP + number, rush))


async def clerk(client: Client, size: Size, rush: Rush) -> None:
    """Refuses at an even pace, of what has been acknowledged, drawn with a fixed seed."""
    draw, began, done = random.Random("clerk"), time.monotonic(), set[str]()
    async with asyncio.TaskGroup() as group:
        for turn in range(1, round(size.seconds * size.refusals / 60)):
            await _until(began + turn * 60 / size.refusals)
            waiting = [asked for asked in rush.asked[WARM_UP:] if asked.id and asked.id not in done]
            if waiting:
                chosen = draw.choice(waiting)
                done.add(chosen.id)
                group.create_task(refuse(client, chosen, rush))


async def kills(ran: Ran, spike: Spike, size: Size, rush: Rush) -> None:
    """The active relay, and later one of the workers that does not relay."""
    began = time.monotonic()
    await _until(began + size.relay_at)
    relay = await spike.relaying()
    await asyncio.gather(_away(ran, relay, size, rush), _taken_over(spike, relay))
    await _until(began + size.worker_at)
    relaying = await spike.relaying()
    await _away(ran, next(name for name in ran.behind if name != relaying), size, rush)


async def _away(ran: Ran, name: str, size: Size, rush: Rush) -> None:
    await asyncio.to_thread(ran.system.kill, name)
    rush.killed.append(name)
    say(f"{name} is killed")
    await asyncio.sleep(size.down)
    await asyncio.to_thread(ran.raised, name)
    say(f"{name} is up again")


async def _taken_over(spike: Spike, relay: str) -> None:
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        await asyncio.sleep(0.05)
        holder = await spike.relaying()
        if holder != relay:
            say(f"{holder} relays in its place after {time.monotonic() - began:.1f} s")
            return


async def _until(when: float) -> None:
    await asyncio.sleep(max(0.0, when - time.monotonic()))


async def run(folder: Path, size: Size, *, whole: bool) -> tuple[list[Finding], dict[str, Any]]:
    ran, rush, began = Ran(folder), Rush(), time.monotonic()
    try:
        await asyncio.to_thread(ran.start)
        say(f"the system is up after {time.monotonic() - began:.0f} s")
        edges, spike = Edges(ran.system.urls, ran.system.passwords, "spike"), Spike(ran)
        client = Client(edges, ran.system.urls, lambda service: [service], int(began), twice=TWICE)
        holders = Holders({})
        watch = asyncio.create_task(spike.watch_holders(holders))
        try:
            await _warmed(client, edges, rush)
            before = ran.spent()
            await asyncio.gather(
                rushed(client, size, rush), clerk(client, size, rush), kills(ran, spike, size, rush)
            )
            over = time.monotonic()
            left = await quiet(spike, PATIENCE)
            say(f"quiet {time.monotonic() - over:.0f} s after the last; left: {left or 'nothing'}")
            say(_costs(before, ran.spent(), len(rush.asked) - WARM_UP))
            found = await spike.all()
            found.holders = holders
        finally:
            watch.cancel()
            await client.close()
            edges.close()
            spike.close()
    finally:
        await asyncio.to_thread(ran.system.stop)
    findings = [*judge(client.ledger, [], found, left), *letters(rush.asked, found)]
    wrong = list(clocks(rush.asked, found))
    waits = refusal_waits(found, spike.accepted, rush.measured)
    told = figures(rush.asked[WARM_UP:], rush.killed, findings, wrong, waits)
    return [*findings, *wrong, *(is_slow(told, size.per_minute) if whole else ())], told


async def _warmed(client: Client, edges: Edges, rush: Rush) -> None:
    await asyncio.to_thread(edges.token, "ha")
    await asyncio.gather(*(ask(client, number, rush) for number in range(WARM_UP)))
    for asked in rush.asked[: WARM_UP // 10]:
        await refuse(client, asked, rush, measured=False)


def _costs(before: dict[str, float], after: dict[str, float], questions: int) -> str:
    """Of who was killed, from its new beginning on."""
    spent = {name: at - (before[name] if at >= before[name] else 0.0) for name, at in after.items()}
    told = ", ".join(f"{name} {1000 * each / questions:.1f}" for name, each in spent.items() if each > 1)
    return f"processor ms a question: {1000 * sum(spent.values()) / questions:.1f} ({told})"


def say(text: str) -> None:
    print(f"  {text}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m oracle.spike", description=__doc__)
    parser.add_argument("--full", action="store_true", help="five minutes, and refusals within a second")
    parser.add_argument("--per-minute", type=int, default=0, help="questions, instead of two thousand")
    parser.add_argument("--data", default="", help="folder of the run; a fresh one otherwise")
    wanted: Any = parser.parse_args()
    folder = Path(wanted.data) if wanted.data else Path(tempfile.mkdtemp(prefix="spike-"))
    size = FULL if wanted.full else Size()
    size = replace(size, per_minute=wanted.per_minute or size.per_minute)
    findings, told = asyncio.run(run(folder / "run", size, whole=wanted.full))
    for finding in findings[:25]:
        say(str(finding))
    if findings:
        every = Counter(f"{finding.kind} {finding.check}" for finding in findings)
        say(f"… {len(findings)} findings: {dict(every)}; what the servers left is in {folder}")
    elif not wanted.data:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"spike: {' '.join(f'{name}={value}' for name, value in told.items())}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
