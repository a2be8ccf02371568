"""Somebody who brings the models of `standard` by command and syncs photos under it.

The hub is on this machine and its models are tiny; all else is what a user has: the shipped
profile and vocabulary, an own registry, real processes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub_server import HubServer
from serve_process import SAMPLES
from tiny import florence, ram, siglip, taught
from tiny.registry import entry_of
from urbexmp.adapters.model_registry import store_entry
from urbexmp.model.weights import ModelEntry

SIGLIP, SIGLIP_FP32 = "siglip2-base-224", "siglip2-base-224-fp32"
FLORENCE, RAM = "florence2-base-ft-onnx", "ram-plus"
"""Ids that the shipped profile's stages load by default; the own registry takes their place."""

RAW, JPEG = "IMG_1021.CR2", "_DSC0415.JPG"

MINUTES = 5.0
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
    scenes = {**siglip.SETTINGS, "offset": -21.0}
    return {
        SIGLIP: ("siglip", small, {**scenes, "variant": "int8", "reference": SIGLIP_FP32}),
        SIGLIP_FP32: ("siglip", whole, {**scenes, "variant": "fp32"}),
        FLORENCE: ("florence", seen, {"backend": "onnx", "variant": "fp32"}),
        RAM: ("ram", tagger, {**ram.SETTINGS, **ram_onnx.SETTINGS}),
    }


class Person:
    """A home folder, and commands run in it."""

    def __init__(self, home: Path, published: Published) -> None:
        self.home = home
        home.mkdir(parents=True)
        self.hub = published.hub
        self.registry = home / "models.toml"
        for entry in published.entries:
            store_entry(entry, self.registry)

    def environ(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Settings of this person alone."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "URBEXMP_"))}
        return {
            **kept,
            "PYTHONPATH": os.pathsep.join((str(Path(__file__).parents[1] / "src"), *sys.path)),
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


def exiftool(path: Path) -> dict[str, Any]:
    """A file's tags as an independent program reads them."""
    told = subprocess.run(
        ["exiftool", "-json", "-G1", "-struct", "-XMP-lr:all", "-XMP-dc:all", str(path)],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    tags: dict[str, Any] = json.loads(told)[0]
    return tags


def exiftool_xml(path: Path) -> str:
    """The packet's unknown tags too, as RDF/XML by exiftool."""
    return subprocess.run(
        ["exiftool", "-X", "-u", "-a", "-ee", str(path)],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def stages_in(text: str) -> set[str]:
    """Names of the stages that a text names by their ids."""
    return {found.group(1) for found in re.finditer(r"\b([a-z]+)@[0-9][\w.]*", text)}
