"""Every act of the table as a form of the working pages: offered to whom the table offers it, done by the
same handler, told when it is too late."""

import re
from html import unescape
from typing import Any

import pytest

from services.qa import domain
from services.qa.desk.acts import ACTS, BY_STEP
from services.qa.desk.places import PLACES
from services.qa.regulation import WORKFLOW, Role
from shared.directory import Directory
from tests.qa.conftest import Edges
from tests.qa.world import HA

FORM = re.compile(r'action="/desk/\w+/[0-9a-f-]{36}/([a-z-]+)\?')
OTHER = "bhxh-can-tho"  # whose answerer is u-nga
ELSEWHERE = frozenset({"erase"})  # has a page of its own
TEXT = {"text": "Ông bà được hưởng theo Điều 70."}
REFUSED = {"ground": "unclear", "explanation": "Xin nêu rõ số sổ."}


async def opened(edges: Edges, asked: dict[str, Any], place: str, who: str) -> str:
    page = await edges.page(f"/desk/{place}/{asked['id']}", who)
    assert page.status_code == 200, page.text
    return page.text


async def act(edges: Edges, asked: dict[str, Any], place: str, path: str, who: str, **fields: Any) -> None:
    """As a browser does it, from the page that shows the form."""
    page = await opened(edges, asked, place, who)
    assert path in FORM.findall(page), f"{place} offers no {path}"
    hidden = dict(re.findall(r'name="(expected_version)" value="(\d+)"', page))
    answer = await edges.form(f"/desk/{place}/{asked['id']}/{path}", hidden | fields, who)
    assert answer.status_code == 303, unescape(re.sub(r"<[^>]+>", " ", answer.text))
    await edges.project()


async def status(edges: Edges, asked: dict[str, Any]) -> str:
    question = await edges.service.edge.desk().load(domain.Question, asked["id"])
    return str(question.status)


async def in_state(edges: Edges, name: str) -> dict[str, Any]:
    match name:
        case "received":
            asked = await edges.asked()
        case "forwarded":
            asked = await edges.forwarded()
        case "complex":
            asked = await edges.forwarded()
            body = {"consulted": [{"unit": OTHER, "due_on": day_off_free()}], "reason": "Hai đơn vị."}
            await edges.done(asked, "complexity", body, "u-tuan")
        case "returned":
            asked = await edges.forwarded()
            await edges.done(asked, "return", {"finding": "unclear", "words": "Thiếu số sổ."}, "u-tuan")
        case "set_aside":
            asked = await edges.asked()
            await edges.done(asked, "setting-aside", {"suspicion": "spam"}, "u-ha")
        case "split":
            asked = await edges.asked()
            parts = [{"subject": f"Phần {n}", "text": "Lời."} for n in (1, 2)]
            await edges.done(asked, "splitting", {"parts": parts}, "u-ha")
        case "refused":
            asked = await edges.asked()
            await edges.done(asked, "refusal", REFUSED, "u-ha")
        case "answered":
            asked = await edges.answered()
        case "released":
            asked = await edges.answered()
            await edges.done(asked, "release", {}, "u-khoi")
        case _:
            asked = await edges.asked()
            await edges.done(asked, "answer", TEXT, "u-ha")
    await edges.project()
    return asked


def day_off_free() -> str:
    from shared.calendar import CALENDAR
    from shared.desk import utc_now

    return CALENDAR.next_working_day(CALENDAR.day_of(utc_now())).isoformat()


STATES = ["received", "forwarded", "complex", "returned", "set_aside", "split", "refused", "answered",
          "released", "by the centre"]  # fmt: skip
WHO = [("triage", "u-ha"), ("triage", "u-khoi"), ("triage", "u-thao"), ("unit", "u-tuan"), ("unit", "u-nga"),
       ("publishing", "u-ha"), ("publishing", "u-khoi")]  # fmt: skip


