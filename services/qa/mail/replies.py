"""What the portal answers a mail server that hands over a mail. A refusal reaches its sender in the server's
return, so it says what to do; in ASCII, as LMTP wants it, Vietnamese without its marks."""

from typing import Final

from services.qa.files.tokens import MOST_FILES
from services.qa.mail.reading import MOST_PARTS, MOST_TEXT, Trouble

Reply = tuple[str, str, str]  # code with its enhanced status, Vietnamese, English

TAKEN: Final = "250 2.0.0 Da nhan / received"
SET_ASIDE: Final = "250 2.0.0 Thu tu dong, khong xu ly / automatic mail, not a question"
NOT_OURS: Final = "550 5.1.1 Dia chi khong co o day / no such address here"
ONE_BY_ONE: Final = "452 4.5.3 Moi lan mot nguoi nhan / one recipient at a time"
PUT_OFF: Final = "451 4.3.0 Chua nhan duoc, xin gui lai sau / cannot take it now, try again later"
BUSY: Final = "451 4.3.2 Dang ban, xin gui lai sau / busy, try again later"
TOO_MANY: Final = "452 4.7.1 Qua nhieu thu tu dia chi nay, xin gui lai sau / too many mails from this address"
BY_THE_WEB: Final = ("hoac gui cau hoi tai {ask}", "or ask at {ask}")

REFUSALS: Final[dict[Trouble, Reply]] = {
    Trouble.BROKEN: (
        "554 5.6.0",
        "Khong doc duoc thu nay. Xin viet lai thanh mot thu moi, dang van ban thuong",
        "This mail cannot be read. Please write it anew as plain text",
    ),
    Trouble.TOO_DEEP: (
        "554 5.6.0",
        "Thu long nhieu thu khac ben trong. Xin chi gui noi dung can hoi trong mot thu moi",
        "This mail holds too many others within it. Please send what you ask in a new mail",
    ),
    Trouble.TOO_MANY_PARTS: (
        "554 5.6.0",
        f"Thu co qua nhieu tep hoac phan (toi da {MOST_PARTS}). Xin gui it tep hon",
        f"This mail has too many files or parts (at most {MOST_PARTS}). Please attach fewer",
    ),
    Trouble.TOO_LONG: (
        "554 5.3.4",
        f"Noi dung qua dai (toi da {MOST_TEXT} ky tu). Xin viet gon viec can hoi, phan con lai de trong tep",
        f"The text is too long (at most {MOST_TEXT} characters). Please shorten it, or attach the rest",
    ),
    Trouble.NO_TEXT: (
        "554 5.6.0",
        "Thu khong co noi dung cau hoi, hoac bi ma hoa. Xin viet viec can hoi trong than thu",
        "This mail has no text, or it is encrypted. Please write your question in the mail itself",
    ),
    Trouble.TOO_MANY_FILES: (
        "554 5.6.0",
        f"Thu co qua nhieu tep (toi da {MOST_FILES} moi thu). Xin gui it tep hon",
        f"This mail has too many files (at most {MOST_FILES}). Please attach fewer",
    ),
    Trouble.FILE_TYPE: (
        "554 5.6.1",
        "Co tep thuoc loai khong nhan. Chi nhan PDF, anh JPEG, PNG, Word .docx, Excel .xlsx, van ban .txt",
        "A file is of a type that we do not take. We take PDF, JPEG, PNG, .docx, .xlsx and .txt",
    ),
    Trouble.FILE_TOO_LARGE: (
        "554 5.3.4",
        "Co tep qua lon. Xin nen nho hoac chia tep",
        "A file is too large. Please make it smaller",
    ),
    Trouble.NO_SENDER: (
        "554 5.6.0",
        "Thu khong ghi ro mot dia chi nguoi gui de tra loi. Xin gui tu mot dia chi thu dien tu",
        "This mail does not name one sender to answer. Please send it from one e-mail address",
    ),
}


def refusal(trouble: Trouble, ask: str) -> str:
    """``ask``: the page where a question can be asked instead."""
    return _bilingual(REFUSALS[trouble], ask)


def too_large(largest: int, ask: str) -> str:
    most = f"{largest // (1024 * 1024)} MB"
    vi = f"Thu qua lon (toi da {most}). Xin gui lai khong kem tep lon, hoac nen nho tep"
    en = f"This mail is too large (at most {most}). Please send it again without large files"
    return _bilingual(("552 5.3.4", vi, en), ask)


def _bilingual(reply: Reply, ask: str) -> str:
    status, vi, en = reply
    code, _, enhanced = status.partition(" ")
    by_vi, by_en = (words.format(ask=ask) for words in BY_THE_WEB)
    return f"{code}-{enhanced} {vi}, {by_vi}.\r\n{status} {en}, {by_en}."
