"""docker-compose.yml is held to the code: settings, ports, health paths, images, rights and profiles."""

import importlib
import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from deploy.docker import env
from deploy.kafka.topics import load
from deploy.local.keys import people_of
from deploy.local.ports import Ports
from deploy.local.wiring import MAILBOX, PORTALS
from deploy.samples.settings import IssuerSettings, PortalSettings, ScannerSettings, SinkSettings, SmsSettings
from deploy.samples.sms_gateway import Gateway, sms_app
from services.notifier.api import mail as returned
from shared.settings import ServiceSettings

REPO = Path(__file__).resolve().parents[2]
FILE = REPO / "docker-compose.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
PARTS: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVICES = ("content", "qa", "sync", "notifier", "notifier-bulk")
SAMPLES = ("issuer", "bhxh-ha-noi", "bhxh-quang-ngai", "bo-noi-vu", "mail", "signals", "scanner")
OPTIONAL = {"PORTAL_CHAT_SECRET", "SMS_CHAT_SECRET"}  # empty: there is no chat
OURS = (*SERVICES, *SAMPLES, "topics", "day")
SECRET = re.compile(r"SECRET|PASSWORD|_KEY$")


def settings_of(service: str) -> type[ServiceSettings]:
    """The service's own settings class; the common one where it has none."""
    try:
        module = importlib.import_module(f"services.{service.partition('-')[0]}.settings")
    except ModuleNotFoundError:
        return ServiceSettings
    own = [
        kind
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, ServiceSettings) and kind.__module__ == module.__name__
    ]
    return own[0] if own else ServiceSettings


def variables(kind: type[BaseSettings]) -> set[str]:
    prefix = kind.model_config.get("env_prefix", "")
    return {f"{prefix}{name}".upper() for name in kind.model_fields}


def published(part: str) -> dict[int, int]:
    """Port on this machine → port in the container; none is open to the network."""
    pairs = [entry.split(":") for entry in PARTS[part].get("ports", [])]
    assert all(host == "127.0.0.1" for host, _, _ in pairs), part
    return {int(outside): int(inside) for _, outside, inside in pairs}


def health_url(part: str) -> str:
    test = PARTS[part]["healthcheck"]["test"]
    assert test[:4] == ["CMD", "python", "-m", "deploy.docker.healthy"]
    return str(test[4])


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_given_is_one_that_the_service_reads(service: str) -> None:
    given = {name for name in PARTS[service]["environment"] if name.startswith("PORTAL_")}
    assert given - variables(settings_of(service)) == set()


@pytest.mark.parametrize("service", SERVICES)
def test_the_settings_given_are_valid(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PARTS[service]["environment"].items():
        monkeypatch.setenv(name, value if "${" not in value else _example(value))
    settings = settings_of(service)()
    assert settings.inside == {
        "content": "http://content:8001", "qa": "http://qa:8002", "sync": "http://sync:8003",
        "notifier": "http://notifier:8004", "issuer": settings.issuer_url,
    }  # fmt: skip


def _example(value: str) -> str:
    """What a `${NAME:-default}` gives; for a `${NAME:?…}`, something that stands for it."""
    default = re.fullmatch(r"\$\{\w+:-(.*)\}", value)
    if default:
        return default[1]
    if "port" in value.lower():
        return "2525"
    if "SMTP_HOST" in value:
        return "mx.example.vn"
    return "k" * 40 if SECRET.search(value) or "32 characters" in value else "https://id.example.vn"


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ("issuer", IssuerSettings),
        ("mail", SinkSettings),
        ("signals", SmsSettings),
        ("scanner", ScannerSettings),
        *((p.id, PortalSettings) for p in PORTALS),
    ],
)
def test_every_setting_of_a_sample_is_one_that_it_reads(part: str, kind: type[BaseSettings]) -> None:
    assert set(PARTS[part]["environment"]) - variables(kind) == set()
    given = set(re.findall(r"^(\w+)=", env.files().get(f"{part}.env", ""), re.MULTILINE))
    assert given - variables(kind) == set()


