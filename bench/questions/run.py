"""A store of many questions: what its lists, its search, the tracking page and a unit's board take, twenty
requests a second of each at once, beside an endpoint that does nothing. ``FULL=1``: a million questions;
``ROWS``: as many as that."""

import asyncio
import contextlib
import itertools
import json
import os
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple, Protocol
from urllib.parse import quote, urlencode

import uvloop

from bench import noop
from bench.core.ground import Ground
from bench.core.report import Report, Row
from bench.figures import percentile
from bench.questions import seeding
from bench.questions.asking import Kind, Line, Request, at_once, one_by_one
from bench.questions.explaining import PAGE, Examined, examine
from bench.questions.letters import PLACES, SYLLABLES, letter
from deploy.local.ports import free_ports
from deploy.local.process import http_ready
from services.qa.domain.codes import Codes
from services.qa.queries.lists import LOOKED_AT
from shared.mongo import connect
from shared.web.session import MongoSessions
from shared.workflow import Actor

FULL: Final = os.environ.get("FULL", "") not in {"", "0"}
STORED: Final = int(os.environ.get("ROWS", "1_000_000" if FULL else "20_000"))
PUBLISHED: Final = STORED // 10
SECONDS: Final = 30.0 if FULL else 6.0
RATE: Final = 20.0
TRACKED: Final = 200 if FULL else 40  # questions with a whole record, that their askers look up
ALONE: Final = 100 if FULL else 25
PROCESSES: Final = 2
GOAL: Final = 150.0  # milliseconds
CENTRE: Final = Actor("u-ha", "Ha", "tt-cskh", frozenset({"triage", "publisher"}))
UNIT: Final = Actor("u-tuan", "Tuan", seeding.unit_of("Hà Nội"), frozenset({"answerer"}))
LOOKED_FOR: Final = (
    "thẻ bị mất", "the bi mat", "lương hưu Nghệ An", "tuất con nhỏ", "vssid mật khẩu", "công ty nợ",
    "gộp hai sổ", "bộ đội tuất", "nam sinh so bhxh lai chau", "dưỡng sức giáo viên mầm non",
    "thuế xưởng may giải thể",
)  # fmt: skip

Say = Callable[[str], None]


class Asks(Protocol):
    async def ask(self, request: Request) -> tuple[int, bytes]: ...


class Tracked(NamedTuple):
    """A question that was really asked."""

    id: str
    number: str
    code: str
    email: str


def run(folder: Path, say: Say, report: Report) -> None:
    say(f"{STORED:,} questions: starting mongod and Kafka")
    codes = Codes(seeding.SECRET)
    with Ground(folder) as ground:
        name = ground.new_database()
        say("  filling the store")
        seeding.fill(ground.mongo_uri, name, STORED, PUBLISHED, say)
        say("  what the database examines")
        _examined(asyncio.run(examine(ground.mongo_uri, name, CENTRE, UNIT, codes)), report)
        with serving(ground, name) as (urls, nothing):
            cookies = asyncio.run(signed_in(ground.mongo_uri, name))
            tracked = asyncio.run(_asked(urls[0]))
            kinds = kinds_of(urls, nothing, cookies, tracked)
            say("  one at a time")
            for kind in [*kinds, *_others(urls, cookies, tracked)]:
                spent = ground.cpu_seconds()
                uvloop.run(one_by_one(kind, ALONE))
                _alone(kind, 1000 * (ground.cpu_seconds() - spent) / ALONE, report)
            for kind in kinds:
                kind.waits.clear()
            say(f"  {RATE:.0f} requests a second of each kind")
            uvloop.run(at_once(kinds, RATE, SECONDS))
            _timed(kinds, report)


@contextlib.contextmanager
def serving(ground: Ground, database: str) -> Iterator[tuple[list[str], str]]:
    """qa in two processes, one of them with the projector, and the application that does nothing."""
    *ports, idle = free_ports(PROCESSES + 1)
    urls, nothing = [f"http://127.0.0.1:{port}" for port in ports], f"http://127.0.0.1:{idle}"
    shared = {
        "PORTAL_MONGO_DATABASE": database, "PORTAL_SECRET_KEY": seeding.SECRET, "PORTAL_QA_URL": urls[0],
        "PORTAL_TRACKING_FAILURES": "1000", "PORTAL_ASK_LIMIT": "1000000000", "PORTAL_LOG_LEVEL": "WARNING",
        "PORTAL_DIRECTORY_FILE": str(seeding.directory(ground.folder / "directory.yaml")),
    }  # fmt: skip
    with contextlib.ExitStack() as running:
        for port, url, roles in zip(ports, urls, ("api,bulk", "api"), strict=True):
            env = shared | {"PORTAL_ROLES": roles, "PORTAL_HTTP_PORT": str(port)}
            ready = http_ready(f"{url}/health/ready")
            running.enter_context(ground.running("services.qa.app", env=env, ready=ready))
        ready = http_ready(f"{nothing}/health/ready")
        running.enter_context(ground.running("bench.noop", str(idle), env={}, ready=ready))
        yield urls, nothing


async def signed_in(uri: str, name: str) -> dict[str, str]:
    database = connect(uri, name)
    sessions = MongoSessions(database.sessions)
    cookies = {}
    for by in (CENTRE, UNIT):
        record = {"kind": "session", "subject": by.subject, "name": by.name, "csrf": "x"}
        cookies[by.subject] = f"qa_session={await sessions.create(record, timedelta(hours=1))}"
    database.client.close()
    return cookies


