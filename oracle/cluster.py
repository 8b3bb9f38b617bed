"""The same lives and the same verdict on three brokers and a replica set of three mongods, while leaders and
primaries die, stop and are cut from the others. Prints for how long nothing went on."""

import asyncio
import os
import pickle
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pymongo.errors import PyMongoError

from oracle.client import Client, Gone
from oracle.cluster_net import Net
from oracle.cluster_servers import Cluster
from oracle.cluster_silence import AROUND, BUSY, Felt, measured, table
from oracle.evidence import Collector, Evidence, Holders
from oracle.findings import LOST, Finding, Findings
from oracle.lives import Lives
from oracle.plan import Fault, Plan
from oracle.points import ALL
from oracle.quiet import quiet
from oracle.run import Outcome, _figures, _live, history, judge
from oracle.world import World

LIVES: Final = 120
AT_ONCE: Final = 24
BREATH: Final = (3.0, 6.0)  # seconds of health between two faults
PULSE: Final = 0.25  # seconds between two questions asked beside the lives, so that a silence can be measured
PULSE_SEED: Final = 1_000_000
PATIENCE: Final = 60.0
SECOND_REPLICAS: Final = ("qa", "notifier")
PARTITIONS: Final = 6

# Kind → what is done, for how long at least and at most. What is silent is so for longer than the others need
# to go on without it: its return must not be what ends the silence.
KINDS: Final = {
    "broker_dies": ("the leader of a busy partition is killed", 2.0, 8.0),
    "primary_dies": ("the primary is killed", 2.0, 12.0),
    "primary_stops": ("the primary is stopped", 13.0, 18.0),
    "primary_cut": ("the primary is cut from its peers, clients still reach it", 13.0, 18.0),
    "broker_cut": ("the leader is cut from its peers, clients still reach it", 12.0, 18.0),
    "both_cut": ("the primary and the broker beside it are cut from all peers", 13.0, 18.0),
    "both_gone": ("the primary and the broker beside it are cut from everybody", 13.0, 18.0),
}


def planned(seed: int, only: set[int] | None = None) -> Plan:
    """Each kind once, in an order, on a partition and for a time drawn from the seed. ``at`` is the breath
    before it: a fault begins when the one before it is healed and every member is in step again."""
    draw = random.Random(f"cluster:{seed}")
    kinds = draw.sample(list(KINDS), len(KINDS))
    faults = tuple(
        Fault(n, draw.uniform(*BREATH), kind, what=str(draw.randrange(PARTITIONS)),
              seconds=draw.uniform(*KINDS[kind][1:]))
        for n, kind in enumerate(kinds, 1)
    )  # fmt: skip
    kept = tuple(f for f in faults if only is None or f.number in only)
    # Lives begin over about as long as the faults take, each with some seconds to heal.
    seconds = 2 * AROUND + sum(f.at + f.seconds + 4 for f in kept)
    return Plan(seed, seconds, LIVES, AT_ONCE, replicas=1, faults=kept)


class ClusterWorld(World):
    """One replica of each service and a second of some."""

    def start(self) -> None:
        super().start()
        for service in SECOND_REPLICAS:
            self.replicas[service].append(self.system.add_replica(service))