def test_ports_are_those_of_make_run() -> None:
    ports = Ports()
    wanted = {
        name: getattr(ports, name.replace("-", "_")) for name in (*SERVICES, "issuer", "signals", "scanner")
    }
    wanted |= {portal.id: ports.portal(index) for index, portal in enumerate(PORTALS)}
    for part, port in wanted.items():
        assert published(part) == {port: port}
    assert published("mail") == {ports.smtp: ports.smtp, ports.mail: ports.mail}
    assert published("mongo") == {ports.mongod: 27017}
    assert published("kafka") == {ports.kafka: ports.kafka}


def test_each_part_listens_where_it_is_published_and_asked() -> None:
    own = dict.fromkeys(SERVICES, ("PORTAL_HTTP_HOST", "PORTAL_HTTP_PORT"))
    own |= {portal.id: ("SAMPLE_HOST", "SAMPLE_PORT") for portal in PORTALS}
    own |= {"issuer": ("ISSUER_HOST", "ISSUER_PORT"), "mail": ("SINK_HOST", "SINK_HTTP_PORT")}
    own |= {"signals": ("SMS_HOST", "SMS_PORT"), "scanner": ("SCANNER_HOST", "SCANNER_HTTP_PORT")}
    for part, (host, port) in own.items():
        environment = PARTS[part]["environment"]
        assert environment[host] == "0.0.0.0", part  # noqa: S104 - in a container of its own
        assert int(environment[port]) in published(part).values()
        assert health_url(part) == f"http://127.0.0.1:{environment[port]}/health/ready"


@pytest.mark.parametrize("service", SERVICES)
def test_the_path_of_the_health_check_is_one_of_the_app(service: str) -> None:
    from shared.web.health import health_router

    paths = {getattr(route, "path", "") for route in health_router(None).routes}  # type: ignore[arg-type]
    assert {"/health/ready", "/health/live", "/metrics"} <= paths
    assert health_url(service).endswith("/health/ready")


def test_the_path_of_the_health_check_is_one_of_each_sample() -> None:
    from deploy.samples.serving import sample_app, sample_look

    app = sample_app("any", sample_look("any"))
    assert "/health/ready" in _paths(app.routes)


def _paths(routes: Any) -> set[str]:
    found: set[str] = set()
    for route in routes:
        found.add(getattr(route, "path", ""))
        inner = getattr(route, "routes", None) or getattr(
            getattr(route, "original_router", None), "routes", ()
        )
        found |= _paths(inner)
    return found


def test_every_command_names_a_module_of_ours() -> None:
    for part in OURS:
        module = Path(*PARTS[part]["command"][0].split(".")).with_suffix(".py")
        assert (REPO / module).is_file(), f"{part} runs {module}, which does not exist"


def test_every_image_is_pinned_by_its_tag() -> None:
    for name, part in PARTS.items():
        image, _, tag = part["image"].partition(":")
        assert re.match(r"v?\d+\.\d+\.\d+", tag), f"{name}: {image}:{tag}"
    from_lines = re.findall(r"^FROM (\S+)", (REPO / "deploy/docker/Dockerfile").read_text(), re.MULTILINE)
    stages = set(
        re.findall(r"^FROM .* AS (\S+)", (REPO / "deploy/docker/Dockerfile").read_text(), re.MULTILINE)
    )
    assert all(image in stages or re.search(r":\d+\.\d+\.\d+", image) for image in from_lines)


def test_kafka_is_the_same_version_as_on_one_machine() -> None:
    pom = (REPO / "deploy" / "kafka" / "pom.xml").read_text(encoding="utf-8")
    version = re.search(r"<artifactId>kafka_2\.13</artifactId>\s*<version>([^<]+)</version>", pom)
    assert version is not None
    assert PARTS["kafka"]["image"] == f"apache/kafka:{version[1]}"


