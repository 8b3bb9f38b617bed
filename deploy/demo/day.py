"""Một ngày làm việc: the day's articles and questions go through the public edges alone, told line by line
with the address of what changed. ``python -m deploy.demo.day``; again the same day, it does nothing twice."""

import json
import os
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from rich.console import Console

from deploy.demo import acts, by_mail
from deploy.demo.edges import Answer, DayStopped, Edges, eventually
from deploy.demo.script import Article, Question, articles, names, questions
from shared.calendar import VIETNAM

OURS: Final = ("content", "qa", "sync", "notifier", "issuer", "mail")
ATTESTATIONS: Final = ["policy", "accuracy", "state_secrets", "press", "intellectual_property", "internet"]
ON_CALL: Final = "oanh"
SORTS: Final = "ha"


class Day:
    def __init__(self, edges: Edges, now: datetime, console: Console) -> None:
        self.edges, self.now, self.console = edges, now, console
        self.names = names()
        self.numbers: dict[str, str] = {}
        self.portals = [name for name in edges.urls if name not in OURS and "-" in name]
        self.asked: dict[str, dict[str, Any]] = {}
        self.published: dict[str, dict[str, Any]] = {}

    def live(self) -> None:
        todays, asked = articles(), questions()
        with self.chapter("Câu hỏi đến", f"{len(asked)} câu, gửi không cần tài khoản"):
            for question in asked:
                self.ask(question)
        with self.chapter("Bài viết", f"{len(todays)} bài từ các đơn vị"):
            for number, article in enumerate(todays, 1):
                self.numbers[article.key] = f"Bài {number}"
                self.submit(article)
        with self.chapter("Phân loại, trả lời", "báo ngay trong ngày, chuyển đơn vị, gửi và đăng"):
            for question in asked:
                for number, step in enumerate(question.steps, 1):
                    self.step(question, number, step)
        with self.chapter("Kiểm lại", "mọi nơi đều đã có, mọi hạn đều đạt"):
            for article in todays:
                if article.key in self.published:
                    self.follow_article(article)
            for question in asked:
                self.follow_question(question)

    # Articles

    def submit(self, article: Article) -> None:
        key = f"bai-{article.key}"
        sent = self.edges.post("content", "/v1/submissions", article.body(self.now), f"{key}-gui", article.by)
        view = self.expect(sent, 201, f"gửi bài «{article.title}»")
        path, desk = f"/v1/submissions/{view['id']}", f"/desk/review/{view['id']}"
        bai = self.numbers[article.key]
        self.tell(f"{bai}: {self.names[article.by]} gửi «{article.title}»", "content", desk)
        if article.refused_to:
            self.forbidden(article, path, view)
        if edit := article.edit:
            tag = self.edges.get("content", path, edit.by).etag
            text = {
                "title": article.title,
                "summary": article.summary,
                "html": edit.apply(article.html),
                "author_name": article.author,
                "source_name": article.source,
                "quoted": article.quoted,
                "note": edit.note,
            }
            put = self.edges.put("content", f"{path}/text", text, f"{key}-sua", edit.by, etag=tag)
            view = self.expect(put, 200, "biên tập")
            self.tell(f"{bai}: {self.who(edit.by)} biên tập. {edit.note}", "content", desk)
        if article.approval:
            self.approve(article, path, view)
        if back := article.returned:
            body = {"reason": back.reason, "words": back.words}
            self.expect(
                self.edges.post("content", f"{path}/return", body, f"{key}-tra", back.by), 200, "trả lại bài"
            )
            self.tell(f"{bai}: {self.who(back.by)} trả lại đơn vị. {back.words}", "content", desk)

    def forbidden(self, article: Article, path: str, view: dict[str, Any]) -> None:
        body = {"text_version": view["text_version"], "attestations": ATTESTATIONS, "publish": True}
        tried = self.edges.post(
            "content", f"{path}/approval", body, f"bai-{article.key}-tu-duyet", article.refused_to
        )
        self.expect(tried, 403, "người gửi tự duyệt bài của mình")
        who = self.who(article.refused_to)
        self.tell(f"{self.numbers[article.key]}: {who} tự duyệt, không được (403). {tried.body['detail']}")

    def approve(self, article: Article, path: str, view: dict[str, Any]) -> None:
        assert article.approval is not None  # noqa: S101 - the caller's condition, told to the type checker
        by, refused = article.approval.by, article.approval.refused
        body = {"text_version": view["text_version"], "attestations": ATTESTATIONS, "publish": True}
        done = self.edges.post("content", f"{path}/approval", body, f"bai-{article.key}-duyet", by)
        bai = self.numbers[article.key]
        if refused:
            if done.code not in refused:
                raise DayStopped(f"duyệt «{article.title}»: chờ đợi bị từ chối, nhận {done.status}")
            self.tell(f"{bai}: {self.who(by)} không duyệt được ({done.code}). {done.body['detail']}")
            return
        self.published[article.key] = self.expect(done, 200, f"duyệt bài «{article.title}»")
        self.tell(
            f"{bai}: {self.who(by)} cam kết theo Điều 8, duyệt đăng", "content", f"/articles/{view['id']}"
        )

    def follow_article(self, article: Article) -> None:
        """The public page, every partner portal, and the deadline of the supply."""
        view = self.published[article.key]
        item, version = str(view["id"]), view["text_version"]
        eventually("bài trên cổng", lambda: self.edges.get("content", f"/v1/articles/{item}").status == 200)

        def placed() -> list[dict[str, Any]] | None:
            seen = self.edges.get("content", f"/v1/submissions/{item}", "minh").body.get("placements", [])
            at = [place for place in seen if place["status"] == "confirmed"]
            return at if len([p for p in at if p["text_version"] >= version]) >= len(self.portals) else None

        places = eventually(f"xác nhận của các cổng cho «{article.title}»", placed)
        for portal in self.portals:
            held = self.edges.get(portal, "/items.json").body
            if not any(one["item_id"] == item and one["action"] == "publish" for one in held):
                raise DayStopped(f"{portal} đã xác nhận mà không giữ bài {item}")
        bai = self.numbers[article.key]
        self.tell(f"{bai}: {len(places)} cổng đối tác đã nhận và xác nhận", "sync", "/desk/portals")
        if article.content_class != "news_event":
            self.met(f"submission-{item}", "cung cấp bài")

    # Questions

    def ask(self, question: Question) -> None:
        if question.by_mail:
            self.asked[question.key] = view = by_mail.ask(self.edges, question, self.now, SORTS)
            self.tell(
                f"Câu {view['number']}, bằng thư: {question.subject}", "qa", f"/desk/triage/{view['id']}"
            )
            return
        sent = self.edges.post("qa", "/v1/questions", question.body(), f"hoi-{question.key}")
        self.asked[question.key] = view = self.expect(sent, 201, f"câu hỏi «{question.subject}»")
        self.tell(f"Câu {view['number']}: {question.subject}", "qa", f"/desk/triage/{view['id']}")

    def step(self, question: Question, number: int, step: dict[str, Any]) -> None:
        receipt = self.asked[question.key]
        place, act = int(step.get("part", 0)), step["act"]
        view = self.row(f"{receipt['number']}-{place}") if place else receipt
        told = acts.told(act, step, self.names)
        body, once = acts.body(step, self.working_day, self.asked), f"hoi-{question.key}-{number}-{act}"
        if by := step.get("by", ""):
            path, who = f"/v1/questions/{view['id']}/{acts.PATHS[act]}", self.who(by)
        else:
            self.row(receipt["number"])
            body |= {"code": receipt["tracking_code"], "email": question.asker.email}
            path, who = f"/v1/tracking/{acts.OWN_PATHS[act]}", "người hỏi"
        self.expect(self.edges.post("qa", path, body, once, by), 200, f"câu {view['number']}, việc {act}")
        desk = f"/desk/{acts.DESKS.get(act, 'triage')}/{view['id']}"
        self.tell(f"Câu {view['number']}: {who} {told}", "qa", desk)

    def row(self, number: str) -> dict[str, Any]:
        """As the queue lists it: a part by the number of the whole and its place."""

        def listed() -> dict[str, Any] | None:
            found = self.edges.get("qa", "/v1/questions", SORTS, q=number).body.get("items", [])
            return next((each for each in found if each["number"] == number), None)

        return eventually(f"câu {number} trong danh sách", listed)

    def working_day(self, after: int) -> str:
        asked = {"from": self.now.isoformat(), "working_days": str(after)}
        return str(self.edges.get("notifier", "/v1/calendar/due", **asked).body["last_day"])

    def follow_question(self, question: Question) -> None:
        """The letters the asker has got, what tracking says, and the clocks that were stopped."""
        view, asker = self.asked[question.key], question.asker
        stream = f"question-{view['id']}"
        letters = 1 + sum(len(question.acts(act)) for act in acts.TOLD_BY_MAIL)

        def arrived() -> list[dict[str, Any]] | None:
            mails = self.edges.get("mail", "/mails.json", to=asker.email).body
            own = [mail for mail in mails if view["number"] in mail["subject"] + mail["text"]]
            return own if len(own) >= letters else None

        mails = eventually(f"{letters} thư của câu {view['number']}", arrived)
        if len({mail["subject"] for mail in mails}) < len(mails):
            raise DayStopped(f"câu {view['number']}: có thư gửi hai lần")
        if question.acts("refuse"):
            self.met(stream, "báo ngay trong ngày", "same_day_notice")
        if any(not step.get("part") for step in question.acts("publish")):
            self.met(stream, "gửi câu trả lời", "send_answer")
            self.met(stream, "đăng câu trả lời", "publish_answer")
        code = {"code": view["tracking_code"], "email": asker.email}
        seen = self.expect(
            self.edges.post("qa", "/v1/tracking", code, f"tra-{question.key}"), 200, "tra cứu câu hỏi"
        )
        newest = max(mails, key=lambda mail: str(mail["received_at"]))
        self.tell(
            f"Câu {view['number']}: «{seen['status_vi']}», {len(mails)} thư, sau cùng {newest['message_id']}",
            "mail",
            f"/mails/{newest['id']}",
        )

    # Telling and checking

    def who(self, username: str) -> str:
        return self.names[username].split(" (")[0]

    def met(self, subject: str, what: str, duty: str = "") -> None:
        asked = {"subject": subject, **({"duty": duty} if duty else {})}

        def all_met() -> bool:
            held = self.edges.get("notifier", "/v1/deadlines", ON_CALL, **asked).body.get("items", [])
            return bool(held) and all(one["state"] == "met" for one in held)

        eventually(f"hạn «{what}» của {subject} đạt", all_met)

    def expect(self, answer: Answer, status: int, what: str) -> dict[str, Any]:
        if answer.status != status:
            problem = answer.body if isinstance(answer.body, dict) else {}
            words = f"{problem.get('code', '')} {problem.get('detail', '')} {problem.get('errors', '')}"
            raise DayStopped(f"{what}: nhận {answer.status}, đáng lẽ {status}. {words.strip()}")
        return dict(answer.body)

    def tell(self, what: str, place: str = "", path: str = "") -> None:
        where = f"  {self.edges.urls[place]}{path}" if place else ""
        clock = datetime.now(VIETNAM).strftime("%H:%M:%S")
        self.console.print(f"  {clock}  {textwrap.shorten(what, 118, placeholder='…')}", markup=False, end="")
        self.console.print(where, style="dim", markup=False)

    @contextmanager
    def chapter(self, title: str, about: str) -> Iterator[None]:
        self.console.print(f"\n[bold]{title}[/bold]: {about}")
        began = datetime.now(VIETNAM)
        yield
        took = (datetime.now(VIETNAM) - began).total_seconds()
        self.console.print(f"  [dim]xong sau {took:.1f} giây[/dim]")


def main() -> int:
    console = Console(highlight=False, soft_wrap=True)
    urls, passwords = json.loads(os.environ["DAY_URLS"]), json.loads(os.environ["DAY_PASSWORDS"])
    now = datetime.now(VIETNAM)
    day = Day(Edges(urls, passwords, salt=now.strftime("%Y%m%d")), now, console)
    try:
        day.live()
    except DayStopped as stopped:
        console.print("\nNgày làm việc dừng lại.", style="bold red", end=" ")
        console.print(str(stopped), markup=False)
        return 1
    pages = {"Cổng": "content", "Hỏi đáp": "qa", "Bảng điều hành": "notifier"}
    console.print("\n" + "   ".join(f"{name}: {urls[place]}" for name, place in pages.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
