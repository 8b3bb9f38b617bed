"""Ngôn ngữ: in which language a request is answered, and how words, dates and figures read in it. What is
written in the source is Vietnamese; a service with catalogues (``locale/<language>/LC_MESSAGES/*.po``) tells
its public pages in those languages too."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from gettext import NullTranslations
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar
from urllib.parse import parse_qsl, urlencode

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.web import english
from shared.web import vietnamese as vn

P = ParamSpec("P")
T = TypeVar("T")
Catalogues = Mapping[str, NullTranslations]

VIETNAMESE: Final = "vi"
OWN_NAMES: Final = {"vi": "Tiếng Việt", "en": "English"}
COOKIE: Final = "lang"
COOKIE_SECONDS: Final = 365 * 24 * 3600
# Told in Vietnamese alone, whoever asks: what staff and machines read.
IN_VIETNAMESE: Final = ("/desk", "/v1", "/static", "/signin", "/signout", "/health", "/metrics", "/docs")
SHARED: Final = Path(__file__).parent / "locale"

_told: ContextVar[tuple[str, NullTranslations]] = ContextVar("told", default=(VIETNAMESE, NullTranslations()))


def language() -> str:
    """The language in which one is being told: ``vi`` or ``en``."""
    return _told.get()[0]


@contextmanager
def speaking(language: str, catalogues: Catalogues) -> Iterator[None]:
    """Everything inside is told in this language; in Vietnamese where there is no catalogue for it."""
    known = language if language in catalogues else VIETNAMESE
    before = _told.set((known, catalogues.get(known, NullTranslations())))
    try:
        yield
    finally:
        _told.reset(before)


def gettext(words: str) -> str:
    return _told.get()[1].gettext(words) if words else ""  # a catalogue tells of itself under ""


def ngettext(one: str, more: str, count: int) -> str:
    return _told.get()[1].ngettext(one, more, count)


def tr(words: str, **values: Any) -> str:
    """The sentence in the language spoken; ``values`` fill its ``%(name)s``."""
    told = gettext(words)
    return told % values if values else told


def N_(words: str) -> str:
    """Marks a sentence that is kept here and told by :func:`tr` later: the catalogue has to know it."""
    return words


@cache
def catalogues_of(*folders: Path) -> Catalogues:
    """Those of all folders together, by language."""
    found: dict[str, Translations] = {}
    for path in sorted(path for folder in folders for path in folder.glob("*/LC_MESSAGES/*.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, locale=path.parent.parent.name)
        packed = io.BytesIO()
        write_mo(packed, catalogue)
        packed.seek(0)
        name = path.parent.parent.name
        found[name] = found.get(name, Translations()).merge(Translations(packed))
    return dict(found)


def _either(vietnamese: Callable[P, T], english: Callable[P, T]) -> Callable[P, T]:
    @wraps(vietnamese)
    def said(*args: P.args, **kwargs: P.kwargs) -> T:
        return (vietnamese if language() == VIETNAMESE else english)(*args, **kwargs)

    return said


said_date = _either(vn.vn_date, english.en_date)
said_short = _either(vn.vn_short, english.en_short)
said_full_day = _either(vn.vn_full_day, english.en_full_day)


def filters(vietnamese: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """The same filters, each in the language spoken."""
    return {
        name: _either(said, english.FILTERS[name]) if name in english.FILTERS else said
        for name, said in vietnamese.items()
    }


def address_in(request: Request, language: str) -> str:
    """Where this very page is told in another language."""
    kept = [(name, value) for name, value in parse_qsl(request.url.query) if name != COOKIE]
    return f"{request.url.path}?{urlencode([*kept, (COOKIE, language)])}"


def chosen(asked: str, remembered: str, accepted: str, spoken: Sequence[str]) -> str:
    """What the address asks for, what was chosen before, what the browser prefers; else Vietnamese."""
    for wish in (asked, remembered):
        if wish in spoken:
            return wish
    wishes: list[tuple[float, str]] = []
    for part in accepted.split(","):
        name, _, rest = part.strip().partition(";")
        weight = rest.strip().removeprefix("q=") or "1"
        if weight.replace(".", "", 1).isdecimal():
            wishes.append((-float(weight), name.strip().lower().partition("-")[0]))
    known = [name for weight, name in sorted(wishes, key=lambda wish: wish[0]) if name in spoken and weight]
    return known[0] if known else VIETNAMESE


def _remembered(headers: Headers) -> str:
    try:
        kept = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return kept.value if kept else ""


class Languages:
    """Around every request for a public page: the language in which it is answered."""

    def __init__(self, app: ASGIApp, catalogues: Catalogues) -> None:
        self.app, self.catalogues = app, catalogues
        self.spoken = (VIETNAMESE, *catalogues)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self.catalogues or scope["type"] != "http" or scope["path"].startswith(IN_VIETNAMESE):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        asked = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1"))).get(COOKIE, "")
        told = chosen(asked, _remembered(headers), headers.get("accept-language", ""), self.spoken)

        async def in_language(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                answer.setdefault("Content-Language", told)
                answer.add_vary_header("Accept-Language")
                answer.add_vary_header("Cookie")
                if asked == told:
                    secure = "; Secure" if scope.get("scheme") == "https" else ""
                    answer.append(
                        "Set-Cookie",
                        f"{COOKIE}={told}; Path=/; Max-Age={COOKIE_SECONDS}; SameSite=Lax{secure}",
                    )
            await send(message)

        with speaking(told, self.catalogues):
            await self.app(scope, receive, in_language)
