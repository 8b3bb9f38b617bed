"""Settings of sync beyond those of every service, and the portals that it is linked with."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, TypeAdapter

from services.sync.regulation import LinkedPortal, Policy, PortalKind
from shared.settings import ServiceSettings


class Partner(BaseModel):
    """One row of the partners file. The secret stays in memory: no event, view, log or database has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]
    name: str
    kind: PortalKind
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?$")]
    secret: SecretStr


class SyncSettings(ServiceSettings):
    partners_file: Path | None = Field(
        None, description="sync: YAML list of linked portals: id, name, kind, url, secret (`whsec_…`)."
    )
    link_within: int = Field(
        0, ge=0, le=30,
        description="sync: working days for Điều 12's «kịp thời»; 0 is the end of the same working day.",
    )  # fmt: skip
    warn_minutes: int = Field(
        30, ge=1, description="sync: minutes without a confirmation after which a warning is given."
    )
    owner_unit: str = Field("tt-truyen-thong", description="sync: the unit that answers for the links.")
    longest_retry_minutes: int = Field(
        30, ge=1, le=720, description="sync: the longest wait between two tries at one portal."
    )
    escalate_hours: int = Field(
        72, ge=1, description="sync: hours of failure after which a person is called; it goes on being tried."
    )

    def partners(self) -> tuple[Partner, ...]:
        """Raises ValueError for a file that cannot be used."""
        if self.partners_file is None:
            return ()
        rows = yaml.safe_load(self.partners_file.read_text("utf-8")) or []
        # An error must not quote the row: the secret is in it.
        quiet = TypeAdapter(tuple[Partner, ...], config=ConfigDict(hide_input_in_errors=True))
        partners = quiet.validate_python(rows)
        if len({p.id for p in partners}) < len(partners):
            raise ValueError(f"{self.partners_file}: two portals share an id")
        return partners

    def policy(self) -> Policy:
        return Policy(
            linked=tuple(LinkedPortal(p.id, p.name, p.kind) for p in self.partners()),
            link_within=self.link_within,
            warn_after=timedelta(minutes=self.warn_minutes),
            owner_unit=self.owner_unit,
            longest_retry=timedelta(minutes=self.longest_retry_minutes),
            escalate_after=timedelta(hours=self.escalate_hours),
        )
