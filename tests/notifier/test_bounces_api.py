"""The hand-over of returned mail, and what an operator does about it, over HTTP on real MongoDB."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from services.notifier import handlers
from services.notifier.domain import Notice, notice_id
from services.notifier.handlers import Accepted, ClaimNotice, Failed
from services.notifier.regulation import Policy
from services.notifier.return_address import ReturnAddresses
from services.notifier.settings import NotifierSettings
from shared.contracts.notifier import Delivery
from shared.desk import utc_now
from shared.service import Service
from tests.notifier.rig import as_, client, hears, service
from tests.notifier.test_bounces import dsn, plain
from tests.notifier.world import received, refused

__all__ = ["client", "service"]  # fixtures

Client, Register = httpx2.AsyncClient, Service[Policy]
Handed = Callable[..., Awaitable[httpx2.Response]]


def returns(service: Register) -> ReturnAddresses:
    assert isinstance(service.settings, NotifierSettings)
    return ReturnAddresses.of(service.settings)


async def refusal(service: Register, *, end: str = "sent", attempts: int = 1) -> UUID:
    """A refusal notice, sent (or however it ended) at its last attempt."""
    question, edge = uuid4(), service.edge
    await hears(service, handlers.notify_refusal, refused(), question)
    id = notice_id("refusal", f"question-{question}", "asker", 1)
    for attempt in range(1, attempts + 1):
        await handlers.claim_notice(ClaimNotice(id), edge.desk())
        if end == "sent" and attempt == attempts:
            accepted = Accepted(id, attempt, "250 2.0.0 ok", utc_now(), relay="mx2.example.vn:25")
            await handlers.record_acceptance(accepted, edge.desk())
        elif end != "sending" or attempt < attempts:
            outcome = Delivery.TEMPORARY if attempt < attempts else Delivery(end)
            await handlers.record_failure(Failed(id, attempt, outcome, "451 4.3.0"), edge.desk())
    await edge.caught_up("notices", id, 1 + 2 * attempts - (end == "sending"))
    return id


async def hand_over(client: Client, raw: bytes, who: str = "mail", kind: str = "message/rfc822",
                    **asked: str) -> httpx2.Response:  # fmt: skip
    headers = as_(who) | {"Content-Type": kind}
    return await client.post("/v1/mail/returned", content=raw, headers=headers, params=asked)


async def events(service: Register, id: UUID) -> list[str]:
    commits = await service.edge.journal.read(Notice.stream_of(id))
    return [event.name.rpartition(".")[2] for commit in commits for event in commit.events]


async def act(
    client: Client, id: UUID, deed: str, body: Any, who: str = "oanh", *, key: str = ""
) -> httpx2.Response:
    headers = as_(who) | {"Idempotency-Key": key or uuid4().hex}
    return await client.post(f"/v1/notices/{id}/{deed}", json=body, headers=headers)


def told(**facts: Any) -> dict[str, Any]:
    return {"way": "phone", "reached_at": utc_now().isoformat(), "proof": "Sổ trực 12/2026"} | facts


class TestHandOver:
    async def test_a_return_is_traced_by_the_address_it_came_to_and_put_down_once(
        self, client: Client, service: Register
    ) -> None:
        id = await refusal(service)
        raw = dsn(to=returns(service).address(id, 1))
        first, again = await hand_over(client, raw), await hand_over(client, raw)
        assert first.status_code == again.status_code == 200
        assert first.json() == again.json()
        assert (first.json()["outcome"], first.json()["state"]) == ("bounced", "bounced")
        assert (await events(service, id)).count("bounced") == 1

    async def test_nothing_of_the_person_is_kept(self, client: Client, service: Register) -> None:
        id = await refusal(service)
        said = "smtp; 550 5.1.1 <nguyen.van.an@example.vn> user nguyen.van.an unknown"
        raw = dsn(to=returns(service).address(id, 1), diagnostic=said, recipient="nguyen.van.an@example.vn")
        assert (await hand_over(client, raw)).json()["reason"] == "550 5.1.1 ‹địa chỉ› user ‹địa chỉ› unknown"
        async for commit in service.database.journal.find():
            assert "nguyen.van.an" not in str(commit)
            assert "example.vn>" not in str(commit).replace("bhxh.example.vn", "")

    async def test_the_envelopes_recipient_counts_when_it_is_told(
        self, client: Client, service: Register
    ) -> None:
        id = await refusal(service)
        address = returns(service).address(id, 1)
        assert (await hand_over(client, dsn(to="x@y.vn"), recipient=address)).status_code == 200
        assert (await hand_over(client, dsn(to=address), recipient="x@y.vn")).status_code == 403

    @pytest.mark.parametrize(
        ("raw", "outcome"),
        [(dsn("delayed", "4.4.1"), "delayed"), (dsn("delivered", "2.0.0"), "delivered"),
         (plain("Vắng mặt", From="an@x.vn", Auto_Submitted="auto-replied"), "automatic")],
    )  # fmt: skip
    async def test_what_is_no_return_leaves_no_record(
        self, client: Client, service: Register, raw: bytes, outcome: str
    ) -> None:
        id = await refusal(service)
        answer = await hand_over(client, raw, recipient=returns(service).address(id, 1))
        assert (answer.json()["outcome"], answer.json()["state"]) == (outcome, "sent")
        assert "bounced" not in await events(service, id)

    async def test_a_return_that_is_faster_than_our_record_is_to_be_handed_over_again(
        self, client: Client, service: Register
    ) -> None:
        id = await refusal(service, end="sending")
        answer = await hand_over(client, dsn(), recipient=returns(service).address(id, 1))
        assert (answer.status_code, answer.json()["code"]) == (503, "still_sending")
        assert answer.headers["retry-after"] == "60"

    async def test_a_forged_return_is_refused(self, client: Client, service: Register) -> None:
        id = await refusal(service)
        ours = returns(service)
        strange = [
            ours.address(uuid4(), 1), ours.address(id, 2), ours.address(id, 0),
            ours.address(id, 1).replace("bounce+", "bounce+a")[:58] + "@bhxh.example.vn",
            f"bounce+{'a' * 42}@bhxh.example.vn", "bounce@bhxh.example.vn", "an@example.vn",
        ]  # fmt: skip
        for address in strange:
            answer = await hand_over(client, dsn(), recipient=address)
            assert (answer.status_code, answer.json()["code"]) == (403, "forged_return"), address
        two = dsn(to=f"{ours.address(id, 1)}, {ours.address(uuid4(), 1)}")
        assert (await hand_over(client, two)).status_code == 403
        assert "bounced" not in await events(service, id)

    @pytest.mark.parametrize(
        ("raw", "kind", "problem"),
        [
            (dsn(), "text/plain", (415, "not_a_mail")),
            (b"", "message/rfc822", (422, "no_delivery_report")),
            (plain("Xin chào"), "message/rfc822", (422, "no_delivery_report")),
            (b"x" * (600 * 1024), "message/rfc822", (413, "too_large")),
        ],
    )
    async def test_what_is_no_returned_mail_gets_a_clear_problem(
        self, client: Client, service: Register, raw: bytes, kind: str, problem: tuple[int, str]
    ) -> None:
        id = await refusal(service)
        answer = await hand_over(client, raw, kind=kind, recipient=returns(service).address(id, 1))
        assert (answer.status_code, answer.json()["code"]) == problem
        assert answer.headers["content-type"] == "application/problem+json"

    @pytest.mark.parametrize(("who", "status"), [("lan", 403), ("thao", 403), ("nobody", 401), ("oanh", 200)])
    async def test_it_is_for_our_services_and_those_on_call(
        self, client: Client, service: Register, who: str, status: int
    ) -> None:
        id = await refusal(service)
        answer = await hand_over(client, dsn(), who, recipient=returns(service).address(id, 1))
        assert answer.status_code == status


class TestActs:
    async def bounced(self, client: Client, service: Register) -> UUID:
        id = await refusal(service)
        assert (await hand_over(client, dsn(), recipient=returns(service).address(id, 1))).status_code == 200
        await service.edge.caught_up("notices", id, 4)
        return id

    async def test_a_returned_refusal_is_listed_as_a_task_and_was_accepted_all_the_same(
        self, client: Client, service: Register
    ) -> None:
        id = await self.bounced(client, service)
        listed = await client.get("/v1/notices", params={"state": "bounced"}, headers=as_("oanh"))
        (view,) = [item for item in listed.json()["items"] if item["id"] == str(id)]
        assert (view["needs_person"], view["bounce_status"]) == (True, "5.1.1")
        assert view["sent_at"] is not None
        assert view["bounced_at"] > view["sent_at"]

    async def test_an_operator_has_it_sent_again_once(self, client: Client, service: Register) -> None:
        id, key = await self.bounced(client, service), uuid4().hex
        first, again = [
            await act(client, id, "retry", {"reason": "Hộp thư đã mở lại"}, key=key) for _ in range(2)
        ]
        assert first.status_code == again.status_code == 200
        assert (first.json()["state"], first.headers["etag"]) == ("retrying", '"5"')
        assert (await events(service, id)).count("retry_asked") == 1
        claimed = await handlers.claim_notice(ClaimNotice(id), service.edge.desk())
        assert (claimed.attempt, claimed.message_id) == (2, first.json()["message_id"])

    async def test_the_same_key_for_another_wish_is_refused(self, client: Client, service: Register) -> None:
        id, key = await self.bounced(client, service), uuid4().hex
        await act(client, id, "retry", {"reason": "Hộp thư đã mở lại"}, key=key)
        answer = await act(client, id, "retry", {"reason": "Lý do khác"}, key=key)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")

    async def test_a_return_of_the_first_attempt_does_not_touch_the_second(
        self, client: Client, service: Register
    ) -> None:
        id = await self.bounced(client, service)
        await act(client, id, "retry", {"reason": "Hộp thư đã mở lại"})
        edge = service.edge
        await handlers.claim_notice(ClaimNotice(id), edge.desk())
        await handlers.record_acceptance(Accepted(id, 2, "250 ok", utc_now()), edge.desk())
        answer = await hand_over(client, dsn(), recipient=returns(service).address(id, 1))
        assert answer.json()["state"] == "sent"
        answer = await hand_over(client, dsn(), recipient=returns(service).address(id, 2))
        assert answer.json()["state"] == "bounced"

    async def test_telling_another_way_closes_the_task(self, client: Client, service: Register) -> None:
        id = await self.bounced(client, service)
        view = (await act(client, id, "reached", told())).json()
        assert (view["state"], view["needs_person"], view["reached_way"]) == ("reached", False, "phone")

    @pytest.mark.parametrize(
        ("deed", "body", "field"),
        [
            ("retry", {}, "reason"), ("retry", {"reason": " "}, "reason"),
            ("retry", {"reason": "x" * 301}, "reason"), ("retry", {"reason": "cho an@example.vn"}, "reason"),
            ("retry", {"reason": "ok ok", "x": 1}, "x"),
            ("reached", told(way="pigeon"), "way"), ("reached", told(proof=""), "proof"),
            ("reached", told(proof="gọi số 0912 345 678"), "proof"),
            ("reached", told(reached_at="2026-11-23T09:00:00"), "reached_at"),
            ("reached", told(reached_at=(utc_now() + timedelta(days=1)).isoformat()), "reached_at"),
            ("reached", told(reached_at="2020-01-01T00:00:00Z"), "reached_at"),
        ],
    )  # fmt: skip
    async def test_what_is_missing_or_wrong_is_named(
        self, client: Client, service: Register, deed: str, body: Any, field: str
    ) -> None:
        answer = await act(client, await self.bounced(client, service), deed, body)
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == [field]

    @pytest.mark.parametrize(("deed", "body"), [("retry", {"reason": "Gửi lại"}), ("reached", told())])
    async def test_a_notice_that_was_accepted_allows_neither(
        self, client: Client, service: Register, deed: str, body: Any
    ) -> None:
        answer = await act(client, await refusal(service), deed, body)
        assert (answer.status_code, answer.json()["code"]) == (409, "illegal_transition")

    @pytest.mark.parametrize("who", ["thao", "lan", "mail"])
    @pytest.mark.parametrize(("deed", "body"), [("retry", {"reason": "Gửi lại"}), ("reached", told())])
    async def test_both_are_for_operators(
        self, client: Client, service: Register, who: str, deed: str, body: Any
    ) -> None:
        id = await refusal(service, end="definite")
        assert (await act(client, id, deed, body, who)).status_code == 403
        assert (
            await client.post(f"/v1/notices/{id}/{deed}", json=body, headers=as_("oanh"))
        ).status_code == 400

    async def test_a_courtesy_that_came_back_is_shown_and_is_no_task(
        self, client: Client, service: Register
    ) -> None:
        question, edge = uuid4(), service.edge
        await hears(service, handlers.acknowledge_question, received(opens=()), question)
        id = notice_id("acknowledgement", f"question-{question}", "asker", 1)
        await handlers.claim_notice(ClaimNotice(id), edge.desk())
        await handlers.record_acceptance(Accepted(id, 1, "250 ok", utc_now()), edge.desk())
        await hand_over(client, dsn(), recipient=returns(service).address(id, 1))
        await edge.caught_up("notices", id, 4)
        view = (await client.get(f"/v1/notices/{id}", headers=as_("oanh"))).json()
        assert (view["state"], view["needs_person"]) == ("bounced", False)


class TestPages:
    async def page(self, client: Client, id: UUID, who: str = "oanh") -> str:
        answer = await client.get(f"/desk/notices/{id}", headers=as_(who) | {"Accept": "text/html"})
        assert answer.status_code == 200
        return answer.text

    async def test_the_page_says_both_facts_and_what_to_do(self, client: Client, service: Register) -> None:
        id = await refusal(service, attempts=2)
        await hand_over(client, dsn(), recipient=returns(service).address(id, 2))
        await service.edge.caught_up("notices", id, 6)
        html = await self.page(client, id)
        for words in ("Cần báo người nhận bằng cách khác", "250 2.0.0 ok", "mã 5.1.1", "451 4.3.0",
                      "Gửi lại thư", "Ghi nhận đã báo", "chưa nhận, gửi lại sau",
                      "mx2.example.vn:25"):  # fmt: skip
            assert words in html, words
        assert 'action="/desk/notices' not in await self.page(client, id, "thao")

    async def test_a_form_that_lacks_something_comes_back_with_what_was_typed(
        self, client: Client, service: Register
    ) -> None:
        id = await refusal(service, end="definite")
        fields = {"way": "post", "reached_at": "", "proof": "Bưu gửi EB123456789VN"}
        headers = as_("oanh") | {"Accept": "text/html"}
        answer = await client.post(f"/desk/notices/{id}/reached", data=fields, headers=headers)
        assert answer.status_code == 422
        assert "Hãy cho biết đã báo lúc nào" in answer.text
        assert "EB123456789VN" in answer.text
        now = (utc_now() + timedelta(hours=7)).strftime("%Y-%m-%dT%H:%M:%S")
        done = await client.post(
            f"/desk/notices/{id}/reached", data=fields | {"reached_at": now}, headers=headers
        )
        assert (done.status_code, done.headers["location"]) == (303, f"/desk/notices/{id}")
        assert "Đã báo bằng cách khác" in await self.page(client, id)

    async def test_the_form_of_another_day_does_nothing_to_what_has_changed(
        self, client: Client, service: Register
    ) -> None:
        id = await refusal(service, end="definite")
        fields = {"reason": "Hộp thư đã mở lại", "expected_version": "2"}
        headers = as_("oanh") | {"Accept": "text/html"}
        answer = await client.post(f"/desk/notices/{id}/retry", data=fields, headers=headers)
        assert answer.status_code == 422
        assert "retry_asked" not in await events(service, id)
