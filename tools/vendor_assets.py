"""Copies pinned front-end files out of npm packages into the tree, with their licences and hashes.

    python tools/vendor_assets.py

Needs npm and the network, and only when a version or the list of icons changes: what it writes is committed,
so nobody needs Node to run the system. A font or a bundle keeps its version in its folder's or file's name.
"""

import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
STATIC: Final = ROOT / "shared/web/static/vendor"
TESTS: Final = ROOT / "tests/vendor"

FILES: Final[dict[str, dict[str, str]]] = {
    # package@version: {file in the package: name here}
    "htmx.org@4.0.1": {"dist/htmx.min.js": "htmx.min.js", "dist/ext/hx-sse.min.js": "hx-sse.min.js"},
    "bootstrap@5.3.9": {"dist/css/bootstrap.min.css": "bootstrap.min.css"},
    "uplot@1.6.32": {"dist/uPlot.iife.min.js": "uplot.min.js", "dist/uPlot.min.css": "uplot.min.css"},
    # Pages preload the fonts and the style sheet names them again: the version in the name lets a browser
    # keep them for ever under one address.
    "@fontsource-variable/inter@5.3.0": {
        "files/inter-latin-wght-normal.woff2": "inter-latin-5.3.0.woff2",
        "files/inter-vietnamese-wght-normal.woff2": "inter-vietnamese-5.3.0.woff2",
    },
    "swagger-ui-dist@5.35.0": {
        "swagger-ui-bundle.js": "swagger-ui.js",
        "swagger-ui.css": "swagger-ui.css",
        "swagger-ui-bundle.js.LICENSE.txt": "swagger-ui.js.LICENSE.txt",
        "NOTICE": "swagger-ui.NOTICE",
    },
}
TEST_FILES: Final[dict[str, dict[str, str]]] = {
    "axe-core@4.14.1": {
        "axe.min.js": "axe.min.js",
        "LICENSE-3RD-PARTY.txt": "axe-core.LICENSE-3RD-PARTY.txt",
    },
}
ICON_PACKAGE: Final = "lucide-static@1.62.0"
ICONS: Final = """
    a-large-small archive arrow-left arrow-right ban bell book-open bookmark building-2 calendar-clock
    calendar-days check check-check chevron-down chevron-left chevron-right circle-alert circle-check
    circle-dot circle-question-mark circle-user clipboard-check clipboard-copy clock coins contrast copy
    corner-up-left corner-up-right download external-link eye eye-off file-check file-clock file-pen
    file-search file-text filter flag gauge gavel globe hand history hourglass house id-card inbox info
    keyboard landmark layers link list-filter list-ordered list-tree loader lock log-in log-out mail
    mail-check mail-question-mark mail-warning mail-x map-pin megaphone menu merge message-circle
    message-circle-question-mark message-square-text messages-square minus monitor moon network newspaper
    octagon-alert octagon-x paperclip pen-line pencil phone play plus printer quote radio refresh-cw
    rotate-ccw rss save scale scroll-text search send shield-alert shield-check smartphone split
    square-check-big star sun tag timer trash-2 triangle-alert undo-2 upload user-check users wifi-off x zap
"""
# Bootstrap's components that our own style sheets replace: half of its bytes, on every page.
UNUSED: Final = re.compile(
    r"\.(accordion|alert|badge|breadcrumb|btn-(close|group|toolbar|outline|info|warning|success|light|dark)|card"
    r"|carousel|collaps|dropd|dropup|dropstart|dropend|figure|form-(floating|range)|list-group|modal|nav(bar)?\b"
    r"|offcanvas|page-|pagination|placeholder|popover|progress|spinner|toast|tooltip|bs-"
    r"|(link|text-bg)-(primary|secondary|success|info|warning|danger|light|dark|body)"
    r"|[a-z-]+-(xl|xxl)(-|\b)|table-(primary|secondary|success|info|warning|danger|light|dark))"
    r"|^@keyframes (progress|spinner|placeholder)"
)
LICENCE = re.compile(r"package/(LICEN[CS]E|COPYING)(\.\w+)?", re.IGNORECASE)


