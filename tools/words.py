"""The catalogues of words. Each sentence that a public page tells is found in its source; one that a
catalogue does not know is added to it without a translation, one that nobody tells any more is taken out.

    python -m tools.words"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from services.qa.domain.fields import FIELDS
from services.qa.files.attachments import STATES
from services.qa.files.types import KINDS
from services.qa.regulation import CITED
from shared.web.look import PUBLIC_PLACES

ROOT: Final = Path(__file__).resolve().parents[1]
TOLD_BY: Final[Any] = {"_": None, "tr": None, "N_": None, "gettext": None, "ngettext": (1, 2)}


@dataclass(frozen=True, slots=True)
class Words:
    """One catalogue and where its sentences stand; ``values`` are told from a table; what ``beside`` knows
    already is not told twice."""

    file: Path
    sources: tuple[Path, ...]
    values: tuple[str, ...]
    beside: "Words | None" = None

    def told(self) -> Iterator[str | tuple[str, str]]:
        for path in sorted(file for folder in self.sources for file in _files(folder)):
            method = "python" if path.suffix == ".py" else "jinja2.ext:babel_extract"
            found: Iterable[Any] = extract_from_file(method, path, TOLD_BY, (), {"trimmed": "true"})
            yield from (tuple(each[1]) if isinstance(each[1], tuple | list) else each[1] for each in found)
        yield from self.values

    def kept(self) -> Catalog:
        with self.file.open("rb") as file:
            return read_po(file, locale="en")

    def mended(self) -> Catalog:
        kept, mended = self.kept(), Catalog(locale="en", charset="utf-8")
        elsewhere = self.beside.kept() if self.beside else Catalog()
        for words in self.told():
            id = words[0] if isinstance(words, tuple) else words
            known = kept.get(id)
            if elsewhere.get(id):
                continue
            mended.add(words, string=known.string if known else "")
        return mended


def _files(folder: Path) -> Iterator[Path]:
    yield from (path for path in folder.rglob("*") if path.suffix in {".py", ".html"})


SHARED: Final = Words(
    ROOT / "shared/web/locale/en/LC_MESSAGES/shared.po", (ROOT / "shared/web",),
    tuple(label for _, label, _, _ in PUBLIC_PLACES),
)  # fmt: skip
QA: Final = Words(
    ROOT / "services/qa/locale/en/LC_MESSAGES/qa.po", (ROOT / "services/qa",),
    (
        *CITED.values(), *(name for name, _ in FIELDS.values()), *(kind.vi for kind in KINDS.values()),
        *(words for words, *_ in STATES.values()),
    ),
    SHARED,
)  # fmt: skip
CATALOGUES: Final = (SHARED, QA)


def main() -> None:
    for words in CATALOGUES:
        mended = words.mended()
        with words.file.open("wb") as file:
            write_po(file, mended, width=0, no_location=True, omit_header=True)


if __name__ == "__main__":
    main()
