"""The one list of read models."""

from registry.projections.model import ReadModel

CATALOGUE: tuple[ReadModel, ...] = ()
