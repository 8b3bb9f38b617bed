"""Attached files on pages: chosen beside the words, carried between the steps, shown with their verdict."""

import re
from typing import Any

import httpx2
import pytest

from services.qa.queries.files import FILES, PIECES
from shared.contracts.qa import FileVerdict
from tests.qa.attached import JPEG, PDF, PNG, TEXT, asked_with, uploaded
from tests.qa.conftest import Edges
from tests.qa.world import question_in

TOKEN = re.compile(r'value="(file-[^"]+)"')


def typed(**changes: Any) -> dict[str, str]:
    fields = question_in(**changes)
    return {**{name: str(value) for name, value in fields.items()}, "consent": "1"}


async def sent(
    edges: Edges, path: str, fields: dict[str, Any], *files: tuple[str, bytes], csrf: str | None = None
) -> httpx2.Response:
    """As a browser sends a form with files: the fields in their order, then the chosen files."""
    token = await edges.csrf() if csrf is None else csrf
    parts: list[Any] = [("csrf", (None, token))]
    for name, value in fields.items():
        parts += [(name, (None, each)) for each in (value if isinstance(value, list) else [value])]
    parts += [("files[]", file) for file in files] or [("files[]", ("", b""))]
    return await edges.http.post(path, files=parts, headers={"Accept": "text/html"})


async def asked_on_the_page(edges: Edges, *files: tuple[str, bytes]) -> dict[str, str]:
    """From the details to the receipt; what was typed."""
    fields = typed()
    checked = await sent(edges, "/ask", {**fields, "step": "check"}, *files)
    assert checked.status_code == 200, checked.text
    tokens = TOKEN.findall(checked.text)
    assert len(tokens) == len(files)
    answer = await edges.form("/ask", {**fields, "step": "send", "files[]": tokens})
    assert (answer.status_code, answer.headers["location"]) == (303, "/ask/received")
    return fields


async def kept(edges: Edges) -> tuple[int, int]:
    database = edges.service.database
    return await database[FILES].count_documents({}), await database[PIECES].count_documents({})


async def test_files_go_with_a_question_from_the_form_to_its_tracking_page(edges: Edges) -> None:
    await asked_on_the_page(edges, ("sổ.pdf", PDF), ("ảnh.png", PNG))
    page = await edges.page("/track")
    assert "sổ.pdf" in page.text and "ảnh.png" in page.text and "Chưa quét" in page.text
    links = re.findall(r'href="(/track/files/[^"]+)"', page.text)
    found = {(answer := await edges.page(link)).headers["content-disposition"]: answer for link in links}
    by_kind = {name.partition(";")[0]: answer.content for name, answer in found.items()}
    assert by_kind["inline"] == PNG
    assert len(found) == 3


async def test_a_form_without_files_needs_none(edges: Edges) -> None:
    await asked_on_the_page(edges)
    assert "Tệp đính kèm" not in (await edges.page("/track")).text
    assert await kept(edges) == (0, 0)


async def test_a_refused_file_is_told_beside_its_field_and_nothing_typed_or_taken_is_lost(
    edges: Edges,
) -> None:
    fields = typed()
    answer = await sent(
        edges, "/ask", {**fields, "step": "check"}, ("tot.pdf", PDF), ("xau.exe", b"MZ\x90\0" + bytes(9000))
    )
    assert answer.status_code == 422
    assert "xau.exe" in answer.text and "Chỉ nhận" in answer.text
    assert fields["text"] in answer.text and fields["email"] in answer.text
    tokens = TOKEN.findall(answer.text)
    assert len(tokens) == 1 and "tot.pdf" in answer.text
    assert await kept(edges) == (1, 1)
    without = await sent(edges, "/ask", {**fields, "step": "check"})
    assert TOKEN.findall(without.text) == []
    again = await sent(edges, "/ask", {**fields, "step": "check", "files[]": tokens}, ("b.txt", TEXT))
    assert (again.status_code, len(TOKEN.findall(again.text))) == (200, 2)
    back = await edges.form("/ask", {**fields, "step": "edit", "files[]": TOKEN.findall(again.text)})
    assert len(TOKEN.findall(back.text)) == 2