@pytest.mark.parametrize("state", STATES)
async def test_a_page_offers_exactly_what_its_reader_may_do_now(edges: Edges, state: str) -> None:
    asked = await in_state(edges, state)
    question = await edges.service.edge.desk().load(domain.Question, asked["id"])
    directory: Directory = edges.service.edge.directory
    seen = 0
    for place, who in WHO:
        page = await edges.page(f"/desk/{place}/{asked['id']}", who)
        if page.status_code == 403:
            continue
        seen += 1
        actor = await directory.actor(principal(who))
        may = set(domain.acts(question, actor)) - ELSEWHERE
        assert {ACTS[path].step for path in FORM.findall(page.text)} == may, (place, who)
    assert seen >= 4


def principal(who: str) -> Any:
    from shared.web.identity import Principal

    return Principal(who, who, "person")


def test_every_act_of_staff_has_its_form() -> None:
    staff = frozenset(role for place in PLACES.values() for role in place.roles)
    acts = {step.act for step in WORKFLOW.steps if step.role in staff}
    assert acts - ELSEWHERE == set(BY_STEP)
    assert Role.CENTRE_HEAD in staff


async def test_a_part_is_added_before_one_splits_and_nothing_typed_is_lost(edges: Edges) -> None:
    asked = await in_state(edges, "received")
    typed = {"part_subject[]": ["Lương hưu", "Thẻ BHYT"], "part_text[]": ["Tôi 60 tuổi.", "Thẻ sai tên."]}
    more = await edges.form(f"/desk/triage/{asked['id']}/splitting", typed | {"more": "1"}, "u-ha")
    assert more.status_code == 200
    assert more.text.count('name="part_subject[]"') == 3
    assert 'value="Thẻ BHYT"' in more.text
    lacking = {"part_subject[]": ["Lương hưu", ""], "part_text[]": ["Tôi 60 tuổi.", "Thẻ sai tên."]}
    refused = await edges.form(f"/desk/triage/{asked['id']}/splitting", lacking, "u-ha")
    assert (refused.status_code, 'href="#splitting-part_subject-1"' in refused.text) == (422, True)
    assert 'id="splitting-part_subject-1"' in refused.text
    alone = {"part_subject[]": ["Lương hưu", ""], "part_text[]": ["Tôi 60 tuổi.", ""]}
    refused = await edges.form(f"/desk/triage/{asked['id']}/splitting", alone, "u-ha")
    assert "Tách thì phải có ít nhất hai phần." in refused.text
    await act(edges, asked, "triage", "splitting", "u-ha", **typed)
    assert await status(edges, asked) == "split"


async def test_other_units_are_asked_each_with_its_day_and_see_the_question_until_they_advise(
    edges: Edges,
) -> None:
    asked = await in_state(edges, "forwarded")
    rows = {"consulted_unit[]": [OTHER, ""], "consulted_due[]": [day_off_free(), ""]}
    await act(edges, asked, "unit", "complexity", "u-tuan", **rows, reason="Sổ ở Cần Thơ.")
    listed = (await edges.page("/desk/unit?view=advice", "u-nga")).text
    assert asked["id"] in listed
    await act(edges, asked, "unit", "advice", "u-nga", words="Sổ đã chốt tháng 5.")
    assert asked["id"] not in (await edges.page("/desk/unit?view=advice", "u-nga")).text
    page = await opened(edges, asked, "unit", "u-tuan")
    assert all(told in page for told in ("Sổ đã chốt tháng 5.", "Sổ ở Cần Thơ.", "Đã góp ý"))


async def test_a_unit_gives_back_and_the_centre_sees_the_finding_and_that_it_is_due_today(
    edges: Edges,
) -> None:
    asked = await in_state(edges, "forwarded")
    await act(edges, asked, "unit", "return", "u-tuan", finding="unclear", words="Không rõ hỏi sổ nào.")
    assert asked["id"] in (await edges.page("/desk/triage?view=returned", "u-ha")).text
    page = await opened(edges, asked, "triage", "u-ha")
    assert all(told in page for told in ("Câu hỏi chưa rõ nghĩa", "Không rõ hỏi sổ nào.", "trong ngày"))
    await act(edges, asked, "triage", "refusal", "u-ha", **REFUSED, referral="")
    assert await status(edges, asked) == "refused"