async def _asked(url: str) -> list[Tracked]:
    line = Line(url)
    try:
        return await asked(line, TRACKED)
    finally:
        line.close()


async def asked(line: Asks, count: int) -> list[Tracked]:
    """Real questions among the others, each with its record."""
    tracked = list[Tracked]()
    for number in range(count):
        drawn, email = letter(-1 - number), f"tra-cuu-{number}@hopthu.example.vn"
        body = {
            "name": "Nguyễn Văn Đo",
            "email": email,
            "subject": drawn.subject,
            "text": drawn.text,
            "consent": True,
        }
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"tracked-{number}"}
        request = Request("POST", "/v1/questions", headers, json.dumps(body).encode())
        status, answer = await line.ask(request)
        if status != 201:
            raise RuntimeError(f"a question was not taken: {status}")
        receipt = json.loads(answer)
        tracked.append(
            Tracked(str(receipt["id"]), str(receipt["number"]), str(receipt["tracking_code"]), email)
        )
    await asyncio.sleep(1)
    return tracked


def kinds_of(urls: list[str], nothing: str, cookies: dict[str, str], tracked: list[Tracked]) -> list[Kind]:
    draw = random.Random(7)
    tabs = itertools.cycle(("new", "today", "forwarded", "late", "refused"))
    boards = itertools.cycle(("open", "today", "answered", "closed"))
    centre, unit = ({"Cookie": cookies[by.subject], "Accept": "text/html"} for by in (CENTRE, UNIT))

    def search() -> Request:
        dice = draw.random()
        if dice < 0.2:
            words = draw.choice(tracked).number
        elif dice < 0.4:
            words = f"{draw.choice(SYLLABLES)} {draw.choice(PLACES)}"
        else:
            words = f"{draw.choice(LOOKED_FOR)} {draw.choice(('', draw.choice(PLACES)))}"
        return Request("GET", f"/desk/triage?q={quote(words.strip())}", centre)

    def track() -> Request:
        whose = draw.choice(tracked)
        body = json.dumps({"code": whose.code, "email": whose.email}).encode()
        return Request("POST", "/v1/tracking", {"Content-Type": "application/json"}, body)

    return [
        Kind("triage_view", urls, lambda: Request("GET", f"/desk/triage?view={next(tabs)}", centre)),
        Kind("search", urls, search),
        Kind("tracking", urls, track),
        Kind("unit_board", urls, lambda: Request("GET", f"/desk/unit?view={next(boards)}", unit)),
        Kind("noop", [nothing], lambda: Request("POST", noop.PATH)),
    ]


def _others(urls: list[str], cookies: dict[str, str], tracked: list[Tracked]) -> list[Kind]:
    """What has no goal of its own: a question opened, with what is like it, and the public's search."""
    draw = random.Random(8)
    centre = {"Cookie": cookies[CENTRE.subject], "Accept": "text/html"}

    def public() -> Request:
        words = draw.choice(LOOKED_FOR)
        asked = {"q": words, "year": draw.choice(("", "2025"))}
        return Request("GET", f"/answers?{urlencode(asked)}", {"Accept": "text/html"})

    return [
        Kind(
            "question_opened",
            urls,
            lambda: Request("GET", f"/desk/triage/{draw.choice(tracked).id}", centre),
        ),
        Kind("public_search", urls, public),
    ]


def _timed(kinds: list[Kind], report: Report) -> None:
    for kind in kinds:
        half, far = (1000 * percentile(kind.waits, percent) for percent in (50, 99))
        note, answered = f"p50 {half:.1f} ms, {len(kind.waits)} asked", set(kind.statuses) == {200}
        if not answered:
            note += f", {dict(kind.statuses)}"
        goal, met = ("stated", None) if kind.name == "noop" else (f"<= {GOAL:.0f}", far <= GOAL and answered)
        report.add(Row(f"{kind.name}_p99_ms", far, goal, met, note=note))


def _alone(kind: Kind, processor: float, report: Report) -> None:
    half, far = (1000 * percentile(kind.waits, percent) for percent in (50, 99))
    note = f"one at a time; p99 {far:.1f} ms, {processor:.1f} ms of processor, {kind.largest / 1000:.0f} KB"
    report.add(Row(f"{kind.name}_alone_p50_ms", half, "stated", note=note))


def _examined(found: list[Examined], report: Report) -> None:
    scans = [each.view for each in found if each.scan]
    report.add(
        Row("views_that_scan", len(scans), "= 0", not scans, note=", ".join(scans) or f"of {len(found)}")
    )
    for name, chosen, most in (
        ("list", [each for each in found if not _looks_for_words(each)], 8 * PAGE),
        ("search", [each for each in found if _looks_for_words(each)], LOOKED_AT + 8 * PAGE),
    ):
        worst = max(chosen, key=lambda each: each.documents)
        note = f"{worst.view}; {max(each.keys for each in chosen):,} keys at most"
        report.add(Row(
            f"examined_by_a_{name}_at_most", worst.documents, f"<= {most}", worst.documents <= most, note=note
        ))  # fmt: skip


def _looks_for_words(each: Examined) -> bool:
    return any(word in each.view for word in ("search", "likely", "matter", "facets"))
