"""Operating the read models: how far each has come, what is parked, rebuilding, trying again, skipping."""

import msgspec
from sqlalchemy import Connection, Engine

from registry.errors import NotFound, Unavailable
from registry.projections.catalogue import CATALOGUE
from registry.projections.generations import generations
from registry.projections.makers import Makers
from registry.projections.model import ReadModel
from registry.projections.parking import RETRY, SKIPPED, Parked, resolve, waiting
from registry.projections.rebuild import Difference, Progress, check, rebuild, rebuild_all
from registry.store.database import reachable
from registry.store.head import read_head
from registry.store.reader import Reader


class GenerationStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One build of a read model."""

    generation: int
    state: str
    """``building``, ``live`` or ``retired``."""
    position: int
    behind: int
    """Positions of the log that are not in its rows yet."""


class ProjectionStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One read model, in the version that this process has."""

    name: str
    version: int
    ready: bool
    """Whether a generation is live, so that it can be read."""
    generations: tuple[GenerationStatus, ...]
    parked: tuple[Parked, ...]
    """Agreements whose rows cannot be made; all others go on."""


def statuses(connection: Connection, models: tuple[ReadModel, ...] = CATALOGUE) -> list[ProjectionStatus]:
    """Tell how each read model does."""
    size = read_head(connection).size
    return [_status(connection, model, size) for model in models]


def _status(connection: Connection, model: ReadModel, size: int) -> ProjectionStatus:
    known = tuple(
        GenerationStatus(
            generation=each.number,
            state=each.state.partition(":")[0],
            position=each.position,
            behind=size - each.position,
        )
        for each in generations(connection, model)
    )
    return ProjectionStatus(
        name=model.name,
        version=model.version,
        ready=any(each.state == "live" for each in known),
        generations=known,
        parked=tuple(waiting(connection, model)),
    )


class Operator:
    """What an operator may do to the read models. Synchronous, like what it calls.

    Without an engine to write with, only the status can be read. Without ``makers`` rows are made in the calling
    thread.
    """

    def __init__(
        self,
        engine: Engine | None,
        reader: Reader,
        models: tuple[ReadModel, ...] = CATALOGUE,
        makers: Makers | None = None,
    ) -> None:
        self._engine = engine
        self._reader = reader
        self._models = models
        self._makers = makers

    def status(self) -> list[ProjectionStatus]:
        """Tell how each read model does. Raises Unavailable."""
        with reachable(), self._reader.connect() as connection:
            return statuses(connection, self._models)

    def rebuild(self, name: str, progress: Progress = lambda _, __: None) -> int:
        """Build a read model anew; return the number of the new generation. Raises NotFound, Unavailable."""
        return rebuild(self._writing(), self._reader, self._model(name), progress, self._makers)

    def rebuild_all(self, progress: Progress = lambda _, __: None) -> dict[str, int]:
        """Build every read model anew in one pass; return the new generations by name. Raises Unavailable."""
        numbers = rebuild_all(self._writing(), self._reader, self._models, progress, self._makers)
        return dict(zip(self.names(), numbers, strict=True))

    def names(self) -> list[str]:
        """Name the read models."""
        return [model.name for model in self._models]

    def check(self, name: str, progress: Progress = lambda _, __: None) -> list[Difference]:
        """Compare the live rows of a read model with new ones. Raises NotFound, Unavailable."""
        return check(self._writing(), self._reader, self._model(name), progress, self._makers)

    def retry(self, name: str, agreement: str) -> None:
        """Try again to make the rows of a parked agreement. Raises NotFound, Unavailable."""
        self._resolve(name, agreement, RETRY)

    def skip(self, name: str, agreement: str) -> None:
        """Let a parked agreement go on with its next event. Raises NotFound, Unavailable."""
        self._resolve(name, agreement, SKIPPED)

    def _resolve(self, name: str, agreement: str, resolution: str) -> None:
        model = self._model(name)
        with reachable(), self._writing().begin() as connection:
            if not resolve(connection, model, agreement, resolution):
                raise NotFound(f"{agreement!r} is not parked in the read model {name}")

    def _writing(self) -> Engine:
        if self._engine is None:
            raise Unavailable("the database is opened to be read only")
        return self._engine

    def _model(self, name: str) -> ReadModel:
        for model in self._models:
            if model.name == name:
                return model
        known = ", ".join(self.names())
        raise NotFound(f"there is no read model {name!r}; there are {known}")
