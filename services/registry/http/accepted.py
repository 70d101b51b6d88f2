"""Which of the forms of a resource a client likes best (RFC 9110 section 12.5.1).

The framework's own way takes ``q=0`` for a wish, and fails on a weight that is no finite number.
"""

import re
from collections.abc import Iterator, Sequence

from registry.http.answer import Asked

_WEIGHT = re.compile(r"0(\.[0-9]*)?|1(\.0*)?")
ANY = "*/*"


def best_form(request: Asked, forms: Sequence[str]) -> str | None:
    """Choose one of the media types ``forms``; None when the client takes none of them.

    Whoever says nothing gets the first. Of forms that are liked alike it is the one that is named more exactly, then
    the one that is named first. Parameters other than ``q`` are not looked at, and what is no weight weighs 1.
    """
    ranges = list(_ranges(",".join(request.headers.getall("accept", []))))
    if not ranges:
        return forms[0]
    liked = ((_liking(form, ranges), form) for form in forms)
    (weight, *_), form = max(liked, key=lambda one: one[0])  # the first of those that are equal
    return form if weight > 0 else None


def _liking(form: str, ranges: Sequence[tuple[str, float]]) -> tuple[float, int, int]:
    """Say how much a form is liked: the weight of the most exact range it is in, how exact that is, and which."""
    for exactness, name in ((2, form), (1, form.partition("/")[0] + "/*"), (0, ANY)):
        for number, (named, weight) in enumerate(ranges):
            if named == name:
                return weight, exactness, -number
    return 0.0, 0, 0


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    for each in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in each.split(";"))
        if name or parameters:
            said = [one[2:] for one in parameters if one.startswith("q=")]
            yield name, float(said[0]) if said and _WEIGHT.fullmatch(said[0]) else 1.0
