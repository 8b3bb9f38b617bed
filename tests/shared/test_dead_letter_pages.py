"""The dead letters' pages: an operator sees what lies there, tries it first, and is told what came of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import Request
from lxml import html

from shared.contracts.qa import AnswerReleased
from shared.messaging.dead_letters import State, id_of
from shared.messaging.runs import Runs
from shared.web import edge
from shared.workflow import Actor
from tests.shared.small_service import OPERATOR, SmallService, record
from tests.shared.test_dead_letters import POISON, bury, states, working

HOME = "/desk/dead-letters"


@pytest.fixture
def who(monkeypatch: pytest.MonkeyPatch) -> list[Actor]:
    """The person who asks; tests replace the first."""
    person = [OPERATOR]

    async def visitor(_: Request) -> Actor:
        return person[0]

    async def csrf(_: Request) -> str:
        return "csrf"

    monkeypatch.setattr("shared.logging.set_up", lambda *_, **__: None)
    monkeypatch.setattr(edge, "visitor", visitor)
    monkeypatch.setattr(edge, "csrf_token", csrf)
    return person


@pytest.fixture
async def small(mongo_uri: str, database: Any, who: list[Actor]) -> AsyncIterator[SmallService]:
    del who  # the logs must be quiet before the service is made
    small = SmallService(mongo_uri, database.name)
    await small.graves.prepare()
    await Runs(small.service.database).prepare()
    yield small
    small.service.database.client.close()


class Browser:
    """Pages and their forms, as somebody without JavaScript has them."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http
        self.page: Any = None
        self.status = 0

    async def opens(self, path: str) -> str:
        return self._read(await self.http.get(path))

    def _read(self, response: httpx2.Response) -> str:
        self.status, self.page = response.status_code, html.fromstring(response.text)
        return str(self.page.text_content())

    def form(self, ending: str, holding: str = "") -> Any:
        found = [
            f for f in self.page.forms if (f.action or "").endswith(ending) and holding in f.text_content()
        ]
        assert found, ending
        return found[0]

    async def sends(self, form: Any, **fields: Any) -> str:
        body = dict(form.form_values()) | fields
        return self._read(await self.http.post(form.action, data=body))


@pytest.fixture
async def browser(small: SmallService, who: list[Actor]) -> AsyncIterator[Browser]:
    async with working(small), contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(small.client(who[0]))
        http.headers.update({"Accept": "text/html", "Authorization": "Bearer checked-elsewhere"})
        http.headers.pop("Idempotency-Key")
        http.follow_redirects = True
        yield Browser(http)


async def test_the_list_is_grouped_and_filtered_by_topic_error_and_state(
    small: SmallService, browser: Browser
) -> None:
    ids = await bury(small, uuid4(), 3)
    await bury(small, uuid4(), 1, KeyError("khác"))
    text = await browser.opens(HOME)
    assert browser.status == 200
    for said in ("4 thư còn nằm lại", "RuntimeError", "Blocked", "KeyError", "Chờ một thư trước đó"):
        assert said in text
    await browser.opens(f"{HOME}?error=RuntimeError&topic=qa.question")
    links = browser.page.xpath("//a[@data-item]/@href")
    assert links == [f"{HOME}/{ids[0]}"]
    assert "Không có thư nào" in await browser.opens(f"{HOME}?state=discarded")
    assert len((await browser.opens(f"{HOME}?state=all")) and browser.page.xpath("//a[@data-item]")) == 4
    await browser.opens(f"{HOME}?state=nonsense")
    assert browser.status == 422


async def test_a_letter_is_shown_with_nobody_s_name_number_or_address(
    small: SmallService, browser: Browser
) -> None:
    letter = record(uuid4(), 1, value=b'{"question_id": "x", "asker_name": "Tran Loc", "note": "0912345678"}')
    await small.inbox.handle([letter])
    text = await browser.opens(f"{HOME}/{id_of(letter)}")
    assert '"asker_name": "•••"' in text
    assert "Tran Loc" not in text
    assert "0912345678" not in text
    await browser.opens(f"{HOME}/none")
    assert browser.status == 404


