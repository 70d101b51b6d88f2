"""What the service writes to standard error: a line a request, and one for whatever goes wrong.

A line is JSON, or text for people. It names a principal by its random id and a route by its template: neither a path
nor a query, no header and no body is ever in one.
"""

import asyncio
import logging
import sys
import time
import warnings
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec

from registry.config import Settings

FLUSHED_AFTER = 0.1
"""Seconds that a line of a request may wait for others, so that all of them are one write."""
MOST_WAITING = 500
"""Lines that wait at most."""

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
CHATTY = ("httpx", "httpcore", "alembic")
"""Libraries that tell of every step, some with whole URLs."""
SERVER_ERROR = 500

_PLAIN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
"""What every record has; all else is what somebody has put in beside the message."""
_encode = msgspec.json.Encoder(enc_hook=str).encode


class Line(msgspec.Struct, omit_defaults=True):
    """The line of a request. The order is that in which it is written."""

    time: str
    level: str
    method: str
    route: str
    status: int
    duration_ms: float
    bytes: int
    request_id: str
    principal: str = ""
    position: int = 0
    problem: str = ""
    rule: str = ""


class Clock:
    """Gives the time as text; within a second only what is behind the point is written anew."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def text(self, now: float) -> str:
        """Give a time of Unix as RFC 3339, in UTC, to the millisecond."""
        second = int(now)
        if second != self._second:
            self._text, self._second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)), second
        return f"{self._text}.{int((now - second) * 1000):03}Z"


class AccessLines:
    """Writes the lines of requests, several at once. Belongs to the event loop."""

    def __init__(self, *, json: bool, stream: TextIO | None = None) -> None:
        self._json = json
        self._stream = stream
        self._clock = Clock()
        self._waiting: list[str] = []

    def add(self, line: Line) -> None:
        """Let a line be written, within a moment."""
        line.time = self._clock.text(time.time())
        self._waiting.append(_encode(line).decode() if self._json else in_words(line))
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_later(FLUSHED_AFTER, self.flush)
        elif len(self._waiting) >= MOST_WAITING:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if not self._waiting:
            return
        text = "\n".join(self._waiting) + "\n"
        self._waiting.clear()
        _write(self._stream or sys.stderr, text)


def in_words(line: Line) -> str:
    """Write the line of a request for people."""
    text = (
        f"{line.time} {line.level.upper()} {line.method} {line.route} {line.status} "
        f"{line.duration_ms:g} ms {line.bytes} B request={line.request_id}"
    )
    for name in ("principal", "position", "problem", "rule"):
        if value := getattr(line, name):
            text += f" {name}={value}"
    return text


class Json(logging.Formatter):
    """Formats a record as one JSON object in one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Give time, level, logger and message, what was put in beside it, and the traceback of an error."""
        told: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{name: value for name, value in record.__dict__.items() if name not in _PLAIN},
        }
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return _encode(told).decode()


class Text(logging.Formatter):
    """Formats a record for people."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the same as the JSON has, on one line and the traceback below it."""
        text = f"{_time(record)} {record.levelname} {record.name}: {record.getMessage()}"
        for name, value in record.__dict__.items():
            if name not in _PLAIN:
                text += f" {name}={value}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return text


class _Standard(logging.StreamHandler[TextIO]):
    """Writes to whatever standard error is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def is_json(settings: Settings) -> bool:
    """Tell whether lines are JSON: as it is set, else unless a person looks at them."""
    return settings.log_format == "json" or (not settings.log_format and not sys.stderr.isatty())


def configure(settings: Settings) -> logging.Handler:
    """Have everything that is logged in this process written as the settings say; returns what writes it.

    Of libraries only warnings and errors are written. What Python warns of is one of them.
    """
    root = logging.getLogger()
    for earlier in [each for each in root.handlers if isinstance(each, _Standard)]:
        root.removeHandler(earlier)
    handler = _Standard()
    handler.setFormatter(Json() if is_json(settings) else Text())
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("registry").setLevel(LEVELS[settings.log_level])
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    if not sys.warnoptions and warnings.showwarning.__module__ == "warnings":
        logging.captureWarnings(capture=True)
    return handler


def access_lines(settings: Settings) -> AccessLines | None:
    """Make what writes the lines of requests; None when they are off, by themselves or by their level."""
    if not settings.access_lines or settings.log_level in ("warning", "error"):
        return None
    return AccessLines(json=is_json(settings))


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except (OSError, ValueError):  # whoever read the lines is gone; requests are answered nevertheless
        return
