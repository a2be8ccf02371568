"""A tiny RAM++ of the true architecture and file layout, with random weights.

The names and shapes are written down here one by one, as the authors' file has them; nothing of
the port is used, so that a test can tell whether the port fits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import torch

SIDE, PATCH, WIDTH, WINDOW = 64, 4, 16, 4
DEPTHS, HEADS = (2, 2, 2), (2, 4, 8)
TEXT, HIDDEN, INNER, LAYERS, DESCRIPTIONS = 16, 32, 64, 2, 51

WORDS = (
    *("abandon", "armchair", "bathroom", "bed", "brick", "building", "chair", "church", "corridor"),
    *("crack", "curtain", "debris", "desk", "door", "factory", "floor", "graffiti", "hospital"),
    *("ivy", "kitchen", "ladder", "lamp", "machine", "man", "mirror", "moss", "organ", "paint"),
    *("person", "pew", "photo", "piano", "pipe", "prison", "roof", "room", "rubble", "rust"),
    *("shelf", "sink", "sit", "sofa", "stair", "staircase", "stool", "table", "tile", "toilet"),
    *("tree", "wall", "wheelchair", "window", "wood"),
)
"""Everyday words, some that the vocabulary knows, some that it holds back."""

SETTINGS = {"size": SIDE, "tags": len(WORDS)}
"""What an entry for the tiny model says beside the files."""
CHECKPOINT, ONNX = "ram_plus_swin_large_14m.pth", "ram_plus.onnx"


def shapes() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes of all parameters, as the authors' file has them."""

    def layer(name: str, inside: int, outside: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        yield f"{name}.weight", (outside, inside)
        yield f"{name}.bias", (outside,)

    def norm(name: str, width: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        yield f"{name}.weight", (width,)
        yield f"{name}.bias", (width,)

    yield "label_embed", (len(WORDS) * DESCRIPTIONS, TEXT)
    yield "reweight_scale", ()
    yield "visual_encoder.patch_embed.proj.weight", (WIDTH, 3, PATCH, PATCH)
    yield "visual_encoder.patch_embed.proj.bias", (WIDTH,)
    yield from norm("visual_encoder.patch_embed.norm", WIDTH)
    for n, (depth, heads) in enumerate(zip(DEPTHS, HEADS, strict=True)):
        width = WIDTH << n
        for m in range(depth):
            block = f"visual_encoder.layers.{n}.blocks.{m}"
            yield from norm(f"{block}.norm1", width)
            table = ((2 * WINDOW - 1) ** 2, heads)
            yield f"{block}.attn.relative_position_bias_table", table
            yield from layer(f"{block}.attn.qkv", width, 3 * width)
            yield from layer(f"{block}.attn.proj", width, width)
            yield from norm(f"{block}.norm2", width)
            yield from layer(f"{block}.mlp.fc1", width, 4 * width)
            yield from layer(f"{block}.mlp.fc2", 4 * width, width)
        if n + 1 < len(DEPTHS):
            yield f"visual_encoder.layers.{n}.downsample.reduction.weight", (2 * width, 4 * width)
            yield from norm(f"visual_encoder.layers.{n}.downsample.norm", 4 * width)
    last = WIDTH << (len(DEPTHS) - 1)
    yield from norm("visual_encoder.norm", last)
    for n in range(LAYERS):
        head = f"tagging_head.encoder.layer.{n}"
        yield from layer(f"{head}.crossattention.self.query", HIDDEN, HIDDEN)
        yield from layer(f"{head}.crossattention.self.key", TEXT, HIDDEN)
        yield from layer(f"{head}.crossattention.self.value", TEXT, HIDDEN)
        yield from layer(f"{head}.crossattention.output.dense", HIDDEN, HIDDEN)
        yield from norm(f"{head}.crossattention.output.LayerNorm", HIDDEN)
        yield from layer(f"{head}.intermediate.dense", HIDDEN, INNER)
        yield from layer(f"{head}.output.dense", INNER, HIDDEN)
        yield from norm(f"{head}.output.LayerNorm", HIDDEN)
    yield from layer("wordvec_proj", TEXT, HIDDEN)
    yield from layer("fc", HIDDEN, 1)
    yield from layer("image_proj", last, TEXT)


def state(seed: int = 0) -> dict[str, torch.Tensor]:
    """Random parameters, large enough that every one of them shows in the result."""
    random = torch.Generator().manual_seed(seed)
    made: dict[str, torch.Tensor] = {}
    for name, shape in shapes():
        noise = torch.randn(shape, generator=random)
        if name == "reweight_scale":
            made[name] = torch.tensor(math.log(1 / 0.07))
        elif len(shape) == 1:
            around_one = "norm" in name.lower() and name.endswith(".weight")
            # Fewer tags than words, as of a trained model.
            made[name] = noise * 0.1 + (1.0 if around_one else -1.0 if name == "fc.bias" else 0.0)
        elif name.endswith("table"):
            made[name] = noise * 0.5
        elif name == "label_embed":
            tags = torch.randn(len(WORDS), 1, TEXT, generator=random)
            made[name] = (tags + noise.reshape(len(WORDS), DESCRIPTIONS, TEXT) * 0.4).flatten(0, 1)
        else:
            scale = {"fc.weight": 4.0, "wordvec_proj.weight": 4.0}.get(name, 1.4)
            scale = 0.2 if ".output.dense" in name else scale
            made[name] = noise * scale / math.sqrt(math.prod(shape[1:]))
    # Buffers that a saved module of the authors' code brings along.
    for n in range(len(DEPTHS)):
        for m in range(DEPTHS[n]):
            block = f"visual_encoder.layers.{n}.blocks.{m}"
            empty = torch.zeros(WINDOW**2, WINDOW**2, dtype=torch.long)
            made[f"{block}.attn.relative_position_index"] = empty
            if m % 2 and (SIDE // PATCH) >> n > WINDOW:
                made[f"{block}.attn_mask"] = torch.zeros(1, WINDOW**2, WINDOW**2)
    return made


def thresholds() -> list[float]:
    """One a word, about what the authors' are; one tag is switched off."""
    return [
        1.0 if word == "wall" else round(0.5 + 0.05 * (n % 9), 2) for n, word in enumerate(WORDS)
    ]


def build_lists(folder: Path) -> Path:
    """Write both lists, as the hub has them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ram_tag_list.txt").write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    least = "\n".join(str(one) for one in thresholds()) + "\n"
    (folder / "ram_tag_list_threshold.txt").write_text(least, encoding="utf-8")
    return folder


def build_checkpoint(folder: Path, seed: int = 0) -> Path:
    """Write the authors' form and the lists."""
    build_lists(folder)
    torch.save({"model": state(seed)}, folder / CHECKPOINT)
    return folder


def build(folder: Path, seed: int = 0) -> Path:
    """Write the ONNX form and the lists."""
    from urbexmp.adapters.exporting.ram_onnx import convert

    checkpoint = build_checkpoint(folder.with_name(folder.name + "-checkpoint"), seed)
    convert(checkpoint, folder, side=SIDE, tags=len(WORDS))
    return folder
