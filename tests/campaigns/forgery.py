"""An attacker with a copied database and without the key of its log, who recomputes everything that can be recomputed."""

import json
import sqlite3
from pathlib import Path
from random import Random
from typing import Any

from registry.audit.keys import SigningKey
from registry.merkle.checkpoint import Checkpoint, format_checkpoint
from registry.merkle.entry import commitment, event_uuid, parse_entry
from registry.merkle.note import format_signature
from registry.merkle.tree import append, pack
from verifier.world import TOMBSTONE, Fact, World, b64, canonical, facts, leaf, root_of

SALT = bytes(range(32))


class Forger:
    """Knows all facts and has the backups, and a key that is not the log's."""

    def __init__(self, world: World, key: SigningKey, random: Random) -> None:
        self.random = random
        self.origin = world.origin
        self.key = key
        self.backups = world.backups
        self.log = _loaded(world.path)

    def edit(self) -> None:
        """Change what an event says."""
        event = self.random.choice(self.log)
        part = json.loads(event["open"][0][1])
        if self.random.random() < 0.5 or event["type"] == TOMBSTONE:
            part["principal"] = "00000000-0000-4000-8000-000000000000"
        else:
            part["data"]["confidence"] = self.random.choice(["high", "medium", "low"])
            part["attrs"]["correlationid"] = "forged"
        event["open"][0] = (event["open"][0][0], canonical(part))

    def delete(self) -> None:
        """Drop an event that does not found an agreement."""
        del self.log[self.random.choice([i for i, event in enumerate(self.log) if event["ver"] > 1])]

    def insert(self) -> None:
        """Put one more event before the last."""
        place = self.random.randrange(2, len(self.log))
        event = self.log[place]
        data = {"area_id": "forged", "label": {"en": "Forged"}, "state": "agreed"}
        part = canonical({"attrs": {}, "data": data, "principal": "x"})
        made = {**event, "id": "forged", "type": "agreement.cooperation-area-added.v1", "parts": [""]}
        self.log.insert(place, {**made, "open": {0: (SALT, part)}})

    def reorder(self) -> None:
        """Change places of two events of one agreement."""
        stream = self.random.choice(self.log)["stream"]
        places = [i for i, event in enumerate(self.log) if event["stream"] == stream and event["ver"] > 1]
        i, j = self.random.sample(places, 2)
        self.log[i], self.log[j] = self.log[j], self.log[i]

    def truncate(self) -> None:
        """Cut off the last events."""
        del self.log[self.random.randrange(2, len(self.log)) :]

    def swap_parts(self) -> None:
        """Exchange the personal parts of two events that have the same places for them."""
        alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for event in self.log:
            if 1 in event["open"]:
                alike.setdefault(tuple(json.loads(event["open"][1][1])), []).append(event)
        one, other = self.random.sample(
            self.random.choice([some for some in alike.values() if len(some) > 1]), 2
        )
        one["open"][1], other["open"][1] = other["open"][1], one["open"][1]

    def roll_back(self) -> None:
        """Put the log back to where it was when an earlier checkpoint was signed."""
        self.log = _loaded(self.backups[self.random.choice(sorted(self.backups)[:-1])])

    def fork(self) -> None:
        """Go on differently from an earlier checkpoint."""
        self.roll_back()
        for n in range(self.random.randrange(1, 60)):
            last = self.log[-1]
            data = {"area_id": f"forged-{n}", "label": {"en": "Forged"}, "state": "agreed"}
            part = canonical({"attrs": {}, "data": data, "principal": "x"})
            type_ = "agreement.cooperation-area-added.v1"
            made = {**last, "id": f"forged-{n}", "type": type_, "parts": [""], "open": {0: (SALT, part)}}
            self.log.append(made)

    def facts(self) -> list[Fact]:
        """Seal the events again: positions, versions, times, commitments and entries."""
        versions: dict[str, int] = {}
        sealed = []
        recorded = sorted(event["rec"] for event in self.log)
        for position, event in enumerate(self.log, 1):
            versions[event["stream"]] = versions.get(event["stream"], 0) + 1
            uuid = event_uuid(event["source"], event["id"])
            parts = [
                b64(commitment(event["open"][k][0], uuid, k, event["open"][k][1]))
                if k in event["open"]
                else old
                for k, old in enumerate(event["parts"])
            ]
            entry = {name: event[name] for name in ("id", "source", "stream", "type", "v")}
            entry |= {"parts": parts, "seq": position, "ver": versions[event["stream"]]}
            sealed.append(Fact(canonical(entry | {"rec": recorded[position - 1]}), event["open"]))
        return sealed

    def note(self, size: int, leaves: list[bytes], lines: str = "") -> bytes:
        """Make a checkpoint: with the signatures of another one, or with one of the forger's."""
        checkpoint = Checkpoint(self.origin, size, root_of(leaves[:size]))
        text = format_checkpoint(checkpoint)
        return f"{text}\n{lines or format_signature(self.key.sign_note(self.origin, text))}".encode()

    def write(self, database: Path, checkpoints: str) -> None:
        """Put the forged log in the place of the one in a database.

        ``checkpoints``: those of before are ``left``, ``dropped`` as far as they do not fit, ``recomputed`` under
        their old signatures, or ``resigned`` with the forger's key.
        """
        sealed = self.facts()
        leaves = [leaf(fact.entry) for fact in sealed]
        connection = sqlite3.connect(database)
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for table in ("event", "event_part", "log_tile"):
            connection.execute(f"DELETE FROM {table}")
        _insert(connection, sealed, leaves)
        self._sign(connection, leaves, checkpoints)
        connection.commit()
        connection.close()

    def _sign(self, connection: sqlite3.Connection, leaves: list[bytes], how: str) -> None:
        size = len(leaves)
        if how != "left":
            connection.execute("DELETE FROM log_signature WHERE size > ?", (size,))
            connection.execute("DELETE FROM log_checkpoint WHERE size > ?", (size,))
        for at, root in connection.execute("SELECT size, root FROM log_checkpoint").fetchall():
            if at > size or root == root_of(leaves[:at]):
                continue
            if how == "dropped":
                connection.execute("DELETE FROM log_signature WHERE size = ?", (at,))
                connection.execute("DELETE FROM log_checkpoint WHERE size = ?", (at,))
            elif how in ("recomputed", "resigned"):
                forged = root_of(leaves[:at])
                connection.execute("UPDATE log_checkpoint SET root = ? WHERE size = ?", (forged, at))
        if how == "resigned":
            connection.execute("DELETE FROM log_signature")
            for (at,) in connection.execute("SELECT size FROM log_checkpoint").fetchall():
                text = format_checkpoint(Checkpoint(self.origin, at, root_of(leaves[:at])))
                one = self.key.sign_note(self.origin, text)
                row = (at, one.name, one.key_id, 0, one.signature)
                connection.execute("INSERT INTO log_signature VALUES (?, ?, ?, ?, ?)", row)


def _insert(connection: sqlite3.Connection, sealed: list[Fact], leaves: list[bytes]) -> None:
    recorded_at = 0
    for position, fact in enumerate(sealed, 1):
        one = parse_entry(fact.entry)
        recorded_at = one.recorded_at
        row = (position, one.source, one.id, one.stream, one.version, one.type, recorded_at, fact.entry)
        connection.execute(f"INSERT INTO event VALUES ({'?, ' * 8}?)", (*row, leaves[position - 1]))
        for k, (salt, data) in fact.parts.items():
            connection.execute("INSERT INTO event_part VALUES (?, ?, ?, ?)", (position, k, salt, data))
    grown = append(0, (), leaves)
    assert not grown.subtrees, "this world has no full tile"
    connection.execute(
        "UPDATE log_head SET size = ?, frontier = ?, recorded_at = ?",
        (len(sealed), pack(grown.frontier), recorded_at),
    )


def _loaded(database: Path) -> list[dict[str, Any]]:
    return [{**json.loads(fact.entry), "open": dict(fact.parts)} for fact in facts(database)]
