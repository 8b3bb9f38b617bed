"""Carries a plan's faults out, each at its time."""

import asyncio
import time
from typing import Any, Final

import httpx2
from aiokafka import AIOKafkaProducer

from oracle import poison
from oracle.client import Client
from oracle.lives import Lives
from oracle.plan import Fault, Plan
from oracle.points import arm
from oracle.poison import Poison
from oracle.world import World

PARTS_WAIT: Final = 30.0
AT_START: Final = ("anchor.before", "anchor.after", "history.lost")  # passed by a process that begins


class Faults:
    def __init__(self, world: World, client: Client, lives: Lives) -> None:
        self._world, self._client, self._lives = world, client, lives
        self.poisons: list[Poison] = []
        self._tasks: list[asyncio.Task[Any]] = []
        self._parts = asyncio.Lock()  # one part is down at a time: together they are one outage
        self._producer = AIOKafkaProducer(
            bootstrap_servers=world.system.kafka_bootstrap, acks="all", enable_idempotence=True,
            request_timeout_ms=60000,
        )  # fmt: skip

    async def carry_out(self, plan: Plan) -> None:
        await self._producer.start()  # while there is a broker
        began = time.monotonic()
        for fault in plan.faults:
            await asyncio.sleep(max(0.0, fault.at - (time.monotonic() - began)))
            self._world.tell(str(fault))
            self._tasks.append(asyncio.create_task(self._one(fault), name=str(fault)))
        await asyncio.gather(*self._tasks)
        await self._producer.stop()

    async def _one(self, fault: Fault) -> None:
        world, who = self._world, fault.who
        match fault.kind:
            case "die" | "freeze" | "history.lost":
                await self._arm(fault)
            case "part_dies":
                async with self._parts:
                    await asyncio.to_thread(world.kill, who, fault.seconds)
                    await self._until_up()
            case "part_stops":
                async with self._parts:
                    await asyncio.to_thread(world.freeze, who, fault.seconds)
                    await asyncio.sleep(fault.seconds + 1)
            case "portal_mood" | "mail_mood":
                await self._behave(who, fault.what)
            case "portal_falls" | "mail_falls":
                await asyncio.to_thread(world.kill, who, fault.seconds)
            case "replica_goes":
                await asyncio.to_thread(world.leave, world.replicas[who][-1], fault.seconds)
            case "replica_comes":
                await asyncio.to_thread(world.come, who)
            case "replica_stops":
                await asyncio.to_thread(world.freeze, world.replicas[who][0], fault.seconds)
            case "poison":
                await self._poison(fault)
            case other:
                raise AssertionError(other)

    async def _arm(self, fault: Fault) -> None:
        who, point = fault.who, fault.what or fault.kind
        if fault.kind == "freeze":
            self._world.freeze_length(who, point, fault.seconds)
        arm(self._world.armed, who, point, fault.kind, fault.nth)
        if point in AT_START:
            await asyncio.to_thread(self._world.kill, who, 0.1)

    async def _until_up(self) -> None:
        until = time.monotonic() + PARTS_WAIT
        while not self._world.all_parts_up:
            if time.monotonic() > until:
                return
            await asyncio.sleep(0.2)

    async def _behave(self, who: str, mode: str) -> None:
        mood = {"mode": mode, "times": 3, "seconds": 1.0}
        async with httpx2.AsyncClient(trust_env=False, timeout=5) as http:
            try:
                await http.post(f"{self._world.system.urls[who]}/behave", json=mood)
            except httpx2.HTTPError:
                return  # it is down just now, which is trouble enough

    async def _poison(self, fault: Fault) -> None:
        topic, (event, way) = fault.who, fault.what.split(" ")
        found = [key for t, key in self._lives.subjects if t == topic]
        made = poison.make(fault.number, topic, event, way, found[-1] if found else "")
        self.poisons.append(made)
        sent = await self._producer.send_and_wait(
            topic, made.value, key=made.key.encode(), headers=list(made.headers)
        )
        made.partition, made.offset = sent.partition, sent.offset
        await poison.settle(made, self._client)
