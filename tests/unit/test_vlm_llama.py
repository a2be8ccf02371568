"""A real `llama-server`, where one is found: the schema is enforced there, not only asked for.

Needs `llama-server` on the path, and a vision model in two files that these variables name:
URBEXMP_LLAMA_MODEL (the GGUF) and URBEXMP_LLAMA_MMPROJ. Skipped by name where they are not here.
"""

from __future__ import annotations

import json
import os
import re
import selectors
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from urbexmp.adapters.thumbnail import red_circle
from urbexmp.model.stage_errors import StageFailed
from urbexmp.rules.server_checks import CHOOSE, COLOURS
from urbexmp.rules.servers import JSON_SCHEMA, Kind
from urbexmp.rules.vlm_settings import vlm_settings
from urbexmp.wiring_vlm import open_server

SECONDS = 300.0
PROGRAM = shutil.which("llama-server")
MODEL, MMPROJ = (os.environ.get(f"URBEXMP_LLAMA_{name}", "") for name in ("MODEL", "MMPROJ"))

pytestmark = pytest.mark.skipif(
    not (PROGRAM and MODEL and MMPROJ),
    reason="llama-server, URBEXMP_LLAMA_MODEL or URBEXMP_LLAMA_MMPROJ is not here",
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    assert PROGRAM is not None
    with subprocess.Popen(
        [PROGRAM, "-m", MODEL, "--mmproj", MMPROJ, "--port", "0", "-c", "8192", "-np", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        said, until = b"", time.monotonic() + SECONDS
        try:
            with selectors.DefaultSelector() as ear:
                ear.register(process.stdout, selectors.EVENT_READ)
                while not (found := re.search(rb"listening on (http://[\d.]+:\d+)", said)):
                    assert ear.select(max(0.0, until - time.monotonic())), said
                    piece = os.read(process.stdout.fileno(), 4096)
                    assert piece, said
                    said += piece
            yield found[1].decode()
        finally:
            process.kill()


def test_its_answers_keep_to_the_schema_and_have_probabilities(url: str, tmp_path: Path) -> None:
    settings = vlm_settings({"model": "any", "url": url, "timeout": SECONDS})
    server = open_server(settings, tmp_path, say=lambda _: None)
    try:
        assert server.kind() is Kind.LLAMACPP
        assert server.context_size() == 8192
        answer = server.ask(CHOOSE, red_circle(), COLOURS, 60)
        assert server.manners().rung == JSON_SCHEMA
        assert json.loads(answer.text or "")["colour"] in COLOURS["properties"]["colour"]["enum"]
        assert answer.tokens
        with pytest.raises(StageFailed):
            server.ask(CHOOSE, b"this is no picture", COLOURS, 60)
    finally:
        server.close()
