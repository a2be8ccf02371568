"""Runs the transcripts of this folder.

`URBEXMP_UPDATE_SCRIPTS=1` writes what the commands print now into the transcripts, where it is not
as expected; read the difference before you commit it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from scripts.transcript import Step, generalise, parse, render, run

HERE = Path(__file__).parent
SCRIPTS = sorted(HERE.glob("*.script"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_commands_print_what_the_transcript_says(script: Path, tmp_path: Path) -> None:
    text = script.read_text(encoding="utf-8")
    if "exiftool" in text and not shutil.which("exiftool"):
        if os.environ.get("CI"):
            pytest.fail("exiftool is not installed, and it is required here")
        pytest.skip("exiftool, which plays Lightroom here, is not installed")
    parts = parse(text)
    assert any(isinstance(part, Step) for part in parts), "a transcript without a command"
    updating = bool(os.environ.get("URBEXMP_UPDATE_SCRIPTS"))
    wrong = []
    for outcome in run(parts, tmp_path):
        if outcome.as_expected:
            continue
        expected = [*outcome.step.expected, f"[{outcome.step.code}]"]
        printed = generalise(outcome.lines, tmp_path)
        if updating:
            outcome.step.expected, outcome.step.code = printed, outcome.code
            continue
        wrong.append(
            f"{script.name}:{outcome.step.line}: $ {' '.join(outcome.step.command)}\n"
            + "".join(f"  expected {line}\n" for line in expected)
            + "".join(f"  printed  {line}\n" for line in [*printed, f"[{outcome.code}]"])
        )
        break  # what follows rests on this command
    if updating:
        script.write_text(render(parts), encoding="utf-8")
    assert not wrong, wrong[0]
