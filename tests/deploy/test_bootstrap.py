"""Whatever is wrong with a machine is told in a sentence that says what to do."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import needs
from deploy.local.steps import Steps, Stuck, explain, explain_os_error

LOG = Path("log")


@pytest.mark.parametrize(
    ("machine", "says"),
    [
        pytest.param({"system": "Darwin"}, "Linux", id="a Mac"),
        pytest.param({"machine": "aarch64"}, "PORTAL_MONGO_URI", id="an ARM machine without a mongod"),
        pytest.param({"libc": ""}, "glibc", id="Alpine"),
        pytest.param({"python": (3, 8)}, "3.9", id="an old Python"),
    ],
)
def test_an_unsupported_machine_is_told_what_to_do(machine: dict[str, object], says: str) -> None:
    fine = {"system": "Linux", "machine": "x86_64", "libc": "glibc", "python": (3, 11)}
    assert needs.unsupported(own_mongo=False, **fine) is None  # type: ignore[arg-type]
    assert says in (needs.unsupported(own_mongo=False, **{**fine, **machine}) or "")  # type: ignore[arg-type]


def test_an_arm_machine_with_its_own_mongod_is_supported() -> None:
    machine = {"system": "Linux", "machine": "aarch64", "libc": "glibc", "python": (3, 11)}
    assert needs.unsupported(own_mongo=True, **machine) is None  # type: ignore[arg-type]


def test_a_disk_that_is_nearly_full_is_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(Stuck, match=r"0\.5 GB free.*about 2 GB"):
        needs.refuse_full_disk(tmp_path, free=500_000_000)
    needs.refuse_full_disk(tmp_path, free=50_000_000_000)


@pytest.mark.parametrize(
    ("output", "says"),
    [
        pytest.param("cp: error writing 'x': No space left on device", "The disk is full", id="cp"),
        pytest.param("E: You don't have enough free space in /var/cache/apt", "The disk is full", id="apt"),
        pytest.param("dns error: failed to lookup address information", "network", id="uv without DNS"),
        pytest.param("Temporary failure resolving 'deb.debian.org'", "network", id="apt without DNS"),
        pytest.param(
            "[Help 1] …/NoPluginFoundForPrefixException", "network", id="Maven without a repository"
        ),
        pytest.param("Hash mismatch for `rich==15`", "not the one that was locked", id="a changed package"),
        pytest.param("one\ntwo\nreasons", "reasons", id="anything else, in its own words"),
    ],
)
def test_a_failed_step_says_what_its_words_mean(output: str, says: str) -> None:
    assert says in explain("A step", output, LOG)


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "The disk is full"),
        (errno.EACCES, "chown"),
        (errno.EROFS, "chown"),
        (errno.EIO, "Mend it"),
    ],
)
def test_an_error_of_the_file_system_becomes_a_sentence(number: int, says: str) -> None:
    assert says in explain_os_error(OSError(number, "reason", "/srv/file"))


def test_a_command_that_fails_is_stuck_with_its_last_words_and_one_that_is_absent_by_name(
    tmp_path: Path,
) -> None:
    steps = Steps(tmp_path)
    with pytest.raises(Stuck, match="no luck today"):
        steps.run("Trying", [sys.executable, "-c", "import sys; sys.exit('no luck today')"])
    with pytest.raises(Stuck, match="no `there-is-none`"):
        steps.run("Trying", ["there-is-none"])


@pytest.mark.parametrize(
    ("text", "major"),
    [('openjdk version "17.0.15" 2025-04-15', 17), ('java version "1.8.0_402"', 8), ("command not found", 0)],
)
def test_java_tells_its_version_in_two_ways(text: str, major: int) -> None:
    assert needs.parse_java(text) == major


def test_the_bootstrap_runs_on_a_bare_python_without_our_packages() -> None:
    """-S leaves site-packages out: an import of anything but the standard library would fail."""
    bare = [sys.executable, "-S", "-m", "deploy.local.bootstrap", "--help"]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(bare, capture_output=True, text=True, timeout=60, check=False, cwd=root)
    assert done.returncode == 0, done.stderr