class ClusterCollector(Collector):
    """Asks every member how journal writes were asked for, and whether it has what the others have."""

    def __init__(self, world: World, cluster: Cluster) -> None:
        super().__init__(world)
        self._cluster = cluster

    async def watch_writes(self) -> None:
        for member in self._cluster.mongods:
            await asyncio.to_thread(self.watch_member, member)

    def watch_member(self, member: str) -> None:
        """Again after each start: what to note is forgotten with the process."""
        until = time.monotonic() + PATIENCE
        for name in ALL:
            only = {"op": "insert", "ns": f"{name}.journal"}
            while True:
                try:
                    self._cluster.direct(member)[name].command({"profile": 1, "filter": only})
                except PyMongoError:  # it is not far enough yet
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.2)
                else:
                    break

    async def all(self) -> Evidence:
        found = await super().all()
        found.concerns = await asyncio.to_thread(self._weak)
        return found

    def _weak(self) -> list[str]:
        found = []
        for member in self._cluster.mongods:
            for name in ALL:
                for row in self._cluster.direct(member)[name]["system.profile"].find({"op": "insert"}):
                    concern = row.get("command", {}).get("writeConcern", {})
                    if concern.get("w") != "majority":
                        found.append(f"{row.get('ns')} {concern or 'no write concern'}")
        return found

    def members(self, found: Evidence) -> Findings:
        """Each member has every commit of the journals, and none that another has not. A timer may still add
        one while they are read, so they are read until they agree."""
        for name in ALL:
            until = time.monotonic() + PATIENCE / 4
            while True:
                has = {member: self._hashes(member, name) for member in self._cluster.mongods}
                agreed = len(set(map(frozenset, has.values()))) == 1
                if agreed or time.monotonic() > until:
                    break
                time.sleep(0.5)
            for member, commits in has.items():
                if lost := {(c.key, c.hash) for c in found.journals[name]} - commits:
                    yield Finding(
                        LOST, "members", f"{member} lacks {len(lost)} commits of {name}", min(lost)[0]
                    )
            if not agreed:
                yield Finding(LOST, "members", f"the members do not agree on {name}'s journal")

    def _hashes(self, member: str, name: str) -> set[tuple[str, str]]:
        rows = self._cluster.direct(member)[name].journal.find({}, {"hash": 1})
        return {(row["_id"], row["hash"]) for row in rows}


class Blows:
    """Carries the faults out one after another, each on a cluster in health."""

    def __init__(self, cluster: Cluster, net: Net, collector: ClusterCollector, world: World) -> None:
        self._cluster, self._net, self._collector, self._world = cluster, net, collector, world
        self.felt: list[Felt] = []

    async def carry_out(self, plan: Plan) -> None:
        await asyncio.sleep(AROUND)
        for fault in plan.faults:
            await asyncio.sleep(fault.at)
            felt = Felt(fault, await self._victims(fault), time.time())
            self.felt.append(felt)
            self._world.tell(f"{fault} hits {' '.join(felt.victims)}")
            try:
                await asyncio.to_thread(self._strike, fault.kind, felt.victims)
                await asyncio.sleep(fault.seconds)
            finally:
                await asyncio.to_thread(self._heal, fault.kind, felt.victims)
            felt.healed = time.time()
            missing = await self._cluster.whole()
            felt.whole = time.time()
            left = f"; {' '.join(missing)} still missing" if missing else ""
            self._world.tell(f"#{fault.number} is over, all in step{left}")
        await asyncio.sleep(AROUND)

    async def _victims(self, fault: Fault) -> list[str]:
        if fault.kind.startswith("broker"):
            return [await self._cluster.leader(BUSY, int(fault.what))]
        primary = await asyncio.to_thread(self._cluster.primary)
        beside = primary.replace("mongod", "kafka")
        return [primary, beside] if fault.kind.startswith("both") else [primary]

    def _strike(self, kind: str, victims: Sequence[str]) -> None:
        for victim in victims:
            if kind.endswith("dies"):
                self._cluster.kill(victim)
                self._world.kills += 1
            elif kind.endswith("stops") or not self._net.real:
                self._cluster.pause(victim)
            elif kind.endswith("gone"):
                self._net.cut_off(victim)
            else:
                self._net.cut(victim, [name for name in self._cluster.names if name not in victims])

    def _heal(self, kind: str, victims: Sequence[str]) -> None:
        self._net.heal()
        for victim in victims:
            if kind.endswith("dies"):
                self._cluster.raised(victim)
                if victim.startswith("mongod"):
                    self._collector.watch_member(victim)
            else:
                self._cluster.resume(victim)


