"""A person at a browser, the eye that looks over each page they meet (axe-core, and no overflow), and the
hand that goes through it by keyboard."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from deploy.local.system import System

AXE = Path(__file__).parent.parent / "vendor" / "axe.min.js"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
LARGEST_PAGE = 150 * 1024
MOST_STOPS = 500  # Tabs; each row of a calendar's year has ten
FOCUSED = """() => {
  const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
  const label = at.labels && at.labels[0]?.innerText;
  const name = at.getAttribute('aria-label') || at.innerText || label || at.value
    || at.getAttribute('title') || (at.getAttribute('aria-labelledby') && 'named') || '';
  // A day's field has parts and a letter's frame has links, which the browser itself outlines.
  const inside = window.stoppedAt === at || at.tagName === 'IFRAME';
  window.stoppedAt = at;
  return {body: at === document.body, name: name.trim(), href: at.href || '', inside: inside,
    seen: box.width > 0 && box.height > 0 && (style.outlineStyle !== 'none' || style.boxShadow !== 'none')};
}"""


class Person:
    """``username`` is empty for a visitor without an account."""

    def __init__(self, browser: Browser, system: System, username: str = "", **options: Any) -> None:
        self.username, self.system = username, system
        self.context = browser.new_context(locale="vi-VN", timezone_id="Asia/Ho_Chi_Minh", **options)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._hears)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def _hears(self, message: ConsoleMessage) -> None:
        """A page that says 404 or 422 is no fault of the page."""
        if message.type == "error" and "status of 4" not in message.text:
            self.complaints.append(message.text)

    def opens(self, service: str, path: str) -> Page:
        """The page, signing in at the issuer when it asks for that."""
        self.page.goto(self.system.urls[service] + path)
        if self.page.url.startswith(self.system.urls["issuer"]):
            self.page.get_by_label("Tên đăng nhập").fill(self.username)
            self.page.get_by_label("Mật khẩu").fill(self.system.passwords[self.username])
            self.page.get_by_role("button", name="Đăng nhập").click()
            self.page.wait_for_url(self.system.urls[service] + "/**")
        return self.page

    def looks_over(self) -> None:
        """Nothing against WCAG A/AA, nothing cut off at 320 pixels, no complaint from the browser."""
        expect(self.page.locator("h1")).to_have_count(1)
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("rules => axe.run(document, rules)", RULES)["violations"]
        wrong = [(v["id"], [n["target"] for n in v["nodes"]][:3]) for v in found]
        assert not wrong, (self.page.url, wrong)
        size = self.page.viewport_size
        self.page.set_viewport_size({"width": 320, "height": 700})
        width = self.page.evaluate("() => document.documentElement.scrollWidth")
        assert width <= 320, (self.page.url, width)
        if size:
            self.page.set_viewport_size(size)
        assert self.complaints == [], (self.page.url, self.complaints)

    def tabs(self) -> Iterator[dict[str, Any]]:
        """Where Tab comes by, until it leaves the page; it is caught nowhere."""
        for _ in range(MOST_STOPS):
            self.page.keyboard.press("Tab")
            stop = self.page.evaluate(FOCUSED)
            if stop["body"]:
                return
            if not stop["inside"]:
                yield stop
        raise AssertionError(f"Tab never leaves {self.page.url}")

    def walks(self) -> None:
        """Tab goes forward through links, fields and buttons, each with a name and a visible focus."""
        stops = list(self.tabs())
        assert len(stops) > 5, self.page.url
        wrong = [stop for stop in stops if not stop["name"] or not stop["seen"]]
        assert wrong == [], (self.page.url, wrong)
