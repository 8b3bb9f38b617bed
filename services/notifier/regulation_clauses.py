"""The clauses that the register cites, in their own words (Căn cứ)."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Clause:
    """How a clause is cited, and its own words."""

    anchor: str  # in docs/regulation
    cited: str
    words: str


def _clause(anchor: str, cited: str, words: str) -> Clause:
    return Clause(anchor, cited, " ".join(words.split()))


_LAW: Final = "Điều 11 khoản 1 điểm a"
CLAUSES: Final = (
    _clause("dieu-11#lien-he", f"{_LAW}, Thông tin liên hệ", """
        Trong 01 ngày làm việc kể từ khi có sự thay đổi thông tin và được phép công bố."""),
    _clause("dieu-11#tin-tuc-su-kien", f"{_LAW}, Tin tức – Sự kiện", """
        Có thể trước, trong hoặc sau khi hoạt động, sự kiện xảy ra nhằm bảo đảm đưa tin lên Cổng Thông tin
        điện tử được nhanh chóng và chính xác."""),
    _clause("dieu-11#hoi-dap-1", f"{_LAW}, Hỏi đáp, gạch thứ nhất", """
        Trung tâm Dịch vụ hỗ trợ, chăm sóc khách hàng có trách nhiệm tiếp nhận câu hỏi, phân loại câu hỏi để
        trả lời hoặc chuyển đến các đơn vị liên quan để trả lời trong vòng 02 đến 05 ngày làm việc. Trường
        hợp câu hỏi không liên quan đến phạm vi, chức năng nhiệm vụ của Bảo hiểm xã hội Việt Nam; câu hỏi
        không rõ nghĩa thì phải thông báo ngay trong ngày cho tổ chức, cá nhân đặt câu hỏi biết để chuyển
        đến cơ quan có trách nhiệm hoặc gửi lại nội dung đầy đủ."""),
    _clause("dieu-11#hoi-dap-2", f"{_LAW}, Hỏi đáp, gạch thứ hai", """
        Trong vòng 07 ngày làm việc kể từ khi tiếp nhận câu hỏi, các đơn vị có trách nhiệm trả lời hoặc
        thông báo quá trình xử lý, trong đó nói rõ thời hạn trả lời đối với tổ chức, cá nhân đặt câu hỏi.
        Đối với những câu hỏi phức tạp, liên quan đến nhiều đơn vị, phải lấy ý kiến nhiều đơn vị, xử lý
        trong vòng 10 ngày làm việc kể từ khi nhận được câu hỏi."""),
    _clause("dieu-11#hoi-dap-3", f"{_LAW}, Hỏi đáp, gạch thứ ba", """
        Sau khi tiếp nhận câu trả lời, không quá 02 ngày làm việc, Trung tâm Dịch vụ hỗ trợ, chăm sóc khách
        hàng có trách nhiệm gửi câu trả lời tới các tổ chức, cá nhân đồng thời biên tập, đăng công khai trên
        Cổng Thông tin điện tử."""),
    _clause("dieu-11#hoat-dong", f"{_LAW}, Thông tin về hoạt động của đơn vị", """
        Trong 01 ngày làm việc kể từ khi có thông tin mới."""),
    _clause("dieu-11#van-ban", f"{_LAW}, Văn bản", """
        Cơ quan chủ trì, soạn thảo văn bản cung cấp trong 01 ngày làm việc kể từ khi hoàn thiện xong thông
        tin và được phép công bố."""),
    _clause("dieu-11#du-thao", f"{_LAW}, Dự thảo văn bản xin ý kiến", """
        Ngay khi đơn vị cần xin ý kiến cho dự thảo văn bản."""),
    _clause("dieu-11#huong-dan", f"{_LAW}, Giới thiệu, tuyên truyền, hướng dẫn", """
        Trong 10 ngày làm việc kể từ khi văn bản pháp luật, chính sách, chế độ chính thức được ban hành."""),
    _clause("dieu-12#khoan-1", "Điều 12 khoản 1", """
        Cổng Thông tin điện tử liên kết, tích hợp thông tin với Cổng Thông tin điện tử Chính phủ và Cổng
        Thông tin điện tử của các Bộ, ngành liên quan để bảo đảm tổ chức và cá nhân có thể tìm kiếm và khai
        thác các thông tin trên mọi lĩnh vực liên quan đến hoạt động của ngành Bảo hiểm xã hội Việt Nam."""),
    _clause("dieu-12#khoan-2", "Điều 12 khoản 2", """
        Cổng Thông tin điện tử của Bảo hiểm xã hội Việt Nam liên kết thông tin với Cổng Thông tin điện tử
        của Bảo hiểm xã hội tỉnh bảo đảm các thông tin, tiện ích, dịch vụ được cung cấp cho người sử dụng
        được thống nhất, kịp thời."""),
    _clause("bo-luat-dan-su#dieu-147", "Bộ luật Dân sự 2015, Điều 147", """
        Khi thời hạn bắt đầu bằng một sự kiện thì ngày xảy ra sự kiện không được tính mà tính từ ngày tiếp
        theo liền kề của ngày xảy ra sự kiện đó."""),
    _clause("bo-luat-dan-su#dieu-148", "Bộ luật Dân sự 2015, Điều 148", """
        Thời điểm kết thúc ngày cuối cùng của thời hạn vào lúc hai mươi tư giờ của ngày đó."""),
)  # fmt: skip
CITED: Final = {clause.anchor: clause.cited for clause in CLAUSES}
