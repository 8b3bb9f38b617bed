"""What of the cluster run needs no cluster: its plan, its measure, and a network that cuts both ways."""

from pathlib import Path

import pytest

from oracle import cluster_net
from oracle.cluster import KINDS, planned
from oracle.cluster_net import NOBODY, Net
from oracle.cluster_servers import SETTINGS, Cluster
from oracle.cluster_silence import AROUND, Felt, silence, table


def test_the_same_seed_is_the_same_plan_and_every_kind_of_fault_is_in_it() -> None:
    assert planned(7) == planned(7)
    assert planned(7) != planned(8)
    assert {fault.kind for fault in planned(7).faults} == set(KINDS)
    assert [fault.number for fault in planned(7, {2, 5}).faults] == [2, 5]


def test_a_primary_is_silent_for_longer_than_it_takes_to_elect_another() -> None:
    patience = SETTINGS["electionTimeoutMillis"] / 1000
    assert all(least > 2 * patience for kind, (_, least, _) in KINDS.items() if "dies" not in kind)


@pytest.mark.parametrize(
    ("begin", "end", "longest"),
    [
        pytest.param(10.5, 11.5, 1.0, id="nothing was felt"),
        pytest.param(12.5, 14.0, 8.0, id="from the last success before it to the first after it"),
        pytest.param(15.0, 16.0, 8.0, id="a silence that had begun before"),
        pytest.param(21.5, 23.0, 1.0, id="a silence that was over"),
    ],
)
def test_a_silence_is_measured_where_it_touches_the_fault(begin: float, end: float, longest: float) -> None:
    times = [10.0, 11.0, 12.0, 13.0, 21.0, 22.0, 23.0, 24.0]
    assert silence(times, begin, end) == longest


def test_a_silence_that_never_ends_is_endless() -> None:
    assert silence([1.0, 2.0], 5.0, 9.0) == float("inf")


def test_the_table_ends_with_the_worst_and_the_median() -> None:
    faults = planned(1).faults[:3]
    felts = [
        Felt(fault, ["kafka-1"], 0.0, healed=5.0, whole=5.0 + AROUND,
             silences={"commands": seconds, "events": 2 * seconds, "effects": 3 * seconds})
        for fault, seconds in zip(faults, (1.0, 5.0, 2.0), strict=True)
    ]  # fmt: skip
    lines = table(felts, dict.fromkeys(KINDS, "a fault"))
    assert lines[-2].split() == ["worst", "5.0", "s", "10.0", "s", "15.0", "s"]
    assert lines[-1].split() == ["median", "2.0", "s", "4.0", "s", "6.0", "s"]


def test_a_cut_is_made_both_ways_and_all_of_it_is_healed(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[str, ...]] = []
    monkeypatch.setattr(cluster_net, "_do", lambda *command: done.append(command))
    net = Net(real=True)
    for number in (1, 2, 3):
        assert net.join(f"s{number}", number) == f"10.203.0.{number}"
    done.clear()
    net.cut("s1", ["s2", "s3"])
    net.cut_off("s3")
    assert {command[2] for command in done if NOBODY in command} == {"s1", "s2", "s3"}
    assert len(done) == 5
    net.heal()
    assert sum("del" in command for command in done) == 4
    assert done[5] == ("bridge", "link", "set", "dev", "to-s3", "state", "3")
    done.clear()
    net.heal()
    assert not done


def test_without_a_network_each_server_has_a_port_of_its_own_on_the_loopback(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, Net(real=False))
    places = cluster.kafka_bootstrap.split(",")
    assert len(set(places)) == 3
    assert all(place.startswith("127.0.0.1:") for place in places)
    assert cluster.alike("mongod-2") == ["mongod-1", "mongod-3"]
