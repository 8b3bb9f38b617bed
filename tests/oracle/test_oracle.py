"""The small run of the oracle: the whole system, three replicas of each service, a fault at every point."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.kafka import REPO

SMALL_RUN_SECONDS = 420  # a hundred seconds on two idle cores


@pytest.mark.connected
@pytest.mark.timeout(SMALL_RUN_SECONDS + 60)
def test_nothing_is_lost_doubled_reordered_or_stuck_though_everything_falls(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "oracle", "--seed", "1", "--shrink", "0", "--data", str(tmp_path)],
        cwd=REPO, capture_output=True, text=True, timeout=SMALL_RUN_SECONDS, check=False,
    )  # fmt: skip
    told = run.stdout[-8000:] + run.stderr[-2000:]
    assert run.returncode == 0, told
    figures = dict(pair.split("=") for pair in run.stdout.strip().splitlines()[-1].split()[1:])
    assert {name: figures[name] for name in ("lost", "doubled", "reordered", "stuck")} == {
        "lost": "0", "doubled": "0", "reordered": "0", "stuck": "0",
    }, told  # fmt: skip
    assert int(figures["commands"]) > 300
    assert int(figures["kills"]) > 20
