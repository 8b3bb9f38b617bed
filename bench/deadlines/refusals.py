"""From the answer to «refuse» until the mail server has the asker's letter, quiet and while warnings of a
whole country are being sent: the lane of what must be told today waits behind nothing."""

import re
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient

from bench import measures
from bench.deadlines import seeding
from deploy.demo.edges import Edges
from deploy.local.system import System
from shared.calendar import CALENDAR
from shared.contracts.clocks import clock_for
from shared.mongo import to_document

REFUSALS: Final = 40
WARM_UP: Final = 3
PACE: Final = 0.1  # seconds between two: one clerk, not a flood
HEAD: Final = 16 * 1024
BODY: Final = {
    "ground": "out_of_scope", "explanation": "Việc này không thuộc phạm vi, chức năng của cơ quan.",
    "referral": "advised_asker", "agency": "Công an cấp xã nơi cư trú",
}  # fmt: skip
RECEIVED: Final = re.compile(rb"^X-Received-At:\s*(\S+)", re.MULTILINE)
MESSAGE_ID: Final = re.compile(rb"^Message-ID:\s*(<[^>]+>)", re.IGNORECASE | re.MULTILINE)


def quiet_and_loaded(folder: Path, warnings: int) -> tuple[list[float], list[float], int]:
    """Seconds each, and how many of the warnings' mails were still to be sent after the last refusal."""
    with System(folder, apart=True) as system:
        edges = Edges(system.urls, system.passwords, "refusals")
        quiet = _refuse(edges, system, range(1000, 1000 + REFUSALS + WARM_UP))
        asked = range(2000, 2000 + REFUSALS + WARM_UP)
        ids = [measures._ask(edges, number)["id"] for number in asked]
        _all_due(system, warnings)
        _until_mail_flows(system, warnings)
        loaded = _refuse(edges, system, asked, ids)
        left = warnings - len(list((folder / "mail").glob("*.eml")))
        edges.close()
    return quiet[WARM_UP:], loaded[WARM_UP:], left


def _refuse(edges: Edges, system: System, numbers: range, ids: list[str] | None = None) -> list[float]:
    questions = ids or [measures._ask(edges, number)["id"] for number in numbers]
    refused = []
    for number, question in zip(numbers, questions, strict=True):
        path = f"/v1/questions/{question}/refusal"
        measures._expect(edges.post("qa", path, BODY, f"no-{number}", "ha"), 200, "refuse a question")
        refused.append((question, time.time()))
        time.sleep(PACE)
    waits = []
    for question, answered in refused:
        proof = measures._found("the letter of a refusal", partial(measures._refusal, edges, question))
        waits.append((proof["message_id"], answered))
    accepted = _accepted(system.data / "mail")
    return [accepted[message_id] - answered for message_id, answered in waits]


def _accepted(folder: Path) -> dict[str, float]:
    """When the mail server took each mail (Unix seconds), by its Message-ID."""
    found = {}
    for file in folder.glob("*.eml"):
        head = file.read_bytes()[:HEAD]
        at, id = RECEIVED.search(head), MESSAGE_ID.search(head)
        if at and id:
            found[id[1].decode()] = datetime.fromisoformat(at[1].decode()).timestamp()
    return found


def _all_due(system: System, count: int) -> None:
    """Half as many deadlines of the same day, each told to its unit and to the centre at once."""
    due_at = (datetime.now(UTC) + timedelta(seconds=5 + count / 3000)).replace(microsecond=0)
    clock = clock_for(
        CALENDAR.same_day(due_at), CALENDAR, duty="same_day_notice", basis="dieu-11#hoi-dap-1",
        owner_unit="tt-cskh", reason="ngày tiếp nhận câu hỏi",
    ).model_copy(update={"due_at": due_at, "started_at": due_at - timedelta(seconds=30)})  # fmt: skip
    numbers = range(count // 2)
    rows = [to_document(c) for c in seeding.commits(numbers, due=numbers, due_at=due_at, clock=clock)]
    client: MongoClient[dict[str, Any]] = MongoClient(system.mongo_uri, w="majority")
    with client:
        for start in range(0, len(rows), seeding.AT_ONCE):
            client["notifier"]["journal"].insert_many(rows[start : start + seeding.AT_ONCE], ordered=False)


def _until_mail_flows(system: System, count: int) -> None:
    folder, until = system.data / "mail", time.monotonic() + 120
    before = len(list(folder.glob("*.eml")))
    while len(list(folder.glob("*.eml"))) < before + min(50, count // 10):
        if time.monotonic() > until:
            raise TimeoutError("the warnings are not being sent")
        time.sleep(0.2)
