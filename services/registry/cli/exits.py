"""How a command ends: the exit codes, and the exception that ends one with a line for people."""

DONE = 0
REFUSED = 1
"""The answer is no: lines refused, a log that does not verify, a failed check, nothing found."""
USAGE = 2
"""The command line, a file or a setting is wrong; nothing was done."""
UNREACHABLE = 3
"""The database or the server cannot be reached, or does not let this command in; try again later."""
PORT_TAKEN = 4
"""Another program listens on the address."""
LOCKED = 5
"""Another process holds the SQLite database."""
INTERRUPTED = 130
"""Ctrl-C, as shells count it."""


class Stop(Exception):
    """Ends the command with an exit code and one line on standard error."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
