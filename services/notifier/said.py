"""What a mail server said, fit to be kept and published: one line of text, and nobody's address in it."""

import re
from typing import Final

LONGEST: Final = 300  # characters that are kept
LOOKED_AT: Final = 2000  # characters of what was said; a search through more could be made to last
HIDDEN: Final = "‹địa chỉ›"
SHORTEST_NAME: Final = 3  # a shorter left part is a word like any other
# Whatever holds an @, and what servers write for it inside another address: user=40host, user+40host.
_ADDRESS: Final = re.compile(r"[^\s<>]*@[^\s<>]*|[^\s<>]+(?:=40|\+40|%40)[^\s<>]+")
_UNKEPT: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def without_addresses(words: str, *known: str) -> str:
    """``known``: addresses that are hidden in every form, their left part alone too («user nva unknown»)."""
    if len(words) > LOOKED_AT:  # what is cut in two may be an address
        words = words[:LOOKED_AT].rpartition(" ")[0]
    said = _ADDRESS.sub(HIDDEN, _UNKEPT.sub(" ", words))
    for address in known:
        name, _, host = address.partition("@")
        if SHORTEST_NAME <= len(name) <= LONGEST and name.lower() in said.lower():
            either = rf"{re.escape(name)}(?:[@=%+]\S*{re.escape(host)})?" if host else re.escape(name)
            said = re.sub(rf"(?<![\w.]){either}(?![\w.]*\w)", HIDDEN, said, flags=re.IGNORECASE)
    return " ".join(said.replace(f"<{HIDDEN}>", HIDDEN).split())[:LONGEST]
