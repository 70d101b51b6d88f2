"""What became of posted events: one by one, and altogether."""

import msgspec


class Outcome(msgspec.Struct, frozen=True):
    """What became of one event that was taken."""

    position: int
    """0 when it was only tried."""
    replayed: bool
    warnings: tuple[str, ...] = ()


class Tally(msgspec.Struct):
    """What became of a file so far. Owned by the command that appends it."""

    lines: int = 0
    """Lines that hold something and have been dealt with."""
    appended: int = 0
    replayed: int = 0
    refused: int = 0
    warnings: int = 0
    position: int = 0
    """The highest position in a receipt."""
    last_line: int = 0
    """The number of the last line dealt with; what comes behind it has not been posted."""

    def took(self, outcome: Outcome) -> None:
        """Count an event that was taken."""
        self.lines += 1
        self.appended += not outcome.replayed
        self.replayed += outcome.replayed
        self.warnings += len(outcome.warnings)
        self.position = max(self.position, outcome.position)

    def refuse(self) -> None:
        """Count a line that was refused."""
        self.lines += 1
        self.refused += 1

    def in_words(self, seconds: float, *, dry: bool = False) -> str:
        """Say it on one line; ``dry``: nothing was done, it was only tried."""
        said = f"{'would append' if dry else 'appended'} {self.appended:,} event{'' if self.appended == 1 else 's'}"
        asides = [
            f"{count:,} {word}"
            for count, word in (
                (self.replayed, "known already"),
                (self.refused, "refused"),
                (self.warnings, "warning" if self.warnings == 1 else "warnings"),
            )
            if count
        ]
        said += f" ({', '.join(asides)})" if asides else ""
        said += f" in {seconds:.1f} s"
        return f"{said}; last position {self.position:,}" if self.position else said
