"""What the working pages keep and watch beside the questions: drafts, who is here, the pulse, several at
once; all of it without JavaScript where a person presses a button."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.qa import domain
from services.qa.jobs import holders
from services.qa.queries import pulse as pulses
from services.qa.queries.drafts import DRAFTS, Drafts
from services.qa.queries.presence import PRESENCE, at, everybody, here
from services.qa.queries.pulse import Pulse
from shared.errors import TooLarge
from tests.qa.conftest import Edges

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
WORDS = "Kính gửi bà Hoa, theo Điều 70"


@pytest.fixture(autouse=True)
async def emptied(edges: Edges) -> None:
    for name in (DRAFTS, PRESENCE):
        await edges.service.database[name].delete_many({})


async def kept(edges: Edges, asked: dict[str, Any], who: str = "u-ha", **fields: str) -> Any:
    fields = {"text": WORDS} | fields
    return await edges.form(f"/desk/triage/{asked['id']}/answer/draft", fields, who)


async def test_a_draft_is_its_writers_alone_and_is_sealed(edges: Edges) -> None:
    asked = await edges.asked()
    assert (await kept(edges, asked)).status_code == 200
    row = await edges.service.database[DRAFTS].find_one({})
    assert WORDS.encode() not in row["sealed"]
    page = await edges.page(f"/desk/triage/{asked['id']}", "u-ha")
    assert WORDS in page.text
    assert "Bản nháp lưu lúc" in page.text
    assert WORDS not in (await edges.page(f"/desk/triage/{asked['id']}", "u-linh")).text


async def test_a_draft_goes_when_it_is_sent_or_thrown_away(edges: Edges) -> None:
    asked = await edges.asked()
    await kept(edges, asked)
    thrown = await edges.form(f"/desk/triage/{asked['id']}/answer/draft", {"discard": "1"}, "u-ha")
    assert thrown.status_code == 303
    assert WORDS not in (await edges.page(f"/desk/triage/{asked['id']}", "u-ha")).text
    await kept(edges, asked)
    sent = await edges.form(f"/desk/triage/{asked['id']}/answer", {"text": WORDS}, "u-ha")
    assert sent.status_code == 303
    assert await edges.service.database[DRAFTS].count_documents({}) == 0


async def test_nobody_keeps_a_draft_of_a_question_that_is_not_for_them(edges: Edges) -> None:
    asked = await edges.forwarded()
    path = f"/desk/unit/{asked['id']}/answer/draft"
    assert (await edges.form(path, {"text": WORDS}, "u-lan")).status_code == 403
    assert await edges.service.database[DRAFTS].count_documents({}) == 0


async def test_erasing_the_asker_takes_the_drafts_of_their_question(edges: Edges) -> None:
    asked = await edges.asked()
    await kept(edges, asked)
    drafts = Drafts(edges.service.database, edges.service.keyring)
    assert await drafts.of(asked["id"], "u-ha", ["answer"])
    await edges.service.vault.erase(asked["id"])
    assert await drafts.of(asked["id"], "u-ha", ["answer"]) == {}
    for holder in holders(edges.service):
        await holder.erase(asked["id"])
    assert await edges.service.database[DRAFTS].count_documents({}) == 0


async def test_a_draft_has_its_limit_and_its_time(edges: Edges) -> None:
    asked = await edges.asked()
    drafts = Drafts(edges.service.database, edges.service.keyring)
    with pytest.raises(TooLarge):
        await drafts.keep(asked["id"], "u-ha", "answer", {"text": "x" * 200_000}, NOW)
    await drafts.keep(asked["id"], "u-ha", "answer", {"text": WORDS}, NOW)
    row = await edges.service.database[DRAFTS].find_one({})
    assert row["until"] - NOW == timedelta(days=14)


async def test_who_has_a_question_open_is_named_and_forgotten_soon(edges: Edges) -> None:
    asked = await edges.asked()
    await edges.page(f"/desk/triage/{asked['id']}", "u-linh")
    page = (await edges.page(f"/desk/triage/{asked['id']}", "u-ha")).text
    assert re.search(r'id="d-people".*Nguyễn Thùy Linh đang mở', page)
    assert "Trần Thu Hà đang mở" not in page, "one knows that of oneself"
    later = datetime.now(UTC) + timedelta(seconds=26)
    assert await at(edges.service.database, asked["id"], later) == {}


async def test_nobody_listens_to_a_question_that_is_not_for_them(edges: Edges) -> None:
    asked = await edges.forwarded()
    path = f"live?question={asked['id']}&version=1"
    assert (await edges.page(f"/desk/unit/{path}", "u-lan")).status_code == 403
    assert (await edges.page(f"/desk/triage/{path}", "u-tuan")).status_code == 403
    assert await edges.service.database[PRESENCE].count_documents({}) == 0


async def test_a_pulse_looks_once_however_many_listen(edges: Edges, monkeypatch: pytest.MonkeyPatch) -> None:
    database, reads = edges.service.database, 0
    monkeypatch.setattr(pulses, "EVERY", 60.0)
    await edges.asked()
    await here(database, "q", "u-ha", "Trần Thu Hà", datetime.now(UTC))
    pulse = Pulse(database)

    async def read() -> int:
        nonlocal reads
        reads += 1
        await asyncio.sleep(0)
        return reads

    async def listener() -> tuple[int, Any]:
        beat = await pulse.beat()
        return await pulse.shared("rows", beat.change, read), beat.people

    heard = await asyncio.gather(*(listener() for _ in range(50)))
    assert heard == [(1, {"q": {"u-ha": "Trần Thu Hà"}})] * 50
    assert (pulse.looks, reads) == (1, 1)
    assert await everybody(database, datetime.now(UTC)) == {"q": {"u-ha": "Trần Thu Hà"}}


async def test_a_list_is_read_again_after_a_commit_and_not_while_nothing_happens(
    edges: Edges, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulses, "EVERY", 0.0)
    await edges.asked()
    pulse = Pulse(edges.service.database)
    settled = [(await pulse.beat()).change for _ in range(6)]
    assert settled == [1, 2, 3, 3, 3, 3], "twice more, while the lists catch up"
    await edges.asked()
    assert [(await pulse.beat()).change for _ in range(5)] == [4, 5, 6, 6, 6]


async def ticked(edges: Edges, count: int) -> tuple[list[str], dict[str, Any]]:
    """So many questions, and the form of the preview."""
    ids = [(await edges.asked())["id"] for _ in range(count)]
    await edges.project()
    chosen = {"act": "forwarding", "id[]": ids}
    page = await edges.form("/desk/triage/bulk", chosen, "u-ha")
    assert page.status_code == 200
    assert page.text.count("Hạn trả lời:") == count
    hidden = re.findall(r'name="(id|version)\[\]" value="([^"]+)"', page.text)
    form = {"act": "forwarding", "do": "1", "unit": "bhxh-ha-noi", "field": "", "note": ""}
    form |= {f"{name}[]": [v for n, v in hidden if n == name] for name in ("id", "version")}
    return ids, form | {"idempotency_key": uuid4().hex}


async def statuses(edges: Edges, ids: list[str]) -> list[str]:
    desk = edges.service.edge.desk()
    return [str((await desk.load(domain.Question, id)).status) for id in ids]


async def test_several_are_done_each_once_however_often_the_form_is_sent(edges: Edges) -> None:
    ids, form = await ticked(edges, 3)
    for _ in range(2):
        done = await edges.form("/desk/triage/bulk", form, "u-ha")
        assert (done.status_code, "Đã làm 3 trên 3 câu." in done.text) == (200, True)
    assert await statuses(edges, ids) == ["forwarded"] * 3
    assert await edges.service.database.journal.count_documents({}) == 6, "received, forwarded: each once"


async def test_one_that_somebody_else_has_done_is_told_and_the_others_are_done(edges: Edges) -> None:
    ids, form = await ticked(edges, 3)
    refusal = {"ground": "unclear", "explanation": "Xin nêu rõ."}
    await edges.done({"path": f"/v1/questions/{ids[1]}"}, "refusal", refusal, "u-linh")
    done = await edges.form("/desk/triage/bulk", form, "u-ha")
    assert "Đã làm 2 trên 3 câu." in done.text
    assert await statuses(edges, ids) == ["forwarded", "refused", "forwarded"]


async def test_what_all_of_them_lack_is_told_before_any_is_done(edges: Edges) -> None:
    ids, form = await ticked(edges, 2)
    lacking = await edges.form("/desk/triage/bulk", form | {"unit": ""}, "u-ha")
    assert (lacking.status_code, 'href="#forwarding-unit"' in lacking.text) == (422, True)
    refusal = {"act": "refusal", "ground": "out_of_scope", "explanation": "Việc của xã, xin hỏi xã.",
               "referral": "", "agency": "", "reference": "", "transferred_on": ""}  # fmt: skip
    own = {name: form[name] for name in ("do", "id[]", "version[]")}
    lacking = await edges.form("/desk/triage/bulk", own | refusal, "u-ha")
    assert (lacking.status_code, 'href="#refusal-agency"' in lacking.text) == (422, True)
    assert "Việc của xã, xin hỏi xã." in lacking.text
    assert await statuses(edges, ids) == ["received"] * 2


async def test_several_at_once_is_for_those_who_sort(edges: Edges) -> None:
    form = {"act": "forwarding", "id[]": [(await edges.asked())["id"]]}
    assert (await edges.form("/desk/triage/bulk", form, "u-khoi")).status_code == 403
    assert (await edges.form("/desk/unit/bulk", form, "u-tuan")).status_code == 403
    assert (await edges.form("/desk/triage/bulk", form | {"act": "publication"}, "u-ha")).status_code == 404
    assert (await edges.form("/desk/triage/bulk", form | {"id[]": ["x"]}, "u-ha")).status_code == 404
    nothing = await edges.form("/desk/triage/bulk", {"act": "forwarding"}, "u-ha")
    assert (nothing.status_code, "Chưa chọn câu hỏi nào" in nothing.text) == (422, True)
