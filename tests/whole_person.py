"""Somebody who brings the models of `standard` by command and syncs photos under it.

The hub is on this machine and its models are tiny; all else is what a user has: the shipped
profile and vocabulary, an own registry, real processes.
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from xml.etree import ElementTree

from hub_server import HubServer
from serve_process import SAMPLES
from tiny import florence, ram, siglip, taught
from tiny.registry import entry_of
from urbexmp.adapters.model_registry import store_entry
from urbexmp.model.weights import ModelEntry

SIGLIP, SIGLIP_FP32 = "siglip2-base-224", "siglip2-base-224-fp32"
FLORENCE, RAM = "florence2-base-ft-onnx", "ram-plus"
"""Ids that the shipped profile's stages load by default; the own registry takes their place."""

BROKEN = "florence-broken"
"""A model whose files are what the registry says, and which nothing can load."""

RAW, JPEG = "IMG_1021.CR2", "_DSC0415.JPG"

SOURCE = str(Path(__file__).parents[1] / "src")
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"

GATE = Path(__file__).parent / "gate"
"""Has `sitecustomize.py`, by which a test knows of each process in which a stage looks."""

MINUTES = 3.0
"""For one command; the machine may be busy. Nothing passes by waiting longer."""


@dataclass
class Published:
    """What the hub has, and the entries that pin it."""

    hub: HubServer
    entries: tuple[ModelEntry, ...]


