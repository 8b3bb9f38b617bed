"""What every page shares: templates, Vietnamese formats, static files kept for ever, and strict headers."""

import gzip
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.web import spoken
from shared.web.vietnamese import filters

HERE: Final = Path(__file__).resolve().parent
TEMPLATES: Final = HERE / "templates"
STATIC: Final = HERE / "static"


@dataclass(frozen=True, slots=True)
class NavItem:
    """One place in the side bar. ``hot`` paints the count as something wrong."""

    key: str
    icon: str
    label: str
    url: str
    count: int | None = None
    hot: bool = False


@dataclass(frozen=True, slots=True)
class NavGroup:
    """A heading of the side bar and what stands under it."""

    label: str
    places: tuple[NavItem, ...]


STAFF_PLACES: Final = (
    # nhóm         khóa           biểu tượng       tên                        dịch vụ     đường dẫn
    ("Vận hành", "operations", "gauge", "Bảng điều hành", "notifier", "/desk/operations"),
    ("Vận hành", "deadlines", "calendar-clock", "Hạn", "notifier", "/desk/deadlines"),
    ("Vận hành", "notices", "mail", "Thư báo", "notifier", "/desk/notices"),
    ("Vận hành", "calendar", "calendar-days", "Lịch làm việc", "notifier", "/desk/calendar"),
    ("Vận hành", "portals", "network", "Cổng đối tác", "sync", "/desk/portals"),
    ("Hỏi – đáp", "triage", "inbox", "Chờ phân loại", "qa", "/desk/triage"),
    ("Hỏi – đáp", "unit", "message-circle-question-mark", "Câu hỏi của đơn vị", "qa", "/desk/unit"),
    ("Hỏi – đáp", "publishing", "check-check", "Duyệt đăng trả lời", "qa", "/desk/publishing"),
    ("Hỏi – đáp", "settings", "pencil", "Thiết lập hỏi đáp", "qa", "/desk/settings"),
    ("Hỏi – đáp", "figures", "list-ordered", "Số liệu hỏi đáp", "qa", "/desk/figures"),
    ("Biên tập", "review", "newspaper", "Bàn duyệt bài", "content", "/desk/review"),
    ("Biên tập", "compose", "pen-line", "Soạn bài", "content", "/desk/compose"),
)
PUBLIC_PLACES: Final = (
    ("home", "Trang chủ", "content", "/"),
    ("articles", "Tin bài, văn bản", "content", "/articles"),
    ("answers", "Hỏi – đáp", "qa", "/answers"),
    ("ask", "Gửi câu hỏi", "qa", "/ask"),
    ("track", "Tra cứu câu hỏi", "qa", "/track"),
)
ICONS: Final = "vendor/icons.svg"
DRAWN: Final = Markup('<svg class="i{}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>')
LOOKED_AT_AGAIN: Final = 1.0  # seconds
NO_URLS: Final[Mapping[str, str]] = dict.fromkeys(("content", "qa", "sync", "notifier", "issuer"), "")


def staff_nav(
    urls: Mapping[str, str], counts: Mapping[str, int] | None = None, hot: Sequence[str] = ()
) -> list[NavGroup]:
    """The side bar across the services. ``counts`` and ``hot`` go by key (``triage``, ``deadlines``, …)."""
    groups: dict[str, list[NavItem]] = {}
    for group, key, icon, label, service, path in STAFF_PLACES:
        item = NavItem(key, icon, label, urls[service] + path, (counts or {}).get(key), key in hot)
        groups.setdefault(group, []).append(item)
    return [NavGroup(label, tuple(items)) for label, items in groups.items()]


def public_nav(urls: Mapping[str, str]) -> list[NavItem]:
    """The public header's places."""
    return [NavItem(key, "", label, urls[service] + path) for key, label, service, path in PUBLIC_PLACES]


@lru_cache(maxsize=512)
def _fingerprint(file: Path, changed_ns: int) -> str:
    del changed_ns  # only there so that a changed file gets a new mark
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


