"""What a command writes, to a person and to a pipe."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

from registry.cli import console


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@contextmanager
def terminal(monkeypatch) -> Iterator[Terminal]:
    screen = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    with redirect_stdout(screen), redirect_stderr(screen):
        yield screen


def test_a_pipe_gets_aligned_columns(capsys):
    console.table(("name", "value"), [("a", "1"), ("longer", "22")])
    assert capsys.readouterr().out == "name    value\na       1\nlonger  22\n"


def test_an_empty_table_is_its_header(capsys):
    console.table(("name", "value"), [])
    assert capsys.readouterr().out == "name  value\n"


def test_a_person_gets_a_table_whose_cells_are_taken_literally(monkeypatch):
    with terminal(monkeypatch) as screen:
        console.table(("name",), [("[bold]x[/bold]",)])
    assert "[bold]x[/bold]" in screen.getvalue()
    assert "─" in screen.getvalue()


def test_a_person_sees_progress(monkeypatch):
    with terminal(monkeypatch) as screen, console.progress("appending", 10) as bar:
        bar(5, "5 in")
    assert "appending" in screen.getvalue()


def test_a_pipe_sees_no_progress(capsys):
    with console.progress("appending", 10) as bar:
        bar(5, "5 in")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_results_and_notes_go_different_ways(capsys):
    console.say("result")
    console.note("note")
    console.say_json({"é": 1})
    captured = capsys.readouterr()
    assert captured.out == 'result\n{\n  "é": 1\n}\n'
    assert captured.err == "note\n"