@pytest.mark.parametrize("part", OURS)
def test_our_containers_run_unprivileged_on_a_read_only_root(part: str) -> None:
    entry = PARTS[part]
    assert entry["read_only"] is True
    assert entry["user"] == "10001:10001"
    assert entry["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in entry["security_opt"]
    assert any(mount.startswith("/tmp:") for mount in entry["tmpfs"])  # noqa: S108
    assert entry["build"]["target"] == ("service" if part in (*SERVICES, "topics") else "demo")
    assert not entry.get("privileged") and "docker.sock" not in json.dumps(entry)


def test_the_image_is_built_from_hashed_packages_and_has_a_health_check() -> None:
    text = (REPO / "deploy/docker/Dockerfile").read_text(encoding="utf-8")
    installs = [line for line in text.splitlines() if "pip sync" in line or "pip install" in line]
    assert installs and all("--require-hashes" in line for line in installs)
    assert "HEALTHCHECK" in text
    assert re.findall(r"^USER (\S+)", text, re.MULTILINE)[-1] == "10001:10001"
    copied = {
        path
        for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE)
        for path in line.split()[:-1]
    }
    assert all((REPO / path).exists() for path in copied), copied


def test_what_a_container_installs_is_what_the_tests_ran_on() -> None:
    def pins(name: str) -> dict[str, str]:
        text = (REPO / "requirements" / name).read_text(encoding="utf-8")
        return dict(re.findall(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==(\S+)", text, re.MULTILINE))

    tested = pins("dev.txt")
    for name in ("runtime.txt", "demo.txt"):
        assert {p: v for p, v in pins(name).items() if tested.get(p) != v} == {}, name


def test_profiles_bring_up_what_they_promise() -> None:
    def brought(profile: str) -> set[str]:
        return {name for name, part in PARTS.items() if profile in part["profiles"]}

    core = {"mongo", "mongo-init", "kafka", "topics", *SERVICES}
    assert brought("core") == core
    assert brought("demo") == core | {*SAMPLES, "day"}
    assert brought("observability") == {"prometheus", "alertmanager", "grafana"}
    for name, part in PARTS.items():
        for needed in part.get("depends_on", {}):
            missing = set(part["profiles"]) - set(PARTS[needed]["profiles"])
            assert not missing, f"{name} needs {needed}, which {missing} does not bring"


def test_whatever_must_be_ready_first_says_what_ready_means() -> None:
    for name, part in PARTS.items():
        for needed, how in part.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "test" in PARTS[needed]["healthcheck"], f"{name} waits for {needed}"
            else:
                assert how["condition"] == "service_completed_successfully"
    for service in SERVICES:
        assert {"mongo-init", "topics"} <= set(PARTS[service]["depends_on"])


def test_no_secret_is_written_down_and_a_missing_one_is_named() -> None:
    for name, part in PARTS.items():
        for variable, value in part.get("environment", {}).items():
            if SECRET.search(variable) and part["image"].startswith("newsroom"):
                missing = "-" if variable in OPTIONAL else r"\?.+"
                assert re.fullmatch(rf"\$\{{\w+:{missing}\}}", value), f"{name}: {variable}"
    assert COMPOSE["x-settings"]["PORTAL_ENVIRONMENT"] == "${PORTAL_ENVIRONMENT:-production}"


def test_the_demo_gets_every_value_that_compose_asks_for(tmp_path: Path) -> None:
    assert env.write(tmp_path / "made")
    asked = set(re.findall(r"\$\{(\w+):\?", FILE.read_text(encoding="utf-8")))
    made = dict(re.findall(r"^(\w+)='(.*)'$", (tmp_path / "made/compose.env").read_text(), re.MULTILINE))
    assert asked <= set(made)
    used = set(re.findall(r"\$\{(\w+)", FILE.read_text(encoding="utf-8")))
    assert set(made) <= used
    files = {p.relative_to(REPO / ".data/compose").name for p in map(Path, _env_files())}
    assert files <= {path.name for path in (tmp_path / "made").iterdir()}
    kept = (tmp_path / "made/compose.env").read_text()
    assert not env.write(tmp_path / "made")
    assert (tmp_path / "made/compose.env").read_text() == kept
    modes = {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "made").iterdir()}
    assert {modes.pop(name) for name in env.MOUNTED} == {0o644} and set(modes.values()) == {0o600}
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o700


def _env_files() -> list[str]:
    return [str(REPO / name) for part in PARTS.values() for name in part.get("env_file", [])]


def test_the_demo_has_the_people_and_portals_of_make_run() -> None:
    assert env.usernames() == [person.username for person in people_of(env.DIRECTORY)]
    assert [(name, kind, title) for name, (kind, _, title) in env.PORTALS.items()] == [
        (portal.id, portal.kind, portal.name) for portal in PORTALS
    ]
    partners = yaml.safe_load(env.files()["partners.yaml"])
    assert {p["url"] for p in partners} == {
        f"http://{p.id}:{Ports().portal(i)}" for i, p in enumerate(PORTALS)
    }


def test_the_topics_job_creates_the_topics_of_the_file() -> None:
    command = PARTS["topics"]["command"]
    assert command[command.index("--profile") + 1] == "${TOPICS_PROFILE:-single-node}"
    assert load("single-node") and load("cluster")


def the_demo(part: str) -> dict[str, str]:
    """A container's environment as compose would have it with the demo's secrets."""
    files = env.files()
    made = dict(re.findall(r"^(\w+)='(.*)'$", files["compose.env"], re.MULTILINE))

    def filled(value: str) -> str:
        return re.sub(r"\$\{(\w+):(?:-([^}]*)|\?[^}]*)\}", lambda m: made.get(m[1], m[2]), value)

    return {name: filled(str(value)) for name, value in PARTS[part]["environment"].items()}


def test_the_demo_signals_to_the_sample_gateway_and_its_chat() -> None:
    notifier, signals = the_demo("notifier"), the_demo("signals")
    base = f"http://signals:{signals['SMS_PORT']}"
    assert (notifier["PORTAL_SMS_URL"], notifier["PORTAL_CHAT_URL"]) == (base, f"{base}/chat")
    for theirs, ours in (("SMS_TOKEN", "PORTAL_SMS_TOKEN"), ("SMS_CHAT_SECRET", "PORTAL_CHAT_SECRET")):
        assert re.fullmatch(r"\$\{\w+:-\}", PARTS["signals"]["environment"][theirs])
        assert PARTS["signals"]["environment"][theirs] == PARTS["notifier"]["environment"][ours]
    assert {"/chat", "/v1/messages"} <= _paths(sms_app(Gateway("t")).routes)
    assert notifier["PORTAL_CHAT_SECRET"].startswith("whsec_")


def test_the_demos_mail_server_hands_questions_over_to_qa() -> None:
    mail, qa = the_demo("mail"), the_demo("qa")
    assert (mail["SINK_LMTP_HOST"], mail["SINK_LMTP_PORT"]) == ("qa", qa["PORTAL_LMTP_PORT"])
    assert int(qa["PORTAL_LMTP_PORT"]) == Ports().lmtp
    assert (qa["PORTAL_LMTP_HOST"], qa["PORTAL_MAIL_ADDRESS"]) == ("0.0.0.0", MAILBOX)  # noqa: S104


def test_the_demos_files_are_scanned_by_the_sample_scanner() -> None:
    scanner = the_demo("scanner")
    assert the_demo("qa")["PORTAL_CLAMD"] == f"scanner:{scanner['SCANNER_CLAMD_PORT']}"
    assert int(scanner["SCANNER_CLAMD_PORT"]) == Ports().clamd
    assert {name for name in PARTS if "PORTAL_CLAMD" in PARTS[name].get("environment", {})} == {"qa"}


def test_the_demos_mail_server_hands_over_what_comes_back_as_on_one_machine() -> None:
    mail, notifier = the_demo("mail"), the_demo("notifier")
    port = notifier["PORTAL_HTTP_PORT"]
    assert mail["SINK_RETURNS_URL"].removeprefix(f"http://notifier:{port}") in _paths(returned.router.routes)
    assert (
        PARTS["mail"]["environment"]["SINK_CLIENT_SECRET"]
        == (PARTS["notifier"]["environment"]["PORTAL_CLIENT_SECRET"])
    )
    assert mail["SINK_CLIENT_ID"] == notifier["PORTAL_CLIENT_ID"]
    assert (mail["SINK_ISSUER_URL"], mail["SINK_ISSUER_BACKCHANNEL_URL"]) == (
        notifier["PORTAL_ISSUER_URL"], notifier["PORTAL_ISSUER_BACKCHANNEL_URL"],
    )  # fmt: skip