class Look:
    """Renders a service's templates over the shared ones; every page escapes, every name must exist.

    ``m`` (the macros of ``_m.html``) is there in each template and each block without an import.
    """

    def __init__(
        self,
        folders: Sequence[Path] = (),
        globals: Mapping[str, Any] | None = None,
        *,
        static_folders: Sequence[Path] = (),
        static_path: str = "/static",
        catalogues: spoken.Catalogues | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        given = dict(globals or {})
        self._static = (*static_folders, STATIC)
        self._static_path = static_path
        self._addresses: dict[str, tuple[str, float]] = {}
        self._icons: dict[tuple[str, str], tuple[str, Markup]] = {}
        self.environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in (*folders, TEMPLATES)]),
            # The text of a mail is plain and must say & as &.
            autoescape=select_autoescape(disabled_extensions=("txt",), default=True),
            undefined=StrictUndefined,
            auto_reload=given.get("environment") == "local",  # else each render looks at each file's date
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        self.catalogues = catalogues or {}
        self.environment.policies["ext.i18n.trimmed"] = True
        # The extension adds it, so the type does not know it.
        self.environment.install_gettext_callables(  # type: ignore[attr-defined]
            spoken.gettext, spoken.ngettext, newstyle=True
        )
        self.environment.filters.update(spoken.filters(filters(clock)))
        urls = {**NO_URLS, **given.pop("urls", {})}
        self.environment.globals.update(
            {
                "environment": "production",
                "user": None,
                "csrf": "",
                "urls": urls,
                "nav": staff_nav(urls),
                "nav_current": "",
                "public_nav": public_nav(urls),
                "now": clock,
                "static_url": self.static_url,
                "drawn": self.icon,
                "new_key": lambda: str(uuid4()),
                "language": spoken.language,
                "languages": (spoken.VIETNAMESE, *self.catalogues),
                "language_names": spoken.OWN_NAMES,
                "address_in": spoken.address_in,
                **given,
            }
        )
        self.environment.globals["m"] = self.environment.get_template("_m.html").module

    def speaking(self, language: str) -> AbstractContextManager[None]:
        """Inside, one is told in this language."""
        return spoken.speaking(language, self.catalogues)

    def render(self, name: str, /, **context: Any) -> str:
        """A whole page."""
        return self.environment.get_template(name).render(context)

    def render_block(self, name: str, block: str, /, **context: Any) -> str:
        """One block of a page, as an htmx fragment or an event of a live stream."""
        template = self.environment.get_template(name)
        return "".join(template.blocks[block](template.new_context(context)))

    def static_url(self, path: str) -> str:
        """The address of a static file, marked with its content so that a browser may keep it for ever. A
        page asks for a hundred, so a file is looked at again only after a second."""
        address, until = self._addresses.get(path, ("", 0.0))
        now = time.monotonic()
        if now >= until:
            address = self._address(path)
            self._addresses[path] = address, now + LOOKED_AT_AGAIN
        return address

    def icon(self, name: str, cls: str = "") -> Markup:
        address = self.static_url(ICONS)
        known = self._icons.get((name, cls))
        if known is None or known[0] != address:
            known = self._icons[name, cls] = address, DRAWN.format(f" {cls}" if cls else "", address, name)
        return known[1]

    def _address(self, path: str) -> str:
        for folder in self._static:
            file = folder / path
            if file.is_file():
                address = f"{self._static_path}/{path}"
                # The style sheet names the fonts too, and both must ask for one address.
                if file.suffix == ".woff2":
                    return address
                return f"{address}?v={_fingerprint(file, file.stat().st_mtime_ns)}"
        raise FileNotFoundError(path)


class StaticApp(StaticFiles):
    """Static files: compressed once, and kept for ever by the browser when the address carries its mark."""

    COMPRESSED: Final = frozenset({".css", ".js", ".svg", ".json", ".txt"})

    def __init__(self, *folders: Path) -> None:
        super().__init__(directory=folders[0])
        self.all_directories = list(folders)
        self._packed: dict[tuple[str, int], bytes] = {}

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        # A font's file name carries its version.
        for_ever = b"v=" in scope.get("query_string", b"") or path.endswith(".woff2")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if for_ever else "no-cache"
        return response

    def file_response(
        self, full_path: Any, stat_result: Any, scope: Scope, status_code: int = 200
    ) -> Response:
        asked = Headers(scope=scope)
        file = Path(full_path)
        if file.suffix not in self.COMPRESSED or "gzip" not in asked.get("accept-encoding", ""):
            return super().file_response(full_path, stat_result, scope, status_code)
        key = (str(file), stat_result.st_mtime_ns)
        if key not in self._packed:
            self._packed[key] = gzip.compress(file.read_bytes(), 6, mtime=0)
        kind = FileResponse(file).media_type
        headers = {
            "ETag": f'"{_fingerprint(file, stat_result.st_mtime_ns)}-gz"',
            "Vary": "Accept-Encoding",
            "Content-Encoding": "gzip",
        }
        response = Response(self._packed[key], status_code, headers, kind)
        return (
            NotModifiedResponse(response.headers)
            if self.is_not_modified(response.headers, asked)
            else response
        )


def static_app(*folders: Path) -> StaticApp:
    """The app to mount at ``/static``: a service's own folders first, then the shared one."""
    return StaticApp(*folders, *(() if STATIC in folders else (STATIC,)))


HTTPS_ONLY: Final = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


class SecurityHeaders:
    """Puts the strict policy on every answer; what a page has set for itself stays.

    ``form_action`` names other origins a form may lead to, redirects included: the issuer for a service that
    signs out there, the services for the issuer's own login form.
    """

    def __init__(self, app: ASGIApp, form_action: Sequence[str] = ()) -> None:
        self.app = app
        headers = {
            "Content-Security-Policy": "; ".join(
                (
                    "default-src 'self'",
                    "script-src 'self'",
                    "style-src 'self'",
                    "img-src 'self' data:",
                    "font-src 'self'",
                    "object-src 'none'",
                    "base-uri 'none'",
                    "frame-ancestors 'none'",
                    " ".join(("form-action 'self'", *form_action)),
                )
            ),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        self.headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        wanted = [*self.headers, HTTPS_ONLY] if scope.get("scheme") == "https" else self.headers

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message.get("headers", ())
                names = {name.lower() for name, _ in own}
                message["headers"] = [*own, *(pair for pair in wanted if pair[0] not in names)]
            await send(message)

        await self.app(scope, receive, send_with_headers)
