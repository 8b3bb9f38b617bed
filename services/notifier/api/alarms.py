"""What the watch over the system finds broken, for the chat of whoever is on call: Prometheus' Alertmanager
posts here (its webhook format, version 4)."""

from datetime import UTC
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.notifier import handlers
from services.notifier.handlers import SoundAlarm
from services.notifier.said import without_addresses
from shared.web.edge import OurService, edge_of

router = APIRouter()
Short = Annotated[str, Field(max_length=1000)]


class Alert(BaseModel):
    """One alert; what else Alertmanager says of it is not needed."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    status: Literal["firing", "resolved"]
    labels: dict[str, Short] = Field(max_length=50)
    annotations: dict[str, Short] = Field(default_factory=dict, max_length=50)
    starts_at: AwareDatetime = Field(alias="startsAt")
    fingerprint: str = Field(pattern=r"^[0-9a-f]{8,64}$")

    @property
    def words(self) -> str:
        """What is broken and what to do; a line without anybody's address."""
        said = (
            self.annotations.get("summary") or self.labels.get("alertname", ""),
            self.annotations.get("action", ""),
        )
        return without_addresses(". ".join(each for each in said if each))


class Alarms(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    version: Literal["4"]
    alerts: list[Alert] = Field(max_length=200)


class Told(BaseModel):
    asked: int = Field(description="Bao nhiêu báo động được báo; báo lại cùng một báo động thì không thêm")


@router.post("/v1/alarms", tags=["notices"], summary="Báo động, cho kênh trực", status_code=202)
async def sound(body: Alarms, request: Request, by: OurService) -> Told:
    """For our services and operators. Each alert is told once from its beginning to its end, however often it
    is repeated; none while there is no chat."""
    edge, asked = edge_of(request), 0
    if edge.policy.chat:
        for alert in (each for each in body.alerts if each.status == "firing"):
            started = alert.starts_at.astimezone(UTC)
            cmd = SoundAlarm(alert.labels.get("alertname", "alarm"), alert.fingerprint, started, alert.words)
            asked += await handlers.sound_alarm(cmd, edge.desk(by, correlation=request.state.correlation))
    return Told(asked=asked)
