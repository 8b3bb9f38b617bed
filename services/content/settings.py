"""Settings of content: the common ones, and the choices that the regulation leaves open."""

from pydantic import Field

from services.content.regulation import INCOMPLETE_REASONS, Policy, ReturnReason
from shared.settings import ServiceSettings


class ContentSettings(ServiceSettings):
    draft_working_days: int = Field(
        0,
        ge=0,
        le=5,
        description="Điều 11.1.a, dự thảo: «ngay khi» read as this many working days; 0 is the same day.",
    )
    incomplete_reasons: frozenset[ReturnReason] = Field(
        INCOMPLETE_REASONS,
        description="Điều 11.1.a, «cung cấp đầy đủ»: returned for one of these, a unit's clock runs on.",
    )

    def policy(self) -> Policy:
        return Policy(draft_working_days=self.draft_working_days, incomplete_reasons=self.incomplete_reasons)
