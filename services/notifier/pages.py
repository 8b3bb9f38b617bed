"""Pages of the register and the board of operations."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
