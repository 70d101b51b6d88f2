"""Files that pages load, and the paths that change with what is in them."""

from functools import lru_cache
from hashlib import sha256
from importlib.resources import files

from registry.errors import NotFound

TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
"""What is served, by the end of its name."""


@lru_cache
def static_file(name: str) -> tuple[str, bytes]:
    """Read a file, behind a hash of what is in it. Raises NotFound."""
    folder = files("registry.ui").joinpath("static")
    if name not in {each.name for each in folder.iterdir() if each.name.rpartition(".")[2] in TYPES}:
        raise NotFound("there is no such file")
    content = folder.joinpath(name).read_bytes()
    return sha256(content).hexdigest()[:16], content


def static_url(name: str) -> str:
    """Make the path under which a file is served."""
    return f"/static/{static_file(name)[0]}/{name}"