async def pulses(client: Client, seed: int, over: asyncio.Event) -> None:
    """A question every moment, whatever became of those before it."""
    asked: list[asyncio.Task[Any]] = []

    async def ask(number: int) -> None:
        name = f"oracle{seed:04d}p{number:05d}"
        letter = {
            "name": "Nguyễn Văn Thử", "email": f"{name}@nguoi-dan.example.vn",
            "subject": f"Hỏi về thẻ {name}", "text": f"Thẻ của tôi ({name}) dùng đến bao giờ?",
            "consent": True,
        }  # fmt: skip
        try:
            await client.do(name, "ask", "qa", "/v1/questions", letter)
        except Gone:
            return

    while not over.is_set():
        asked.append(asyncio.create_task(ask(len(asked))))
        await asyncio.sleep(PULSE)
    await asyncio.gather(*asked)


def run(plan: Plan, folder: Path, net: Net, *, mutant: str = "") -> Outcome:
    return asyncio.run(_run(plan, folder, net, mutant))


async def _run(plan: Plan, folder: Path, net: Net, mutant: str) -> Outcome:
    began = time.monotonic()
    outcome = Outcome(plan.seed)
    world: ClusterWorld | None = None
    (folder / "servers").mkdir(parents=True)
    cluster = Cluster(folder / "servers", net)
    try:
        await asyncio.to_thread(cluster.start)
        parts = {"PORTAL_MONGO_URI": cluster.mongo_uri, "PORTAL_KAFKA_BOOTSTRAP": cluster.kafka_bootstrap}
        world = ClusterWorld(folder / "run", plan, mutant, parts)
        await asyncio.to_thread(world.start)
        print(f"  three of each and the services are up after {time.monotonic() - began:.0f} s", flush=True)
        await _lived(plan, world, cluster, net, outcome)
    finally:
        if world is not None:
            await asyncio.to_thread(world.stop)
        await asyncio.to_thread(cluster.stop)
    outcome.seconds = time.monotonic() - began
    return outcome


async def _lived(plan: Plan, world: World, cluster: Cluster, net: Net, outcome: Outcome) -> None:
    collector = ClusterCollector(world, cluster)
    await collector.watch_writes()
    edges = world.edges()
    for name in ("ha", "khoi", "lan", "minh", "phuong", "tuan", "oanh"):
        await asyncio.to_thread(edges.token, name)
    client = Client(edges, world.system.urls, world.asked, plan.seed)
    # One of its own: heard though every connection of the lives waits for an answer.
    pulse = Client(edges, world.system.urls, world.asked, plan.seed + PULSE_SEED)
    world.began = client.began
    holders, over = Holders({}), asyncio.Event()
    watch = asyncio.create_task(collector.watch_holders(holders))
    blows = Blows(cluster, net, collector, world)

    async def struck() -> None:
        try:
            await blows.carry_out(plan)
        finally:
            over.set()

    try:
        await asyncio.gather(_live(plan, Lives(client, plan.seed)), pulses(pulse, plan.seed, over), struck())
        await world.until_up()
        left = await quiet(collector, PATIENCE)
        ledger = [*client.ledger, *pulse.ledger]
        print(f"  {len(ledger)} commands; quiet; left: {left or 'nothing'}", flush=True)
        found = await collector.all()
        found.holders = holders
        if dump := os.environ.get("ORACLE_DUMP"):
            facts = pickle.dumps((ledger, blows.felt, found, left, world.timeline))
            await asyncio.to_thread(Path(dump).write_bytes, facts)
        outcome.findings = [
            *judge(ledger, [], found, left), *await asyncio.to_thread(list, collector.members(found))
        ]  # fmt: skip
        _figures(outcome, ledger, found)
        if outcome.findings:
            outcome.history = history(outcome.findings[0], ledger, found, world)
        measured(blows.felt, ledger, world.began, found)
        print("\n".join(table(blows.felt, {kind: words for kind, (words, *_) in KINDS.items()})))
        print(f"  writes that no majority had were undone {cluster.rolled_back()} times")
    finally:
        outcome.kills = world.kills
        watch.cancel()
        await client.close()
        await pulse.close()
        edges.close()
        collector.close()
