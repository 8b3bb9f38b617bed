"""What may come in: strict bodies, text without control characters, and cursors that only we can read."""

import base64
import json
import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from shared.errors import InvalidInput
from shared.web.spoken import N_

CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")


def _clean(text: str) -> str:
    if CONTROL.search(text):
        raise ValueError(N_("Có ký tự điều khiển không được phép (control characters are not allowed)."))
    return text


def _one_line(text: str) -> str:
    if "\n" in text or "\r" in text or "\t" in text:
        raise ValueError(N_("Chỉ được một dòng (one line only)."))
    return _clean(text)


def _address(text: str) -> str:
    """One mailbox exactly: a second one, or a line end, would send a citizen's letter elsewhere."""
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", text):
        raise ValueError(N_("Không phải một địa chỉ thư điện tử (not one e-mail address)."))
    return text


Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300), AfterValidator(_one_line)
]
OptionalLine = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=300), AfterValidator(_one_line)
]
Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000), AfterValidator(_clean)
]
OptionalText = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=20_000), AfterValidator(_clean)
]
LongText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200_000), AfterValidator(_clean)
]
Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254), AfterValidator(_address)]


class Body(BaseModel):
    """A request body or a page's form: a field that we do not know is an error, not a guess."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def cursor_of(place: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def place_of(cursor: str) -> list[Any]:
    """Raises InvalidInput for anything that :func:`cursor_of` did not make."""
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        place = None
    if not isinstance(place, list) or not all(isinstance(part, str | int | float) for part in place):
        raise InvalidInput("Con trỏ trang không hợp lệ.", errors=[{"field": "cursor"}])
    return place