async def test_what_looks_like_spam_waits_for_a_second_person(edges: Edges) -> None:
    asked = await in_state(edges, "received")
    await act(edges, asked, "triage", "setting-aside", "u-ha", suspicion="spam", words="Quảng cáo.")
    assert asked["id"] in (await edges.page("/desk/triage?view=aside", "u-khoi")).text
    assert "setting-aside-confirmation" not in FORM.findall(await opened(edges, asked, "triage", "u-ha"))
    page = await opened(edges, asked, "triage", "u-khoi")
    assert "Quảng cáo." in page
    await act(edges, asked, "triage", "restoration", "u-khoi")
    assert await status(edges, asked) == "received"


async def test_a_duplicate_of_the_same_person_is_picked_or_named_by_its_number(edges: Edges) -> None:
    same = {"email": "hai-lan@hopthu.example.vn", "subject": "Điều kiện rút bảo hiểm một lần ở Hà Nội"}
    first = await edges.asked(**same)
    second = await edges.asked(**same, text="Tôi hỏi lại: rút một lần được không?")
    stranger = await edges.asked(subject=same["subject"])
    await edges.project()
    page = await opened(edges, second, "triage", "u-ha")
    assert f'name="into" id="merging-into-1" value="{first["id"]}" checked' in page
    assert page.count('name="into"') == 1, "nobody else's"
    path = f"/desk/triage/{second['id']}/merging"
    wrong = await edges.form(path, {"number": "HD-2020-01-AAAAAAA"}, "u-ha")
    assert (wrong.status_code, 'href="#merging-number"' in wrong.text) == (422, True)
    other = await edges.form(path, {"into": stranger["id"]}, "u-ha")
    assert (other.status_code, "hai người hỏi khác nhau" in other.text) == (422, True)
    await act(edges, second, "triage", "merging", "u-ha", number=first["number"].lower())
    assert await status(edges, second) == "closed"
    assert first["number"] in await opened(edges, second, "triage", "u-ha")


async def test_a_defective_answer_goes_back_and_a_told_one_is_corrected(edges: Edges) -> None:
    asked = await in_state(edges, "answered")
    await act(edges, asked, "publishing", "answer-return", "u-khoi", reason="Chưa nêu nơi nộp.")
    assert "Chưa nêu nơi nộp." in await opened(edges, asked, "unit", "u-tuan")
    await act(edges, asked, "unit", "answer", "u-tuan", **TEXT)
    await act(edges, asked, "publishing", "release", "u-khoi")
    await act(edges, asked, "unit", "correction", "u-tuan", text="Điều 71.", reason="Sai số điều.")
    assert asked["id"] in (await edges.page("/desk/publishing?view=corrected", "u-khoi")).text
    page = await opened(edges, asked, "publishing", "u-khoi")
    assert all(told in page for told in ("Đính chính lần 1", "Sai số điều.", "Gửi đính chính"))


async def test_work_is_given_to_a_colleague_and_no_other_and_noted_beside(edges: Edges) -> None:
    asked = await in_state(edges, "received")
    path = f"/desk/triage/{asked['id']}/assignment"
    stranger = await edges.form(path, {"to": "u-tuan"}, "u-ha")
    assert (stranger.status_code, 'href="#assignment-to"' in stranger.text) == (422, True)
    by_data = await edges.post(f"{asked['path']}/assignment", {"to": "u-tuan"}, "u-ha")
    assert (by_data.status_code, by_data.json()["code"]) == (422, "not_a_colleague")
    await act(edges, asked, "triage", "assignment", "u-ha", to="u-khoi")
    assert asked["id"] in (await edges.page("/desk/triage?view=mine", "u-khoi")).text
    assert asked["id"] not in (await edges.page("/desk/triage?view=mine", "u-ha")).text
    await act(edges, asked, "triage", "notes", "u-ha", words="Đã gọi người hỏi.")
    page = await opened(edges, asked, "triage", "u-khoi")
    assert all(told in page for told in ("Đã gọi người hỏi.", HA.name, "Phạm Minh Khôi"))


