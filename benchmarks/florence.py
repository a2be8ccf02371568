"""Florence-2 at true size, random weights: seconds a photo and peak memory, both backends.

    python benchmarks/florence.py [base|large] [PHOTOS] [TOKENS]

Every contender is a process of its own. What is timed is the second photo and those after it:
one detailed caption and one object detection for each, of TOKENS tokens (random weights never
stop by themselves, so all write the same number). The first contender is what a user would write
in ten lines with the library's pipeline.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "src"), str(HERE.parent / "tests"), str(HERE)]

CONTENDERS = ("pipeline", "torch float32", "torch bfloat16", "onnx float32", "onnx int8")
PROMPTS = ("<DETAILED_CAPTION>", "<OD>")
SIDE = 768


def pictures(count: int) -> list[Any]:
    import numpy as np

    chance = np.random.default_rng(5)
    return [chance.integers(0, 256, (512, SIDE, 3), dtype=np.uint8) for _ in range(count)]


def make(size: str, folder: Path) -> None:
    """The checkpoint of a size, with tokenizer and processor, and its ONNX files."""
    import torch
    from transformers import AutoProcessor, Florence2ForConditionalGeneration, GenerationConfig

    from tiny.florence import build, true_size
    from urbexmp.adapters.exporting.florence_onnx import convert

    build(folder, side=SIDE)  # for its tokenizer and processor; the model is replaced
    processor = AutoProcessor.from_pretrained(folder)
    config: Any = true_size(size)
    config.image_token_id = processor.image_token_id
    torch.manual_seed(0)
    model = Florence2ForConditionalGeneration(config).eval()
    model.generation_config = GenerationConfig(
        bos_token_id=0, pad_token_id=1, eos_token_id=2, decoder_start_token_id=2
    )
    model.save_pretrained(folder)
    del model
    wall, cpu = time.perf_counter(), time.process_time()
    report = convert(folder, folder / "converted")
    told = {"parity": dict(report.parity), "same tokens": dict(report.same_tokens)}
    told |= {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    print(json.dumps(told))


def contender(name: str, folder: Path, count: int, tokens: int) -> None:
    """One process: prints seconds a photo and peak memory."""
    given = pictures(count + 1)
    look = _pipeline(folder, tokens) if name == "pipeline" else _ours(name, folder, tokens)
    look(given[0])
    wall, cpu = time.perf_counter(), time.process_time()
    for picture in given[1:]:
        look(picture)
    found = {
        "wall": (time.perf_counter() - wall) / count,
        "cpu": (time.process_time() - cpu) / count,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(found))


def _pipeline(folder: Path, tokens: int) -> Callable[[Any], object]:
    from PIL import Image
    from transformers import pipeline

    asks: Any = pipeline("image-text-to-text", model=str(folder), device="cpu")

    def look(picture: Any) -> object:
        image = Image.fromarray(picture)
        return [
            asks(
                images=image,
                text=prompt,
                generate_kwargs={
                    "min_new_tokens": tokens,
                    "max_new_tokens": tokens,
                    # Greedy, as ours: the published models' own settings ask for 3 beams.
                    "num_beams": 1,
                    "do_sample": False,
                },
            )
            for prompt in PROMPTS
        ]

    return look


def _ours(name: str, folder: Path, tokens: int) -> Callable[[Any], object]:
    from urbexmp.adapters.stages.siglip_pixels import prepare, read_recipe
    from urbexmp.model.observation import Preview
    from urbexmp.rules.florence_files import find_variant
    from urbexmp.rules.florence_tasks import TASKS

    backend, precision = name.split()
    model: Any
    if backend == "torch":
        from urbexmp.adapters.stages.florence_torch import TorchFlorence

        model = TorchFlorence(folder, device="cpu", dtype=precision)
        model._model.generation_config.min_new_tokens = tokens
    else:
        from urbexmp.adapters.stages.florence import _cores
        from urbexmp.adapters.stages.florence_onnx import OnnxFlorence

        folder = folder / "converted"
        names = [one.relative_to(folder).as_posix() for one in folder.rglob("*.onnx")]
        variant = find_variant(names, precision)
        if variant is None:
            raise SystemExit(f"no {precision} files")
        model = OnnxFlorence(folder, variant, threads=_cores())
        model._rules.next = lambda logits, written: (5, 0.0)  # never the end: full length
    described = {"torch": "processor_config.json", "onnx": "preprocessor_config.json"}[backend]
    recipe = read_recipe(folder / described)
    asked = [(0, TASKS[task].prompt) for task in ("detailed_caption", "od")]

    def look(picture: Any) -> object:
        preview = Preview(SIDE, 512, picture.tobytes(), "image")
        features = model.features(prepare([preview], recipe))
        return model.answer(features, asked, beams=1, max_tokens=tokens)

    return look


def main() -> None:
    size = sys.argv[1] if len(sys.argv) > 1 else "base"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    tokens = int(sys.argv[3]) if len(sys.argv) > 3 else 60
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / size
        run(["--make", size, str(folder)])
        print(f"{size}, two tasks of {tokens} tokens, a photo")
        for name in CONTENDERS:
            said = run(["--one", name, str(folder), str(count), str(tokens)])
            found = json.loads(said.splitlines()[-1])
            print(
                f"{name:16} {found['wall']:7.2f} s wall {found['cpu']:7.2f} s CPU"
                f" {found['peak_mb']:7.0f} MB, load {os.getloadavg()[0]:.1f}",
                flush=True,
            )


def run(arguments: list[str]) -> str:
    """This script again, in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    if arguments[0] == "--make":
        print(done.stdout.splitlines()[-1], flush=True)
    return done.stdout


if __name__ == "__main__":
    if sys.argv[1:2] == ["--make"]:
        make(sys.argv[2], Path(sys.argv[3]))
    elif sys.argv[1:2] == ["--one"]:
        contender(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
    else:
        main()
