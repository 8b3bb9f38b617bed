"""The sample issuer, running."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.samples.issuer import issuer_app
from deploy.samples.settings import IssuerSettings
from tests.samples.sample_servers import listening, running

STAFF = """
staff:
  - {id: u-ha, username: ha, name: "Trần Thu Hà", unit: tt-cskh, title: "Chuyên viên"}
  - {id: u-lan, username: lan, name: "Nguyễn Thị Lan", unit: bhxh-quang-ngai}
"""


@pytest.fixture(scope="session")
async def issuer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of a running issuer. Ha's password is `mot-lan`; svc-qa's secret is `bi-mat`."""
    folder: Path = tmp_path_factory.mktemp("issuer")
    (folder / "people.yaml").write_text(STAFF, encoding="utf-8")
    with listening() as (listener, url):
        settings = IssuerSettings(
            url=url,
            data=folder / "data",
            people=folder / "people.yaml",
            passwords={"ha": SecretStr("mot-lan"), "lan": SecretStr("hai-lan")},
            clients={"svc-qa": SecretStr("bi-mat"), "svc-content": SecretStr("bi-mat-khac")},
        )
        async with running(issuer_app(settings), listener):
            yield url
