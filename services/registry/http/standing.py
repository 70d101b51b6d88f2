"""Where the service stands: read from the database for whoever asks whether it is ready, or measures it."""

from typing import Any

import msgspec

from registry.audit.lag import CheckpointLag, checkpoint_lag
from registry.projections.lag import Lag, read_lags
from registry.store.database import reachable


class Standing(msgspec.Struct, frozen=True):
    """What the database says of itself and of what was made of it, at one moment."""

    revision: str | None
    """The migration it is at."""
    read_models: list[Lag]
    checkpoint: CheckpointLag


def standing(state: Any) -> Standing:
    """Look where the service stands, by the state of its application. Raises Unavailable."""
    revision = state.reader.revision()
    read_models = read_lags(state.operator, state.reader)
    with reachable(), state.reader.connect() as connection:
        return Standing(revision, read_models, checkpoint_lag(connection, state.witness_keys))