async def test_a_group_is_tried_first_and_then_really_replayed(small: SmallService, browser: Browser) -> None:
    questions = [uuid4() for _ in range(3)]
    for question in questions:
        await bury(small, question, 2)
    await browser.opens(HOME)
    text = await browser.sends(browser.form("/replays", "Thử trước"))
    assert "Đã thử xong, chưa ghi gì. 3 thư sẽ xử lý được." in " ".join(text.split())
    assert {await small.heard(q) for q in questions} == {()}
    text = await browser.sends(browser.form("/really"))
    assert (browser.status, "Hãy ghi lý do." in text) == (422, True)
    text = await browser.sends(browser.form("/really"), reason="đã nâng cấp", rate="200.0")
    said = " ".join(text.split())
    assert "Đã xử lý lại 3 thư. 3 thư đứng sau đã đi theo, đúng thứ tự." in said
    assert {await small.heard(q) for q in questions} == {("a1", "a2")}
    assert "Không có thư chết" in await browser.opens(HOME)


async def test_ticked_letters_alone_are_tried_and_none_ticked_is_told(
    small: SmallService, browser: Browser
) -> None:
    question = uuid4()
    ids = await bury(small, question, 1)
    await bury(small, uuid4(), 1)
    await browser.opens(HOME)
    text = await browser.sends(browser.form("/replays", "Thử các thư đã chọn"))
    assert (browser.status, "đánh dấu ít nhất một thư" in text) == (422, True)
    await browser.opens(HOME)
    text = await browser.sends(browser.form("/replays", "Thử các thư đã chọn"), **{"ids[]": ids[0]})
    assert "1 thư sẽ xử lý được." in text
    await browser.sends(browser.form("/really"), reason="đã sửa")
    assert await small.heard(question) == ("a1",)
    assert await small.graves.count({}) == 1


async def test_what_still_fails_is_said_and_can_t_be_replayed_for_nothing(
    small: SmallService, browser: Browser
) -> None:
    question = uuid4()
    (id,) = await bury(small, question, 1)
    small.broken[question] = POISON
    await browser.opens(f"{HOME}/{id}")
    text = await browser.sends(browser.form("/replays"))
    assert "1 thư vẫn hỏng như cũ" in text
    assert "Chưa nên làm thật" in text
    assert [f.action for f in browser.page.forms if (f.action or "").endswith("/really")] == []


