"""What an asker attaches, in Chromium: refused with words beside the field, scanned, seen with its verdict by
the asker and by the clerk, and saved."""

import re
import struct
import zlib

from playwright.sync_api import Browser, expect

from deploy.local.system import System
from deploy.samples.clamd import EICAR
from tests.journeys.people import Person


def picture() -> bytes:
    """A real PNG, 40 by 30, blue."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 40, 30, 8, 2, 0, 0, 0))
    rows = zlib.compress((b"\0" + b"\x1a\x4f\x9c" * 40) * 30)
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def chosen(name: str, content: bytes) -> dict[str, object]:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def test_a_file_is_refused_scanned_seen_with_its_verdict_and_saved(system: System, browser: Browser) -> None:
    with Person(browser, system) as asker, Person(browser, system, "ha") as clerk:
        page = asker.opens("qa", "/ask")
        page.get_by_label("Việc cần hỏi").fill("Tệp đính kèm của tôi có tới nơi không?")
        page.get_by_role("button", name="Tiếp tục").click()
        page.get_by_label("Nội dung đầy đủ").fill("Tôi gửi kèm ảnh sổ và một bản kê.")
        drawing = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
        page.get_by_label("Tệp đính kèm").set_input_files(
            [chosen("ảnh sổ.png", picture()), chosen("hình vẽ.svg", drawing)]
        )
        page.get_by_role("button", name="Tiếp tục").click()
        expect(page.get_by_role("link", name=re.compile("hình vẽ.svg"))).to_be_visible()
        expect(page.get_by_label("ảnh sổ.png")).to_be_checked()
        expect(page.get_by_label("Nội dung đầy đủ")).to_have_value(re.compile("ảnh sổ"))
        asker.looks_over()
        page.get_by_label("Thêm tệp đính kèm").set_input_files([chosen("bản kê.txt", EICAR)])
        page.get_by_role("button", name="Tiếp tục").click()
        page.get_by_label("Họ và tên").fill("Trần Văn Lộc")
        page.get_by_label("Địa chỉ thư điện tử").fill("loc.tep@hopthu.example.vn")
        page.get_by_label("Tôi đồng ý").check()
        page.get_by_role("button", name="Xem lại trước khi gửi").click()
        expect(page.get_by_text("bản kê.txt")).to_be_visible()
        asker.looks_over()
        page.get_by_role("button", name="Gửi câu hỏi").click()
        number = page.locator(".cap .code").inner_text()

        page = asker.opens("qa", "/track")
        for _ in range(80):
            if not page.get_by_text("Đang chờ quét").count():
                break
            page.wait_for_timeout(250)
            page.reload()
        expect(page.get_by_text("Đã quét, không thấy mã độc")).to_be_visible()
        expect(page.get_by_text("Có mã độc")).to_be_visible()
        expect(page.get_by_role("link", name="Tải về bản kê.txt")).to_have_count(0)
        asker.looks_over()

        page = clerk.opens("qa", "/desk/triage")
        page.get_by_role("link", name=re.compile(number.rpartition("-")[2])).first.click()
        expect(page.get_by_role("heading", name="Tệp đính kèm", exact=True)).to_be_visible()
        clerk.looks_over()
        with page.expect_download() as saved:
            page.get_by_role("link", name="Tải về ảnh sổ.png").click()
        assert saved.value.suggested_filename == f"{number}-1.png"
        assert saved.value.path().read_bytes() == picture()
