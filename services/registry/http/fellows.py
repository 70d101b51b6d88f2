"""Processes that share a port tell each other their figures, so that each tells those of all.

Each listens on a socket in one directory, under its process id. Whoever is asked asks the others: what is told is
exact and of this moment, nothing is written in between, and a process that has ended is simply not there.
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Self

import msgspec

from registry.figures import Family

SUFFIX = ".metrics"
TIMEOUT = 2.0
"""Seconds that the others have to answer."""

Figures = Callable[[], list[Family]]
_decode = msgspec.msgpack.Decoder(list[Family]).decode
_encode = msgspec.msgpack.Encoder().encode


class Fellows:
    """Tells the figures of this process, and asks for those of the others. Belongs to the event loop.

    Without a directory the process stands alone, and has no name.
    """

    def __init__(self, directory: str, figures: Figures) -> None:
        self._directory = Path(directory) if directory else None
        self._figures = figures
        self._name = str(os.getpid())
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        """Begin to listen. Raises OSError when the directory cannot be used."""
        if self._directory is not None:
            path = self._path(self._name)
            path.unlink(missing_ok=True)  # of a process that had the same id and was killed
            self._server = await asyncio.start_unix_server(self._tell, path)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            self._path(self._name).unlink(missing_ok=True)

    async def all(self) -> dict[str, list[Family]]:
        """Give the figures of every process that answers, by its id; by no name of one that stands alone."""
        if self._directory is None:
            return {"": self._figures()}
        others = sorted({path.stem for path in self._directory.glob(f"*{SUFFIX}")} - {self._name})
        told = await asyncio.gather(*(self._ask(name) for name in others))
        found = {name: families for name, families in zip(others, told, strict=True) if families is not None}
        return {self._name: self._figures(), **found}

    async def _ask(self, name: str) -> list[Family] | None:
        try:
            async with asyncio.timeout(TIMEOUT):
                reader, writer = await asyncio.open_unix_connection(self._path(name))
                try:
                    return _decode(await reader.read())
                finally:
                    writer.close()
        except ConnectionRefusedError:
            self._path(name).unlink(missing_ok=True)  # it was killed
        except (OSError, TimeoutError, msgspec.DecodeError):
            return None
        return None

    async def _tell(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_encode(self._figures()))
        await writer.drain()
        writer.close()

    def _path(self, name: str) -> Path:
        assert self._directory is not None  # noqa: S101 - asked for only where there is one
        return self._directory / f"{name}{SUFFIX}"