async def test_a_handler_that_does_not_come_back_is_told_too_and_stops_no_other_trial(
    small: SmallService, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.messaging.replay.PATIENCE", 0.2)
    (id,) = await bury(small, uuid4(), 1)

    async def hanging(*_: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setitem(small.inbox._handlers, AnswerReleased, hanging)
    await browser.opens(f"{HOME}/{id}")
    text = await browser.sends(browser.form("/replays"))
    assert "1 thư vẫn hỏng như cũ" in text
    assert "TimeoutError" in text


async def test_an_edit_is_kept_beside_the_original_and_tried_before_it_counts(
    small: SmallService, browser: Browser
) -> None:
    question = uuid4()
    broken = record(question, 1, value=b'{"question_id": "khong-phai-ma", "answer_ref": "a1"}')
    await small.inbox.handle([broken, record(question, 2)])
    path = f"{HOME}/{id_of(broken)}"
    for patch, said in (
        ("{", "không phải JSON"),
        ("[]", "đối tượng JSON"),
        ('{"question_id": 1}', "vẫn chưa"),
    ):
        await browser.opens(path)
        text = await browser.sends(browser.form("/edit"), patch=patch, reason="sai mã")
        assert (browser.status, said in text) == (422, True)
        assert browser.form("/edit").fields["patch"].strip() == patch  # what was typed is still there
    text = await browser.sends(
        browser.form("/edit"), patch=f'{{"question_id": "{question}"}}', reason="sai mã"
    )
    assert "1 thư sẽ xử lý được." in text
    assert await small.heard(question) == ()
    text = await browser.sends(browser.form("/really"), reason="theo bản sửa")
    assert "1 thư đứng sau đã đi theo" in text
    assert await small.heard(question) == ("a1", "a2")
    text = await browser.opens(path)
    for said in ("khong-phai-ma", str(question), "Sửa nội dung, giữ bản gốc", "Đã xử lý lại theo bản sửa"):
        assert said in text
    assert await small.acts(id_of(broken)) == ["edited by u-truc", "replayed by u-truc"]


async def test_a_letter_is_discarded_with_a_reason_and_what_waited_goes_on(
    small: SmallService, browser: Browser
) -> None:
    question, alone = uuid4(), uuid4()
    ids = await bury(small, question, 3)
    await browser.opens(f"{HOME}/{ids[0]}")
    text = await browser.sends(browser.form("/discard"), reason="")
    assert (browser.status, "Hãy ghi lý do." in text, "đã hiểu" in text) == (422, True, True)
    assert await states(small, ids[:1]) == [State.BURIED]
    text = await browser.sends(browser.form("/discard"), reason="bản tin thử", sure="1")
    assert "2 thư đứng sau nó trên cùng hồ sơ đã được xử lý" in text
    assert await small.heard(question) == ("a2", "a3")
    assert await small.acts(ids[0]) == ["discarded by u-truc"]
    (id,) = await bury(small, alone, 1)
    await browser.opens(f"{HOME}/{id}")
    text = await browser.sends(browser.form("/discard"), reason="thử", sure="1")
    assert "Thư này đã được bỏ qua." in text


async def test_what_was_not_tried_is_not_replayed(small: SmallService, browser: Browser) -> None:
    """A release has neither ids nor a filter: taken for a trial it would mean every letter there is."""
    first, other, later = uuid4(), uuid4(), uuid4()
    (head, _), _ = await bury(small, first, 2), await bury(small, other, 1)
    await browser.opens(f"{HOME}/{head}")
    await browser.sends(browser.form("/discard"), reason="thử", sure="1")
    (released,) = [run["_id"] async for run in small.service.database.replays.find()]
    form = {"reason": "đã sửa", "rate": "200", "csrf": "csrf", "idempotency_key": uuid4().hex}
    refused = await browser.http.post(f"{HOME}/replays/{released}/really", data=form)
    assert refused.status_code == 409
    assert await small.heard(other) == ()
    await browser.opens(HOME)
    await browser.sends(browser.form("/replays", "Thử trước"))
    tried = browser.form("/really")
    await bury(small, later, 1)
    await browser.sends(tried, reason="đã sửa")
    assert (await small.heard(other), await small.heard(later)) == (("a1",), ())


async def test_a_patch_nested_without_end_is_told_so(small: SmallService, browser: Browser) -> None:
    (id,) = await bury(small, uuid4(), 1)
    await browser.opens(f"{HOME}/{id}")
    text = await browser.sends(browser.form("/edit"), patch='{"a":' * 2500 + "1" + "}" * 2500, reason="thử")
    assert (browser.status, "không phải JSON" in text) == (422, True)


async def test_a_second_replay_of_the_same_letter_is_refused_as_a_page(
    small: SmallService, browser: Browser
) -> None:
    question = uuid4()
    (id,) = await bury(small, question, 1)
    await browser.opens(f"{HOME}/{id}")
    await browser.sends(browser.form("/replays"))
    rehearsed = browser.form("/really")
    await browser.sends(rehearsed, reason="đã sửa")
    text = await browser.sends(rehearsed, reason="đã sửa", idempotency_key=uuid4().hex)
    assert (browser.status, "Thư chết này đã được xử lý" in text) == (409, True)
    assert await small.heard(question) == ("a1",)


async def test_only_an_operator_gets_in(small: SmallService, browser: Browser, who: list[Actor]) -> None:
    (id,) = await bury(small, uuid4(), 1)
    await browser.opens(f"{HOME}/{id}")
    form = browser.form("/discard")
    app: Any = browser.http._transport.app  # type: ignore[attr-defined]
    stranger = Actor("u-ha", "Hà", roles=frozenset({"triage"}))
    app.dependency_overrides[edge.staff] = lambda: stranger
    who[0] = stranger
    for path in (HOME, f"{HOME}/{id}", f"{HOME}/replays/x"):
        await browser.opens(path)
        assert browser.status == 403
    await browser.sends(form, reason="x", sure="1")
    assert browser.status == 403
    assert await states(small, [id]) == [State.BURIED]


async def test_a_form_that_no_page_of_ours_made_is_refused(small: SmallService, browser: Browser) -> None:
    (id,) = await bury(small, uuid4(), 1)
    del browser.http.headers["Authorization"]
    response = await browser.http.post(f"{HOME}/{id}/discard", data={"reason": "x", "sure": "1"})
    assert response.status_code == 403
    assert await states(small, [id]) == [State.BURIED]
