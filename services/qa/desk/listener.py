"""One open working page, listening: what it shows, and what it must be told."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from services.qa import views
from services.qa.desk.asked import Visit
from services.qa.desk.rows import lines
from services.qa.desk.stale import changed_since
from services.qa.desk.tabs import tabs_of
from services.qa.queries import lists, presence, rows
from services.qa.queries.pulse import Beat, Pulse
from shared.errors import Forbidden, NotFound

T = TypeVar("T")


class Listener:
    def __init__(self, visit: Visit, pulse: Pulse, question: UUID | None, version: int) -> None:
        self._visit, self._pulse = visit, pulse
        self._question, self._version = question, version
        self._shown: dict[str, str] = {}
        self._change = -1
        self._told_at = float("-inf")

    async def parts(self) -> str:
        beat = await self._pulse.beat()
        found = {}
        if self._question is not None:
            await self._say_here()
            found["d-people"] = self._colleagues(beat)
        if beat.change != self._change:
            self._change = beat.change
            found |= await self._lists(beat)
            if self._question is not None:
                found["d-moved"] = await self._moved(beat)
        news = {id: html for id, html in found.items() if self._shown.get(id) != html}
        self._shown |= news
        swap = '<hx-partial hx-target="#{}" hx-swap="innerMorph">{}</hx-partial>'
        return "".join(swap.format(id, html) for id, html in news.items())

    async def _say_here(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._told_at >= presence.BEAT:
            self._told_at = now
            by = self._visit.by
            await presence.here(
                self._visit.edge.database, str(self._question), by.subject, by.name, datetime.now(UTC)
            )

    def _colleagues(self, beat: Beat) -> str:
        people = beat.people.get(str(self._question), {})
        return self._render("desk/_people.html", people=presence.others(people, self._visit.by.subject))

    def _render(self, template: str, **context: Any) -> str:
        visit = self._visit
        return visit.edge.look.render(template, place=visit.place, asked=visit.asked, **context)

    async def _lists(self, beat: Beat) -> dict[str, str]:
        visit, now = self._visit, datetime.now(UTC)
        edge, by = visit.edge, visit.by
        reach = (by.roles, by.unit)

        async def shared(key: tuple[Any, ...], read: Callable[[], Awaitable[T]]) -> T:
            """At first as it is now: what others saw at this beat may be older than the page itself."""
            seen = "d-rows" in self._shown
            return await (self._pulse.shared(key, beat.change, read) if seen else read())

        async def count(wanted: lists.Wanted) -> int:
            return await shared(("count", wanted, reach), lambda: lists.count(edge.database, wanted, by))

        wanted, cursor = visit.wanted(now), visit.asked.cursor
        page = await shared(
            ("rows", wanted, cursor, reach),
            lambda: lists.questions(edge.database, wanted, by, cursor=cursor, limit=lists.ROWS),
        )  # fmt: skip
        tabs, units = await tabs_of(visit, now, count), await views.unit_names(edge.directory)
        listed = self._render(
            "desk/_rows.html", lines=await lines(visit, page.rows, now, str(self._question or ""), units),
            next=page.next, bulk=visit.bulk,
        )  # fmt: skip
        return {"d-rows": listed, "d-tabs": self._render("desk/_tabs.html", tabs=tabs)}

    async def _moved(self, beat: Beat) -> str:
        """What others have done to the open question since this page was drawn."""
        edge, id = self._visit.edge, str(self._question)
        known = await self._pulse.shared(
            ("open", id), beat.change, lambda: rows.version_of(edge.database, id)
        )  # fmt: skip
        if known <= self._version:
            return ""
        try:
            file = await self._visit.file(UUID(id))
        except (Forbidden, NotFound) as error:
            return self._render("desk/_moved.html", changed=[], gone=error.detail, here="")
        changed = await changed_since(edge, file, self._version, self._visit.by.subject)
        here = self._visit.asked.url(self._visit.place, id)
        return self._render("desk/_moved.html", changed=changed, gone="", here=here) if changed else ""