def publish(base: Path) -> Published:
    """Make the tiny models, and a hub that has them. Takes half a minute."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        made = _models(base)
    finally:
        torch.set_num_threads(threads)
    hubs, entries = [], []
    for model, (stage, folder, settings) in made.items():
        repository = f"tiny/{model}"
        entry = entry_of(folder, id=model, stage=stage, repository=repository, settings=settings)
        entries.append(entry)
        files = {file.name: (folder / file.name).read_bytes() for file in entry.files}
        hubs.append(HubServer(repository, files))
    hubs[0].beside = tuple(hubs[1:])
    return Published(hubs[0], tuple(entries))


def _models(base: Path) -> dict[str, tuple[str, Path, dict[str, Any]]]:
    from urbexmp.adapters.exporting import florence_onnx, ram_onnx

    whole = siglip.build_onnx(base / SIGLIP_FP32, siglip.build(base / "siglip"), ("fp32", "int8"))
    small = shutil.copytree(whole, base / SIGLIP)
    for folder, other in ((whole, "quantized"), (small, "model")):
        for path in (folder / "onnx").iterdir():
            if path.stem.endswith(other):
                path.unlink()
    seen = base / FLORENCE
    florence_onnx.convert(taught.teach(florence.build(base / "florence")), seen, ("fp32",))
    tagger = ram.build(base / RAM)
    broken = shutil.copytree(seen, base / BROKEN)
    for path in (broken / "onnx").iterdir():
        path.write_bytes(b"no model at all" * 100)
    scenes = {**siglip.SETTINGS, "offset": -21.0}
    return {
        SIGLIP: ("siglip", small, {**scenes, "variant": "int8", "reference": SIGLIP_FP32}),
        SIGLIP_FP32: ("siglip", whole, {**scenes, "variant": "fp32"}),
        FLORENCE: ("florence", seen, {"backend": "onnx", "variant": "fp32"}),
        BROKEN: ("florence", broken, {"backend": "onnx", "variant": "fp32"}),
        RAM: ("ram", tagger, {**ram.SETTINGS, **ram_onnx.SETTINGS}),
    }


class Person:
    """A home folder, and commands run in it."""

    def __init__(self, home: Path, published: Published) -> None:
        self.home = home
        home.mkdir(parents=True)
        self.published = published
        self.hub = published.hub
        self.registry = home / "models.toml"
        for entry in published.entries:
            store_entry(entry, self.registry)

    def environ(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Settings of this person alone."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "URBEXMP_"))}
        return {
            **kept,
            "PYTHONPATH": os.pathsep.join((SOURCE, *sys.path)),
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_STATE_HOME": str(self.home / "state"),
            "HF_HOME": str(self.home / "hf"),
            "HF_ENDPOINT": self.hub.address,
            "NO_PROXY": "127.0.0.1",
            "URBEXMP_MODELS": str(self.registry),
            **(more or {}),
        }

    def begin(
        self, *command: str | Path, more: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Begin `urbexmp COMMAND`."""
        return subprocess.Popen(
            [sys.executable, "-m", "urbexmp", *map(str, command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environ(more),
            cwd=self.home,
        )

    def run(self, *command: str | Path, more: Mapping[str, str] | None = None) -> Done:
        """Run `urbexmp COMMAND` to its end."""
        process = self.begin(*command, more=more)
        with process:
            out, err = process.communicate(timeout=MINUTES * 60)
        return Done(process.returncode, out, err)

    def library(self, name: str, *photos: str) -> Path:
        """A new folder with copies of samples."""
        folder = self.home / name
        folder.mkdir()
        for photo in photos:
            shutil.copy(next(SAMPLES.rglob(photo)), folder)
        return folder


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err

    @property
    def events(self) -> list[dict[str, Any]]:
        """What `--json` printed."""
        return [json.loads(line) for line in self.out.splitlines()]


class Gate:
    """Knows of each process in which a stage looks, and holds it before its first look."""

    def __init__(self, folder: Path, *, holds: bool) -> None:
        folder.mkdir()
        self._born, self._gate = folder / "born", folder / "gate"
        for fifo in (self._born, self._gate):
            os.mkfifo(fifo)
        # Open for both, so that neither side ever waits for the other to open.
        self._ears = os.open(self._born, os.O_RDWR)
        self._hand = os.open(self._gate, os.O_RDWR)
        self._heard = b""
        self.environ = {
            "PYTHONPATH": os.pathsep.join((str(GATE), SOURCE, *sys.path)),
            "URBEXMP_TEST_BORN": str(self._born),
            "URBEXMP_TEST_GATE": str(self._gate) if holds else "",
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._ears)
        os.close(self._hand)

    def born(self, seconds: float = MINUTES * 60) -> int | None:
        """The next process that began, waited for at most so long; None: there is none."""
        until = time.monotonic() + seconds
        while b"\n" not in self._heard:
            with selectors.DefaultSelector() as ear:
                ear.register(self._ears, selectors.EVENT_READ)
                if not ear.select(max(0.0, until - time.monotonic())):
                    return None
            self._heard += os.read(self._ears, 4096)
        number, _, self._heard = self._heard.partition(b"\n")
        return int(number)

    def all_born(self) -> int:
        """How many more have begun by now; the command must have ended."""
        number = 0
        while self.born(0) is not None:
            number += 1
        return number

    def kill(self) -> None:
        """End the next one, in the middle of its first look."""
        number = self.born()
        assert number is not None
        os.kill(number, signal.SIGKILL)

    def open(self) -> None:
        """Let the next one go on. It is waited for: one that is being ended might take the byte."""
        assert self.born() is not None
        os.write(self._hand, b".")


def exiftool(path: Path) -> dict[str, Any]:
    """Keywords, and what we noted of them, as an independent program reads a file."""
    told = subprocess.run(
        ["exiftool", "-X", "-u", str(path)], capture_output=True, check=True
    ).stdout
    found: dict[str, Any] = {}
    for tag in ElementTree.fromstring(told)[0]:
        items = [item.text or "" for item in tag.iter(RDF + "li")]
        found[tag.tag.rpartition("}")[2]] = items or tag.text
    return found


def written(path: Path) -> dict[str, tuple[float, str]]:
    """Keywords that a file lists as ours, each with its score and the stage that said it."""
    ours = {}
    for line in exiftool(path)["Written"]:
        keyword, score, stage = line.rsplit(";", 2)
        ours[keyword] = (float(score), stage.partition("@")[0])
    return ours
