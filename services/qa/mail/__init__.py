"""Câu hỏi gửi bằng thư điện tử: a mail server hands over what comes to the portal's mailbox (LMTP)."""