def read(archive: tarfile.TarFile, member: str) -> bytes:
    """One file of a package."""
    handle = archive.extractfile(f"package/{member}")
    if handle is None:
        sys.exit(f"{member} is not a file of its package")
    return handle.read()


def put(folder: Path, name: str, data: bytes, manifest: dict[str, dict[str, Any]], **said: object) -> None:
    """Write one file and its line in the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    integrity = "sha384-" + base64.b64encode(hashlib.sha384(data).digest()).decode()
    manifest[name] = {**said, "integrity": integrity, "bytes": len(data)}


def copy(spec: str, archive: tarfile.TarFile, files: dict[str, str], folder: Path, manifest: Any) -> None:
    """The files we keep, and the package's licence beside them."""
    package = json.loads(read(archive, "package.json"))
    said = {"from": spec, "license": package.get("license")}
    for member, name in files.items():
        data = read(archive, member)
        if name == "bootstrap.min.css":
            # Its own notice stays at the head; the map of the whole file no longer fits.
            data = trim(data.decode().split("/*# sourceMappingURL")[0]).encode() + b"\n"
            put(folder, name, data, manifest, **said, changed="rules of unused components left out")
            continue
        put(folder, name, data, manifest, **said)
    licence = next((m for m in archive.getnames() if LICENCE.fullmatch(m)), None)
    if licence is None:
        sys.exit(f"{spec} ships no licence")
    short = re.sub(r"[^a-z0-9-]+", "-", package["name"].lower()).strip("-")
    put(folder, f"{short}.LICENSE", read(archive, licence.removeprefix("package/")), manifest, **said)


def trim(css: str) -> str:
    """A minified style sheet without the rules that only unused components have."""
    kept = []
    at = 0
    while (brace := css.find("{", at)) >= 0:
        head, end, depth = css[at:brace], brace + 1, 1
        while depth:
            depth += {"{": 1, "}": -1}.get(css[end], 0)
            end += 1
        body = css[brace + 1 : end - 1]
        if head.startswith(("@media", "@supports")):
            body = trim(body)
        elif not head.startswith("@"):
            # A comma inside :not(…) parts nothing.
            selectors = re.split(r",(?![^(]*\))", head)
            head = ",".join(each for each in selectors if not UNUSED.search(each))
        elif UNUSED.search(head):
            head = ""
        if head and body:
            kept.append(f"{head}{{{body}}}")
        at = end
    return "".join(kept)


def sprite(archive: tarfile.TarFile) -> bytes:
    """One SVG of the icons in use, each a symbol; colour and width come from the style sheet."""
    symbols = []
    for icon in ICONS.split():
        svg = read(archive, f"icons/{icon}.svg").decode()
        body = re.sub(r"\s+", " ", svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")]).strip()
        symbols.append(f'<symbol id="{icon}" viewBox="0 0 24 24">{body.replace("> <", "><")}</symbol>')
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n'.encode()


def main() -> None:
    """Fetch every package once, copy what we keep, write the two manifests."""
    wanted = [*FILES, *TEST_FILES, ICON_PACKAGE]
    kept: dict[str, dict[str, Any]] = {}
    for_tests: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", "--pack-destination", folder, *wanted]
        names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        for spec, name in zip(wanted, names, strict=True):
            with tarfile.open(Path(folder, name)) as archive:
                if spec in FILES:
                    copy(spec, archive, FILES[spec], STATIC, kept)
                elif spec in TEST_FILES:
                    copy(spec, archive, TEST_FILES[spec], TESTS, for_tests)
                else:
                    copy(spec, archive, {}, STATIC, kept)
                    put(STATIC, "icons.svg", sprite(archive), kept, **{"from": spec, "license": "ISC"})
    for target, manifest in ((STATIC, kept), (TESTS, for_tests)):
        text = json.dumps(manifest, indent=1, sort_keys=True)
        (target / "vendor.json").write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(kept)} files in {STATIC}, {len(for_tests)} in {TESTS}\n")


if __name__ == "__main__":
    main()
