"""Bàn làm việc: what the working pages of staff are made of."""
