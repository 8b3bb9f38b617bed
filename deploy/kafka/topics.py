"""Creates the topics of topics.yaml; says what differs and changes what exists only when told (--apply)."""

import argparse
import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, KafkaTimeoutError, for_code
from pydantic import BaseModel, ConfigDict, Field, ValidationError

FILE: Final = Path(__file__).with_name("topics.yaml")
TOPIC_EXISTS: Final = 36  # another runner created it between our look and our request: as wished

Config = dict[str, str | int]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Profile(_Strict):
    replication_factor: Annotated[int, Field(ge=1)]
    min_insync_replicas: Annotated[int, Field(ge=1, alias="min.insync.replicas")]


class _Defaults(_Strict):
    partitions: Annotated[int, Field(ge=1)]
    config: Config


class _Entry(_Strict):
    description: str
    partitions: Annotated[int | None, Field(ge=1)] = None
    config: Config = {}


class _File(_Strict):
    profiles: dict[str, _Profile]
    defaults: _Defaults
    topics: Annotated[dict[str, _Entry], Field(min_length=1)]


@dataclass(frozen=True)
class Topic:
    name: str
    description: str
    partitions: int
    replication_factor: int
    config: dict[str, str]


@dataclass(frozen=True)
class Found:
    """A topic as the cluster has it."""

    partitions: int
    config: dict[str, str]


@dataclass(frozen=True)
class Difference:
    topic: str
    setting: str
    wanted: str
    found: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.setting} is {self.found}, topics.yaml says {self.wanted}"


@dataclass(frozen=True)
class Outcome:
    created: list[str]
    changed: list[Difference]
    left: list[Difference]


def load(profile: str = "single-node", path: Path = FILE) -> list[Topic]:
    """The topics wanted, each with its whole configuration. Raises ValueError with a sentence."""
    try:
        file = _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise ValueError(f"{path.name} cannot be read: {error}") from error
    if profile not in file.profiles:
        raise ValueError(f"{path.name} has no profile {profile!r}; it has {', '.join(file.profiles)}.")
    copies = file.profiles[profile]
    topics = []
    for name, entry in file.topics.items():
        config = {**file.defaults.config, "min.insync.replicas": copies.min_insync_replicas, **entry.config}
        topics.append(
            Topic(
                name=name,
                description=entry.description,
                partitions=entry.partitions or file.defaults.partitions,
                replication_factor=copies.replication_factor,
                config={key: str(value) for key, value in config.items()},
            )
        )
    return topics


def compare(wanted: list[Topic], found: dict[str, Found]) -> tuple[list[Topic], list[Difference]]:
    """What is missing, and what differs among the rest."""
    missing = [topic for topic in wanted if topic.name not in found]
    differences = []
    for topic in wanted:
        if (existing := found.get(topic.name)) is None:
            continue
        pairs = {"partitions": (str(topic.partitions), str(existing.partitions))}
        pairs |= {key: (value, existing.config.get(key, "not set")) for key, value in topic.config.items()}
        differences += [Difference(topic.name, key, w, f) for key, (w, f) in pairs.items() if w != f]
    return missing, differences


async def ensure(bootstrap: str, wanted: list[Topic], *, apply: bool = False) -> Outcome:
    """Create what is missing. With ``apply`` also settings and growth; a topic is never shrunk."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=15_000)
    await admin.start()
    try:
        missing, differences = compare(wanted, await _found(admin, wanted))
        if missing:
            await _create(admin, missing)
        changed = [d for d in differences if apply and _may_change(d)]
        if changed:
            await _change(admin, wanted, changed)
        left = [d for d in differences if d not in changed]
        return Outcome([topic.name for topic in missing], changed, left)
    finally:
        await admin.close()


async def _found(admin: AIOKafkaAdminClient, wanted: list[Topic]) -> dict[str, Found]:
    existing = set(await admin.list_topics()) & {topic.name for topic in wanted}
    if not existing:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in sorted(existing)]
    partitions = {t["topic"]: len(t["partitions"]) for t in await admin.describe_topics(sorted(existing))}
    configs: dict[str, dict[str, str]] = {}
    for response in await admin.describe_configs(resources):
        for _code, _message, _kind, name, entries in response.resources:
            configs[name] = {entry[0]: entry[1] for entry in entries}
    return {name: Found(partitions[name], configs[name]) for name in existing}


async def _create(admin: AIOKafkaAdminClient, topics: list[Topic]) -> None:
    answer: Any = await admin.create_topics(
        [NewTopic(t.name, t.partitions, t.replication_factor, topic_configs=t.config) for t in topics]
    )
    for name, code, *message in answer.topic_errors:
        if code not in (0, TOPIC_EXISTS):
            raise for_code(code)(f"{name}: {message[0] if message else 'refused'}")
    # The controller answers before the brokers know; whoever comes next must find the topics there.
    for _ in range(200):
        if {topic.name for topic in topics} <= set(await admin.list_topics()):
            return
        await asyncio.sleep(0.05)
    raise KafkaTimeoutError("the brokers do not know the new topics after 10 s")


def _may_change(difference: Difference) -> bool:
    return difference.setting != "partitions" or int(difference.wanted) > int(difference.found)


async def _change(admin: AIOKafkaAdminClient, wanted: list[Topic], changes: list[Difference]) -> None:
    by_name = {topic.name: topic for topic in wanted}
    growth = {c.topic: NewPartitions(int(c.wanted)) for c in changes if c.setting == "partitions"}
    if growth:
        await admin.create_partitions(growth)
    # AlterConfigs replaces a topic's whole configuration, so all of it is sent.
    names = sorted({change.topic for change in changes if change.setting != "partitions"})
    if names:
        resources = [ConfigResource(ConfigResourceType.TOPIC, n, by_name[n].config) for n in names]
        for response in await admin.alter_configs(resources):
            for code, message, _kind, name in response.resources:
                if code:
                    raise for_code(code)(f"{name}: {message}")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.kafka.topics", description=__doc__)
    parser.add_argument("--bootstrap", required=True, metavar="HOST:PORT")
    parser.add_argument("--profile", default="single-node", help="which profile of topics.yaml")
    parser.add_argument("--apply", action="store_true", help="also change settings and grow partitions")
    options = parser.parse_args(argv)
    try:
        wanted = load(options.profile)
        outcome = asyncio.run(ensure(options.bootstrap, wanted, apply=options.apply))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    except KafkaError as error:
        print(f"Kafka at {options.bootstrap} did not do it: {error}", file=sys.stderr)
        return 1
    for topic in wanted:
        print(f"{topic.name:<22} {'created' if topic.name in outcome.created else 'there'}")
    for difference in outcome.changed:
        print(f"changed   {difference}")
    for difference in outcome.left:
        print(f"differs   {difference}")
    if outcome.left:
        print("Nothing that exists was changed. Changing it is a decision: run again with --apply.")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
