"""What is deployed, as files of the checkout and as structures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"


def documents(path: Path) -> Iterator[dict[str, Any]]:
    """The documents of a YAML file."""
    yield from (document for document in yaml.safe_load_all(path.read_text()) if document)


def document(path: Path) -> dict[str, Any]:
    """The only document of a YAML file."""
    (found,) = documents(path)
    return found