async def test_after_an_act_the_next_question_of_the_view_is_open(edges: Edges) -> None:
    three = [await edges.asked() for _ in range(3)]
    await edges.project()
    listed = (await edges.page("/desk/triage?view=new", "u-ha")).text
    order = re.findall(r'id="row-([0-9a-f-]{36})"', listed)
    assert set(order) == {asked["id"] for asked in three}
    path = f"/desk/triage/{order[1]}/setting-aside?view=new"
    done = await edges.form(path, {"suspicion": "spam"}, "u-ha")
    where = done.headers["location"]
    assert where == f"/desk/triage/{order[2]}?view=new&done=setting-aside&was={order[1]}"
    page = (await edges.page(where, "u-ha")).text
    assert "Đã gạt ra, chờ người thứ hai xem." in page
    assert f'href="/desk/triage/{order[1]}?view=new" data-key="u"' in page
    last = await edges.form(f"/desk/triage/{order[2]}/setting-aside?view=new", {"suspicion": "spam"}, "u-ha")
    assert f"/desk/triage/{order[0]}?" in last.headers["location"], "the one before, when it was the last"


async def test_the_second_to_act_is_told_what_changed_and_keeps_what_was_typed(edges: Edges) -> None:
    asked = await in_state(edges, "received")
    await edges.done(asked, "forwarding", {"unit": OTHER, "field": "bhyt"}, "u-ha")
    late = {"expected_version": "1", "suspicion": "spam", "words": "Tôi đã gọi và biết đây là quảng cáo."}
    answer = await edges.form(f"/desk/triage/{asked['id']}/setting-aside", late, "u-linh")
    assert answer.status_code == 409
    text = unescape(answer.text)
    assert all(
        told in text
        for told in ("người khác vừa thay đổi", "Chuyển đến Bảo hiểm xã hội thành phố Cần Thơ", "Trần Thu Hà",
                     "Tôi đã gọi và biết đây là quảng cáo.")
    )  # fmt: skip
    assert await status(edges, asked) == "forwarded"


async def test_a_letter_that_went_out_meanwhile_stands_in_nobodys_way(edges: Edges) -> None:
    from shared.contracts.qa import NoticeKind

    asked = await in_state(edges, "received")
    await edges.letter_accepted(asked, NoticeKind.ACKNOWLEDGEMENT)
    fields = {"expected_version": "1", "unit": OTHER, "field": "bhyt", "note": ""}
    answer = await edges.form(f"/desk/triage/{asked['id']}/forwarding", fields, "u-ha")
    assert answer.status_code == 303


async def test_who_may_no_longer_read_the_question_still_has_what_they_wrote(edges: Edges) -> None:
    asked = await in_state(edges, "forwarded")
    await edges.done(asked, "forwarding", {"unit": OTHER, "field": "bhyt"}, "u-ha")
    words = "Ông bà cần nộp hồ sơ tại bộ phận một cửa."
    late = await edges.form(
        f"/desk/unit/{asked['id']}/answer", {"expected_version": "2", "text": words}, "u-tuan"
    )
    assert (late.status_code, words in late.text) == (409, True)


async def test_only_the_head_of_the_centre_opens_again_and_by_an_order(edges: Edges) -> None:
    asked = await in_state(edges, "refused")
    assert "reopening" not in FORM.findall(await opened(edges, asked, "triage", "u-ha"))
    path = f"/desk/triage/{asked['id']}/reopening"
    fields = {"order": "1234/BHXH-TT", "ordered_on": "2026-11-30", "reason": "Lãnh đạo yêu cầu."}
    assert (await edges.form(path, fields, "u-ha")).status_code == 403
    await act(edges, asked, "triage", "reopening", "u-hai", **fields)
    assert await status(edges, asked) == "received"
