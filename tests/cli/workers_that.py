"""What workers of the tests do instead of serving; modules of their own, as a worker imports them by name."""

import os
import signal
import time


def serve_and_do_not_end(_settings, _listener, ready) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ready()
    time.sleep(60)


def never_answer(_settings, _listener, _ready) -> None:
    os.kill(os.getppid(), signal.SIGTERM)
    time.sleep(60)
