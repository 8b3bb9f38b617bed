"""The lives that are lived: a question from asking to its end, a submission from its unit to the portals.
Which turn each takes is drawn from the seed."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from oracle.client import Client, Command, Gone
from shared.calendar import CALENDAR

ATTESTATIONS: Final = [
    "policy", "accuracy", "state_secrets", "press", "intellectual_property", "internet",
]  # fmt: skip
FORWARDING: Final = {"unit": "bhxh-ha-noi", "field": "luong-huu"}
NO_SUCH_TURN: Final = frozenset({403, 409})


class Lives:
    def __init__(self, client: Client, seed: int) -> None:
        self._client, self._seed = client, seed
        self.subjects: list[tuple[str, str]] = []  # (topic, key) of what lives, for poison to fall on

    async def live(self, number: int) -> None:
        """One life; it ends early when a command is refused that should not be, which the ledger shows."""
        draw = random.Random(f"{self._seed}:{number}")
        name = f"oracle{self._seed:04d}l{number:05d}"
        turn = draw.random()
        try:
            if turn < 0.70:
                await self._question(name, draw)
            elif turn < 0.96:
                await self._submission(name, draw)
            else:
                await self._client.do(
                    name, "retry", "sync", f"/v1/portals/{draw.choice(PORTAL_IDS)}/retry", {}, by="oanh"
                )
        except Gone:
            return

    async def _question(self, name: str, draw: random.Random) -> None:
        do = self._client.do
        letter = {
            "name": "Nguyễn Văn Thử", "email": f"{name}@nguoi-dan.example.vn",
            "subject": f"Hỏi về lương hưu {name}",
            "text": f"Tôi đóng được 14 năm, xin hỏi ({name}) khi nào được hưởng lương hưu?", "consent": True,
        }  # fmt: skip
        asked = await do(name, "ask", "qa", "/v1/questions", letter)
        id = asked.answer["id"]
        self.subjects.append(("qa.question", f"question-{id}"))
        path = f"/v1/questions/{id}"
        turn = draw.random()
        if turn < 0.15:
            return
        if turn < 0.2:
            await do(name, "release too early", "qa", f"{path}/release", {}, by="khoi", refused=NO_SUCH_TURN)
        if turn < 0.5:
            await self._refuse(name, path, draw)
            return
        await do(name, "forward", "qa", f"{path}/forwarding", FORWARDING, by="ha")
        if draw.random() < 0.3:
            promised = CALENDAR.due(datetime.now(UTC), 3).last_day.isoformat()
            words = {"words": "Đơn vị đang đối chiếu hồ sơ đóng.", "promised_for": promised}
            await do(name, "progress", "qa", f"{path}/progress", words, by="tuan")
        answer = {"text": "Cần đóng đủ 15 năm; có thể đóng tự nguyện cho thời gian còn thiếu."}
        await do(name, "answer", "qa", f"{path}/answer", answer, by="tuan")
        last = [
            ("release", "release", {}),
            ("publish", "publication", _public(name)) if draw.random() < 0.7
            else ("withhold", "withholding", {"reason": "Trùng với một câu hỏi đã trả lời và đăng."}),
        ]  # fmt: skip
        draw.shuffle(last)
        for act, where, body in last:
            await do(name, act, "qa", f"{path}/{where}", body, by="khoi")

    async def _refuse(self, name: str, path: str, draw: random.Random) -> None:
        unclear = {"ground": "unclear", "explanation": "Xin cho biết bạn hỏi về chế độ nào."}
        elsewhere = {
            "ground": "out_of_scope", "explanation": "Việc này không thuộc cơ quan bảo hiểm xã hội.",
            "referral": "advised_asker", "agency": "Ủy ban nhân dân cấp xã nơi cư trú",
        }  # fmt: skip
        body = draw.choice((unclear, elsewhere))
        await self._client.do(name, "refuse", "qa", f"{path}/refusal", body, by="ha")

    async def _submission(self, name: str, draw: random.Random) -> None:
        do = self._client.do
        long_ago = draw.random() < 0.3  # its clock has run out: a return breaches at once
        event = datetime.now(UTC) - timedelta(days=60 if long_ago else 2)
        text = {
            "title": f"Hướng dẫn đóng bảo hiểm tự nguyện {name}", "summary": "Ai được đóng, đóng ở đâu.",
            "html": "<h2>Đối tượng</h2><p>Người từ đủ 15 tuổi.</p>", "author_name": "", "source_name": "",
            "quoted": False,
        }  # fmt: skip
        body = {**text, "content_class": "guidance", "event_at": event.isoformat(), "permitted_at": None}
        sent = await do(name, "submit", "content", "/v1/submissions", body, by="lan")
        id = sent.answer["id"]
        self.subjects.append(("content.submission", f"submission-{id}"))
        path = f"/v1/submissions/{id}"
        turn = draw.random()
        if turn < 0.3:
            why = {"reason": "incomplete", "words": "Thiếu nơi nộp hồ sơ."}
            sent = await do(name, "return", "content", f"{path}/return", why, by="minh")
            if draw.random() < 0.3:
                return
            sent = await self._rewrite(path, text, sent, "lan", "<p>Nộp tại cơ quan gần nhất.</p>")
        elif turn < 0.8:
            sent = await self._rewrite(path, text, sent, "minh", "<p>Mang theo căn cước.</p>")
        yes = {"text_version": sent.answer["text_version"], "attestations": ATTESTATIONS}
        if draw.random() < 0.1:
            await do(
                name, "approve own work", "content", f"{path}/approval", {**yes, "publish": True}, by="lan",
                refused=NO_SUCH_TURN,
            )  # fmt: skip
        at_once = draw.random() < 0.7
        await do(name, "approve", "content", f"{path}/approval", {**yes, "publish": at_once}, by="phuong")
        if not at_once:
            await do(name, "publish", "content", f"{path}/publication", {}, by="phuong")
        if draw.random() < 0.4:
            why = {"reason": "Nội dung đã hết hiệu lực."}
            await do(name, "withdraw", "content", f"{path}/withdrawal", why, by="phuong")

    async def _rewrite(self, path: str, text: dict[str, Any], seen: Command, by: str, more: str) -> Command:
        body = {**text, "html": text["html"] + more, "note": "Bổ sung"}
        return await self._client.do(
            seen.life, f"rewrite by {by}", "content", f"{path}/text", body, by=by, method="PUT", etag=seen.tag
        )


PORTAL_IDS: Final = ("bhxh-ha-noi", "bhxh-quang-ngai", "bo-noi-vu")


def _public(name: str) -> dict[str, str]:
    return {
        "subject": f"Điều kiện hưởng lương hưu {name}", "question": "Đóng 14 năm thì khi nào được hưởng?",
        "answer": "Cần đóng đủ 15 năm; có thể đóng tự nguyện.", "field": "luong-huu",
    }  # fmt: skip
