"""How bringing weights is shown."""

from __future__ import annotations

import io
import json

import pytest

from urbexmp.cli.choices import Choices
from urbexmp.cli.console import Console
from urbexmp.cli.transfer_show import TransferShow, transfer_text


@pytest.mark.parametrize(
    ("done", "size", "arrived", "seconds", "said"),
    [
        (0, 412_402_716, 0, 0.0, "m: 0 bytes of 412.4 MB"),
        (30, 412_402_716, 30, 0.2, "m: 30 bytes of 412.4 MB"),
        (12_000_000, 112_000_000, 10_000_000, 2.0,
         "m: 12.0 MB of 112.0 MB, 5.0 MB/s, about 20.0 s left"),
        (12_000_000, 0, 10_000_000, 2.0, "m: 12.0 MB, 5.0 MB/s"),
        (112_000_000, 112_000_000, 10_000_000, 2.0, "m: 112.0 MB of 112.0 MB, 5.0 MB/s"),
    ],
)  # fmt: skip
def test_the_line_says_bytes_rate_and_time_left(
    done: int, size: int, arrived: int, seconds: float, said: str
) -> None:
    assert transfer_text("m", done, size, arrived, seconds) == said


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(choices: Choices, err: io.StringIO) -> tuple[TransferShow, io.StringIO]:
    console = Console(color=False)
    console.err, console.out = err, io.StringIO()
    show = TransferShow(choices, console)
    show.every = 0.0
    return show, console.out


def test_on_a_terminal_one_line_counts_and_goes_away() -> None:
    err = Terminal()
    show, out = shown(Choices(), err)
    show.begin("m", 2_000_000, 0)
    show.moved(1_000_000)
    show.moved(500_000)
    show.end("m")
    text = err.getvalue()
    assert text.count("\r") >= 4
    assert "\n" not in text
    assert text.endswith(" \r")
    assert out.getvalue() == ""


def test_in_a_log_each_line_stands() -> None:
    err = io.StringIO()
    show, _ = shown(Choices(), err)
    show.begin("m", 2_000_000, 500_000)
    show.moved(500_000)
    show.end("m")
    assert err.getvalue().startswith("m: 1.0 MB of 2.0 MB")
    assert err.getvalue().endswith("left\n")


def test_a_program_gets_json_and_nothing_else() -> None:
    err = io.StringIO()
    show, out = shown(Choices(json=True), err)
    show.begin("m", 10, 0)
    show.moved(4)
    show.end("m")
    assert json.loads(out.getvalue()) == {"event": "transfer", "model": "m", "done": 4, "size": 10}
    assert err.getvalue() == ""


def test_quiet_is_quiet() -> None:
    err = io.StringIO()
    show, out = shown(Choices(quiet=True), err)
    show.begin("m", 10, 0)
    show.moved(4)
    show.end("m")
    assert (err.getvalue(), out.getvalue()) == ("", "")
