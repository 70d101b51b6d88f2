"""Asking witnesses (C2SP tlog-witness v1.0.0): each checkpoint is sent to all, and what they cosign is stored."""

import asyncio
import logging
from collections.abc import Sequence

import httpx
from sqlalchemy import Engine

from registry.audit import checkpoints
from registry.audit.checkpoints import Published
from registry.audit.configured import WitnessAddress
from registry.audit.keys import verify
from registry.errors import Unavailable
from registry.merkle.checkpoint import format_submission, parse_checkpoint, parse_number
from registry.merkle.note import cosignature_time, parse_note, parse_signatures, verifies
from registry.merkle.proof import consistency_nodes, prove_consistency
from registry.store.arrivals import Arrivals
from registry.store.database import reachable
from registry.store.reader import Reader

log = logging.getLogger(__name__)

EVERY = 2.0
"""Seconds from one checkpoint to the next that a witness is sent at least."""
RETRY = 5.0, 120.0
"""Seconds after which a witness is asked again that has not cosigned: first, and at most."""
TIMEOUT = 10.0
MAX_ANSWER = 64 << 10
SIZE_TYPE = "text/x.tlog.size"


class Refused(Exception):
    """The witness did not cosign."""


class Asking:
    """Keeps one witness up to date. Its task owns what is known of the witness."""

    def __init__(
        self,
        witness: WitnessAddress,
        engine: Engine,
        reader: Reader,
        published: Arrivals,
        client: httpx.AsyncClient,
    ) -> None:
        self._witness = witness
        self._engine = engine
        self._reader = reader
        self._published = published
        self._client = client
        self._asked = False
        self._known = 0
        """The size that the witness has cosigned last, as far as we know."""
        self._done = ""
        """The text of the checkpoint that it has cosigned last."""

    async def run(self) -> None:
        """Ask until cancelled; whatever happens is logged and tried again."""
        pause, longest = RETRY
        while True:
            await self._published.wait(self._known, EVERY)
            try:
                if not self._asked:
                    self._known, self._asked = await asyncio.to_thread(self._last_cosigned), True
                await self.ask()
                pause = RETRY[0]
                await asyncio.sleep(EVERY)
                continue
            except (Refused, Unavailable, httpx.HTTPError) as error:
                log.warning(
                    "%s has not cosigned: %s", self._witness.key.name, str(error) or type(error).__name__
                )
            except Exception:  # whatever it is, the next checkpoint is another try
                log.exception("%s could not be asked", self._witness.key.name)
            await asyncio.sleep(pause)
            pause = min(2 * pause, longest)

    async def ask(self) -> None:
        """Have the last checkpoint cosigned, if it has not been. Raises Refused, Unavailable or HTTPError."""
        last = await asyncio.to_thread(self._last)
        if last is None or parse_note(last.note).text == self._done:
            return
        status, kind, answer = await self._send(last)
        if status == httpx.codes.CONFLICT and kind == SIZE_TYPE:
            await self._correct(last, _size(answer))
            status, kind, answer = await self._send(last)
        if status != httpx.codes.OK:
            raise Refused(f"it answered {status}")
        await asyncio.to_thread(self._store, last, answer)
        self._known, self._done = last.size, parse_note(last.note).text

    async def _correct(self, last: Published, size: int) -> None:
        """Learn which size the witness knows. Raises Refused when the log has never been there."""
        if size == self._known:
            raise Refused(f"it knows another tree of {size} events")
        if size > last.size:
            if size > (await asyncio.to_thread(self._reader.head)).size:
                await asyncio.to_thread(self._note_seen, last, size)
            raise Refused(f"it has seen {size} events, the checkpoint is of {last.size}")
        self._known = size

    async def _send(self, last: Published) -> tuple[int, str, str]:
        """Send a checkpoint; returns status, media type and body of the answer."""
        proof = await asyncio.to_thread(self._prove, min(self._known, last.size), last.size)
        body = format_submission(min(self._known, last.size), proof, last.note)
        async with self._client.stream("POST", self._witness.url, content=body) as response:
            answer = b""
            async for chunk in response.aiter_bytes():
                answer += chunk
                if len(answer) > MAX_ANSWER:
                    raise Refused("its answer is too long")
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return response.status_code, kind, answer.decode(errors="replace")

    def _prove(self, old: int, new: int) -> tuple[bytes, ...]:
        return prove_consistency(old, new, self._reader.hashes(consistency_nodes(old, new), new))

    def _last(self) -> Published | None:
        with reachable(), self._reader.connect() as connection:
            return checkpoints.published(connection)

    def _last_cosigned(self) -> int:
        with reachable(), self._reader.connect() as connection:
            return checkpoints.last_cosigned(connection, self._witness.key)

    def _note_seen(self, last: Published, size: int) -> None:
        origin = parse_checkpoint(parse_note(last.note).text).origin
        with reachable(), self._engine.begin() as connection:
            checkpoints.note_seen_by_witness(connection, origin, size)

    def _store(self, last: Published, answer: str) -> None:
        """Store the cosignature of the witness; lines of keys that are not known here are passed over."""
        key, text = self._witness.key, parse_note(last.note).text
        try:
            signatures = parse_signatures(answer)
        except ValueError as error:
            raise Refused(f"its answer cannot be read: {error}") from error
        for one in signatures:
            ours = (one.name, one.key_id) == (key.name, key.key_id)
            if ours and verifies(key, text, one.signature, verify) and cosignature_time(one.signature):
                with reachable(), self._engine.begin() as connection:
                    checkpoints.store_cosignature(connection, last.size, one)
                return
        raise Refused("its answer holds no cosignature by its key")


async def ask_all(
    witnesses: Sequence[WitnessAddress],
    engine: Engine,
    reader: Reader,
    published: Arrivals,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
) -> None:
    """Ask all witnesses until cancelled, each at its own pace. Redirects and proxies are not followed."""
    async with (
        httpx.AsyncClient(timeout=TIMEOUT, trust_env=False, transport=transport) as client,
        asyncio.TaskGroup() as tasks,
    ):
        for witness in witnesses:
            tasks.create_task(Asking(witness, engine, reader, published, client).run())


def _size(answer: str) -> int:
    """Read the size that a witness answers with. Raises Refused."""
    try:
        return parse_number(answer.removesuffix("\n"))
    except ValueError as error:
        raise Refused("it answered with a size that is none") from error