async def test_a_file_over_the_limit_does_not_cost_what_was_typed(edges: Edges) -> None:
    fields = typed()
    answer = await sent(
        edges, "/ask", {**fields, "step": "check"}, ("to.pdf", PDF + bytes(11 * 1024 * 1024)), ("b.txt", TEXT)
    )
    assert answer.status_code == 422
    assert "to.pdf" in answer.text and "10 MB" in answer.text and fields["text"] in answer.text
    assert len(TOKEN.findall(answer.text)) == 1
    assert await kept(edges) == (1, 1)


async def test_the_sixth_file_is_refused_and_five_stay(edges: Edges) -> None:
    six = [(f"{n}.txt", TEXT + bytes([48 + n])) for n in range(6)]
    answer = await sent(edges, "/ask", {**typed(), "step": "check"}, *six)
    assert (answer.status_code, len(TOKEN.findall(answer.text))) == (422, 5)
    assert "Tối đa 5 tệp" in answer.text


async def test_a_form_of_another_site_uploads_nothing(edges: Edges) -> None:
    answer = await sent(edges, "/ask", {**typed(), "step": "check"}, ("a.pdf", PDF), csrf="guess")
    assert answer.status_code == 403
    assert await kept(edges) == (0, 0)


async def test_a_name_is_shown_as_words_whatever_it_holds(edges: Edges) -> None:
    hostile = '"><img src=x onerror=alert(1)>.pdf'
    token = (await uploaded(edges, PDF, hostile))["token"]
    asked = await edges.asked(files=[token])
    await edges.project()
    page = await edges.page(f"/desk/triage/{asked['id']}", "u-ha")
    assert "<img" not in page.text and "&lt;img src=x" in page.text


async def test_only_pictures_are_shown_in_place_and_nothing_in_them_may_run(edges: Edges) -> None:
    asked = await asked_with(edges, PNG, JPEG, PDF, TEXT)
    shown = []
    for id in asked["file_ids"]:
        answer = await edges.get(f"/desk/files/{asked['id']}/{id}?view=1", "u-ha")
        shown.append(answer.headers["content-disposition"].partition(";")[0])
        assert answer.headers["content-security-policy"].endswith("sandbox")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert shown == ["inline", "inline", "attachment", "attachment"]


async def test_an_asker_gets_the_files_of_the_question_they_opened_and_no_other(edges: Edges) -> None:
    other = await asked_with(edges, PDF)
    address = f"/track/files/{other['file_ids'][0]}"
    assert (await edges.page(address)).headers["location"] == "/track"
    await asked_on_the_page(edges, ("a.txt", TEXT))
    assert (await edges.page(address)).status_code == 404


async def test_information_is_added_with_a_file(edges: Edges) -> None:
    fields = await asked_on_the_page(edges)
    refused = await sent(edges, "/track/information", {"words": "Thêm sổ."}, ("x.svg", b"<svg/>"))
    assert refused.status_code == 422 and "x.svg" in refused.text and "Thêm sổ." in refused.text
    answer = await sent(edges, "/track/information", {"words": "Thêm sổ."}, ("so.jpg", JPEG))
    assert (answer.status_code, answer.headers["location"]) == (303, "/track?done=information")
    assert "so.jpg" in (await edges.page("/track")).text
    assert fields["subject"]


async def test_staff_see_what_the_scanner_said_and_a_link_only_to_what_is_given_out(
    edges: Edges, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = await asked_with(edges, PDF, TEXT)
    address = f"/desk/triage/{asked['id']}"
    page = (await edges.page(address, "u-ha")).text
    assert "chưa có máy quét" in page and page.count("/desk/files/") == 2
    from services.qa import domain, handlers

    for id, verdict in zip(asked["file_ids"], (FileVerdict.INFECTED, FileVerdict.CLEAN), strict=True):
        desk = edges.service.edge.desk(once=f"scan:{id}")
        question = await desk.load(domain.Question, asked["id"])
        file_id = next(each for each in question.files if str(each) == id)
        await desk.run(handlers.record_check, domain.RecordCheck(question.id, file_id, verdict, "Eicar"))
    page = (await edges.page(address, "u-ha")).text
    assert "Có mã độc" in page and page.count("/desk/files/") == 1
    assert "chưa có máy quét" not in page
