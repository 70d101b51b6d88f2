"""A drawing of who has agreements with whom: parties on a ring, and a line between two for what is between them."""

from collections.abc import Iterable, Sequence
from math import cos, pi, sin, sqrt

import msgspec

SIZE = 640
RADIUS = 230
WIDEST = 9.0
"""Width of the line between the two parties with most agreements; others go with the square root."""


class Place(msgspec.Struct, frozen=True):
    """A party on the ring."""

    party: str
    x: float
    y: float
    text_x: float
    text_y: float
    anchor: str
    """Where its name begins or ends: ``start``, ``middle`` or ``end``."""


class Line(msgspec.Struct, frozen=True):
    """What is between two parties."""

    one: str
    other: str
    agreements: int
    path: str
    width: float


class Ring(msgspec.Struct, frozen=True):
    size: int
    places: tuple[Place, ...]
    lines: tuple[Line, ...]
    """The thickest last, so that it lies on top."""


def ring(parties: Sequence[str], pairs: Iterable[tuple[str, str, int]]) -> Ring:
    """Draw some parties in the order given and the pairs that are among them."""
    centre = SIZE / 2
    places: dict[str, Place] = {}
    for number, party in enumerate(parties):
        angle = 2 * pi * number / len(parties) - pi / 2
        across, down = cos(angle), sin(angle)
        places[party] = Place(
            party,
            round(centre + RADIUS * across, 1),
            round(centre + RADIUS * down, 1),
            round(centre + (RADIUS + 14) * across, 1),
            round(centre + (RADIUS + 14) * down + 4, 1),
            "middle" if abs(across) < 0.2 else "start" if across > 0 else "end",  # noqa: PLR2004 - nearly above
        )
    within = [(one, other, number) for one, other, number in pairs if one in places and other in places]
    most = max((number for *_, number in within), default=1)
    lines = [
        Line(
            one,
            other,
            number,
            f"M{places[one].x} {places[one].y}Q{centre} {centre} {places[other].x} {places[other].y}",
            round(max(1.0, WIDEST * sqrt(number / most)), 1),
        )
        for one, other, number in sorted(within, key=lambda pair: pair[2])
    ]
    return Ring(SIZE, tuple(places.values()), tuple(lines))
