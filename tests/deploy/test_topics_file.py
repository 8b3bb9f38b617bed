"""topics.yaml alone says which topics there are; nothing that exists is changed silently."""

from dataclasses import replace
from pathlib import Path

import pytest

from deploy.kafka.topics import Found, Topic, compare, load
from deploy.local.wiring import SERVICES


def _as_found(topic: Topic) -> Found:
    return Found(topic.partitions, {**topic.config, "segment.bytes": "1073741824"})


def test_every_topic_is_named_after_its_service_and_remembers_fourteen_days_on_six_partitions() -> None:
    topics = load()
    assert {topic.name.split(".")[0] for topic in topics} == set(SERVICES)
    assert {topic.partitions for topic in topics} == {6}
    assert {topic.config["retention.ms"] for topic in topics} == {str(14 * 24 * 3600 * 1000)}
    assert {topic.config["cleanup.policy"] for topic in topics} == {"delete"}


def test_a_cluster_keeps_three_copies_of_which_two_must_be_written() -> None:
    one, cluster = load("single-node")[0], load("cluster")[0]
    assert (one.replication_factor, one.config["min.insync.replicas"]) == (1, "1")
    assert (cluster.replication_factor, cluster.config["min.insync.replicas"]) == (3, "2")


def test_nothing_is_missing_and_nothing_differs_when_the_cluster_has_them_all() -> None:
    wanted = load()
    assert compare(wanted, {topic.name: _as_found(topic) for topic in wanted}) == ([], [])


def test_a_topic_that_is_not_there_is_missing_and_no_difference() -> None:
    wanted = load()
    missing, differences = compare(wanted, {topic.name: _as_found(topic) for topic in wanted[1:]})
    assert (missing, differences) == ([wanted[0]], [])


def test_fewer_partitions_and_another_retention_are_said_and_not_missing() -> None:
    topic = load()[0]
    found = _as_found(topic)
    changed = replace(found, partitions=3, config={**found.config, "retention.ms": "1000"})
    missing, differences = compare([topic], {topic.name: changed})
    assert missing == []
    assert [str(d) for d in differences] == [
        f"{topic.name}: partitions is 3, topics.yaml says 6",
        f"{topic.name}: retention.ms is 1000, topics.yaml says 1209600000",
    ]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("topics: [", id="not YAML"),
        pytest.param("topics: {}\nprofiles: {}\ndefaults: {partitions: 6, config: {}}", id="no topic"),
        pytest.param("topics: {a: {description: x, partition: 1}}", id="a misspelt field"),
        pytest.param("topics: {a: {description: x, partitions: 0}}", id="no partition"),
    ],
)
def test_a_file_that_says_nothing_sensible_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "topics.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"topics\.yaml cannot be read"):
        load(path=path)


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="single-node, cluster"):
        load("moon")
