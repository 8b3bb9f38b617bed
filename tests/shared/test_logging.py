"""A log says where something broke, and never what somebody wrote."""

import json
import subprocess
import sys

import pytest

from shared.errors import Unavailable
from shared.logging import spoken

CANARY = "hoàng-yến"
SCRIPT = f"""
import logging, structlog
from shared.errors import Unavailable
from shared.logging import set_up
set_up("qa", "r-1", style="{{style}}", level="INFO")
def break_():
    try:
        int("{CANARY}")
    except ValueError as error:
        raise KeyError("{CANARY}") from error
try:
    break_()
except KeyError as error:
    structlog.get_logger("x").error("request.failed", exc_info=error, letter="{CANARY}")
    logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=error)
try:
    raise Unavailable("Cơ sở dữ liệu chưa trả lời.")
except Unavailable as error:
    structlog.get_logger("x").error("job.failed", exc_info=error)
"""


@pytest.mark.parametrize("style", ["json", "console"])
def test_no_line_of_a_traceback_quotes_a_value(style: str) -> None:
    command = [sys.executable, "-c", SCRIPT.replace("{style}", style)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    written = run.stdout + run.stderr
    assert CANARY not in written
    assert json.dumps(CANARY) not in written
    for told in ("ValueError", "KeyError", "line ", "break_", "Cơ sở dữ liệu chưa trả lời."):
        assert told in written


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError(CANARY), "ValueError"),
        (UnicodeEncodeError("utf-8", CANARY, 0, 1, "surrogates"), "UnicodeEncodeError"),
        (KeyError(CANARY), "KeyError"),
        (ConnectionRefusedError(111, "refused"), "ConnectionRefusedError(111, 'refused')"),
        (Unavailable("Bận."), "Unavailable('Bận.')"),
    ],
)
def test_an_error_is_told_by_its_name_unless_its_words_are_our_own(error: Exception, told: str) -> None:
    assert spoken(error) == told
