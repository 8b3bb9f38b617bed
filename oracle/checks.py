"""Acknowledged = in the journal = on the topic, in order; the record is whole, and every read model equals
what a rebuild would make of it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta

from oracle.client import SUBJECTS, Command
from oracle.evidence import Evidence, Seen, on_topic
from oracle.findings import DOUBLED, LOST, REORDERED, STUCK, Finding, Findings
from oracle.points import ALL
from shared.journal import Commit

BY_HAND = ("poison:",)
CLOCKS_DIFFER = timedelta(seconds=12)  # with the time in which a former holder notices


def commands(ledger: Sequence[Command], found: Evidence) -> Findings:
    """Each command that was acknowledged is on record once, as it was acknowledged; each that was refused is
    not; nobody's hand is on record without a command."""
    by_key = {name: {c.key: c for c in found.journals[name]} for name in ALL}
    for command in ledger:
        commit = by_key[command.service].get(command.once)
        name = f"{command.act} ({command.key})"
        if not command.status:
            yield Finding(STUCK, "commands", f"{name} was never answered", command.life)
        elif command.refused:
            if command.acknowledged:
                yield Finding(DOUBLED, "commands", f"{name} was accepted: {command.status}", command.life)
            elif commit is not None:
                yield Finding(DOUBLED, "commands", f"{name} was refused and is on record", command.life)
        elif not command.acknowledged:
            code = command.answer.get("code")
            yield Finding(
                LOST, "commands", f"{name}: what came before it is not seen ({command.status} {code})",
                command.life,
            )  # fmt: skip
        elif commit is None and command.on_record:
            yield Finding(LOST, "commands", f"{name} was acknowledged and is not on record", command.life)
        elif commit is not None and command.tag and command.tag.strip('"') != str(commit.version):
            yield Finding(
                LOST,
                "commands",
                f"{name} was acknowledged as {command.tag}, is {commit.version}",
                command.life,
            )
        if command.disagreed:
            yield Finding(DOUBLED, "commands", f"{name} got two answers: {command.disagreed}", command.life)
    known = {command.once for command in ledger}
    people = {*SUBJECTS.values(), "anonymous"}
    for name in ALL:
        for commit in found.journals[name]:
            replay = commit.stream.startswith("deadletter-")  # done later in the name of who asked for it
            if commit.by in people and commit.key not in known and not replay:
                what = f"{commit.stream} v{commit.version} by {commit.by}: nobody has asked for it"
                yield Finding(DOUBLED, "commands", what, commit.correlation)


def journals(found: Evidence) -> Findings:
    """No version of a stream is missing, the chains of hashes hold, each write asked for the majority."""
    for name in ALL:
        streams: dict[str, list[Commit]] = defaultdict(list)
        for commit in found.journals[name]:
            streams[commit.stream].append(commit)
        for stream, commits in streams.items():
            if [c.version for c in commits] != list(range(1, len(commits) + 1)):
                what = f"{name}: {stream} has versions {[c.version for c in commits]}"
                yield Finding(LOST, "journal", what, stream)
        for broken in found.chains[name].breaks:
            what = f"{name}: {broken.stream} v{broken.version} {broken.what}: {broken.detail}"
            yield Finding(LOST, "chain", what, broken.stream)
        yield from _words(name, found)
    for concern, times in Counter(found.concerns).items():
        yield Finding(LOST, "majority", f"{times} journal writes were not asked of the majority: {concern}")


def _words(service: str, found: Evidence) -> Findings:
    """What a commit names by reference lies in the vault, unchanged."""
    if service not in ("qa", "content"):
        return
    for recorded in found.events(service):
        for name, ref in recorded.event:
            if not name.endswith("_ref") or not ref:
                continue
            kept = found.words[service].get(ref)
            told = getattr(recorded.event, name.removesuffix("_ref") + "_hash", "")
            if kept is None:
                yield Finding(LOST, "words", f"{recorded.id}: {name} names nothing", recorded.correlation)
            elif service == "qa" and told and kept != told:
                yield Finding(LOST, "words", f"{recorded.id}: {name} is another text", recorded.correlation)


def topics(found: Evidence) -> Findings:
    """Every event of the journals is on its topic, to the letter; nothing else is; the order of first
    appearances of a key is the order of its versions."""
    seen: dict[str, list[Seen]] = defaultdict(list)
    for record in found.topics:
        if not record.id.startswith(BY_HAND):
            seen[record.id].append(record)
    for name in ALL:
        for commit in found.journals[name]:
            for id, topic, _, _, data in on_topic(commit, name):
                copies = seen.pop(id, [])
                yield from _copies(id, topic, data.encode(), copies, commit.correlation)
                most = 1 + found.holders.changes_after(name, commit.at - CLOCKS_DIFFER)
                if len(copies) > most:
                    what = f"{id} was published {len(copies)} times; {most} relays had it in hand"
                    yield Finding(DOUBLED, "topics", what, commit.correlation)
    for id, copies in seen.items():
        yield Finding(DOUBLED, "topics", f"{id} ×{len(copies)} is in no journal", copies[0].key)
    yield from _order(found.topics)


def _copies(id: str, topic: str, data: bytes, copies: Sequence[Seen], about: str) -> Findings:
    if not copies:
        yield Finding(LOST, "topics", f"{id} is not on {topic}", about)
    elif any(copy.value != data or copy.topic != topic for copy in copies):
        yield Finding(LOST, "topics", f"{id} is not what the journal says", about)


def _order(records: Iterable[Seen]) -> Findings:
    known: set[str] = set()
    last: dict[tuple[str, str], tuple[int, int]] = {}
    for record in sorted(records, key=lambda r: r.place):
        if record.id in known or record.id.startswith(BY_HAND):
            continue
        known.add(record.id)
        stream = record.topic, record.key
        place = record.version, record.index
        if place < last.get(stream, (0, 0)):
            what = f"{record.id} comes after {last[stream]} of its key"
            yield Finding(REORDERED, "topics", what, record.key)
        last[stream] = max(place, last.get(stream, (0, 0)))


def read_models(found: Evidence) -> Findings:
    for name, rows in found.differing.items():
        for row in rows:
            yield Finding(LOST, "read models", f"{name} {row}, unlike its rebuild", row.partition(":")[0])


def still_waiting(left: Sequence[str]) -> Findings:
    for what in left:
        yield Finding(STUCK, "quiet", f"{what}, and nothing moves")
