"""Mail that a machine wrote: an answer to it would be answered again, for ever (RFC 3834)."""

import re
from email.message import Message
from typing import Final

from services.qa.mail.texts import header

LOOKED_AT: Final = 500
ANSWERING_MACHINES: Final = ("x-autoreply", "x-autorespond", "x-auto-reply", "x-autoresponse", "x-loop")
# The id of a notice, in the small letters in which we write it: a person's program may use our domain too.
NOTICE: Final = re.compile(r"\s*<[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}@([a-z0-9.-]{1,253})>\s*")
LISTS: Final = ("list-id", "list-unsubscribe", "list-post", "list-help", "list-owner")
SERVERS: Final = re.compile(
    r"(?:^|<|\s)(?:mailer-daemon|postmaster|no-?reply|do-?not-?reply)@", re.IGNORECASE
)
AWAY: Final = re.compile(
    r"^(?:\[[^\]]{1,40}\]\s*)?(?:automatic reply|auto(?:matic)?[- ]?(?:reply|response)|out of (?:the )?office"
    r"|vacation (?:reply|response|notice|message)|undeliver(?:ed|able)\s*:|delivery status notification"
    r"|mail delivery (?:failed|subsystem)|returned mail\s*:|(?:thư )?trả lời tự động|tự động trả lời)",
    re.IGNORECASE,
)


def automatic(message: Message, envelope_sender: str, own_domain: str) -> str:
    """The kind of machine; empty for what a person may have written."""

    def said(name: str) -> str:
        return str(message.get(name, ""))[:LOOKED_AT].strip().lower()

    kind = message.get_content_type()
    signs = {
        "report": kind in {"multipart/report", "message/delivery-status"},
        "null_return_path": envelope_sender in ("", "<>") or said("return-path") == "<>",
        "own_letter": bool(own_domain) and _ours(str(message.get("message-id", "")), own_domain),
        "auto_submitted": said("auto-submitted").partition(";")[0].strip() not in ("", "no"),
        "bulk": said("precedence") in ("bulk", "list", "junk", "auto_reply"),
        "list": any(name in message for name in LISTS),
        "answering_machine": any(name in message for name in ANSWERING_MACHINES),
        "server": bool(SERVERS.search(said("from")) or SERVERS.search(envelope_sender.lower())),
        "away": bool(AWAY.match(header(message, "subject"))),
    }
    return next((name for name, shown in signs.items() if shown), "")


def _ours(message_id: str, own_domain: str) -> bool:
    notice = NOTICE.fullmatch(message_id[:LOOKED_AT])
    return notice is not None and notice[1] == own_domain
