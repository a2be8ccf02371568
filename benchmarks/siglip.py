"""Photos a second with a model of SigLIP-B/16's size and random weights (goal 11).

    python benchmarks/siglip.py [PHOTOS] [--keep FOLDER]

24-megapixel JPEGs to what the stage says of them: preview, picture tower, scores of the whole
vocabulary. The roofline is two cores divided by what decoding and computing take alone, one after
the other in one thread. The naive scripts decode all of a photo and ask the model in one loop: with
ONNX Runtime as it comes, and with transformers on torch. Each runs in a process of its own and
measures itself after one photo that is not counted. The clock counts only on a quiet machine, so
CPU seconds are told too. `--keep` keeps the model for the next time (1 GB).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from material import photo
from timing import REPOSITORY, Goal, goals, machine, run, scratch, table

THREADS = 2
SIDE = 768
FILES = {"int8": "vision_model_quantized.onnx", "fp32": "vision_model.onnx"}


def build(folder: Path) -> None:
    """The model: checkpoint, ONNX files, entry."""
    sys.path.insert(0, str(REPOSITORY / "tests"))
    from tiny.siglip import build as checkpoint
    from tiny.siglip import build_onnx

    build_onnx(folder / "making" / "base", checkpoint(folder / "checkpoint", base=True))
    (folder / "making").rename(folder / "models")


def stage(folder: Path, variant: str) -> Any:
    """The stage as a run has it, with the shipped vocabulary."""
    sys.path.insert(0, str(REPOSITORY / "tests"))
    from tiny.registry import entry_of
    from tiny.siglip import SETTINGS
    from urbexmp.adapters.stages.siglip import SiglipStage
    from urbexmp.adapters.toml import read_toml
    from urbexmp.adapters.weights import LocalWeights
    from urbexmp.rules.taxonomy import load_taxonomy

    models = folder / "models"
    entry = entry_of(models / "base", id="base", stage="siglip", role="view", settings=SETTINGS)
    weights = LocalWeights({"base": entry}, folder / "no-cache", models)
    read = read_toml(REPOSITORY / "taxonomy" / "urbex.toml")
    taxonomy = load_taxonomy(read.values, read.line_of, "urbex")
    return SiglipStage(taxonomy, weights, model="base", variant=variant)


def previews() -> Callable[[Path], Any]:
    """A photo's preview, as stages get it."""
    from urbexmp.adapters.inspect import FileInspector
    from urbexmp.model.photo import FileKind, FileStat, Photo

    inspector = FileInspector()

    def preview(path: Path) -> Any:
        return inspector.preview(Photo(path, FileKind("jpeg"), FileStat(0, 0, 0), (), ()), SIDE)

    return preview


def seen(preview: Any) -> Any:
    """What the stage is shown."""
    from urbexmp.model.observation import CaptureFacts, Context, StageInput, View

    return StageInput(View(CaptureFacts(), lambda: preview), Context())


def work(how: str, folder: Path, variant: str) -> tuple[Callable[[Path], object], int]:
    """What is done with each photo, and by how many threads."""
    if how == "decode":
        return previews(), 1
    if how == "compute":
        looker, ready = stage(folder, variant), previews()(next(folder.glob("*.jpg")))
        return lambda path: looker.look(seen(ready)), 1
    if how == "urbexmp":
        looker, preview = stage(folder, variant), previews()
        return lambda path: looker.look(seen(preview(path))), THREADS
    import numpy as np
    from PIL import Image

    if how == "naive, ONNX Runtime":
        import onnxruntime

        session = onnxruntime.InferenceSession(
            str(folder / "models" / "base" / "onnx" / FILES[variant])
        )

        def look(path: Path) -> object:
            small = Image.open(path).convert("RGB").resize((224, 224))
            pixels = (np.asarray(small, np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
            return session.run(None, {"pixel_values": np.ascontiguousarray(pixels)})

        return look, 1
    import torch
    from transformers import AutoImageProcessor, SiglipModel

    processor = AutoImageProcessor.from_pretrained(str(folder / "checkpoint"), backend="pil")
    model = SiglipModel.from_pretrained(str(folder / "checkpoint")).eval()

    def ask(path: Path) -> object:
        given = processor(images=Image.open(path).convert("RGB"), return_tensors="pt")
        with torch.no_grad():
            return model.get_image_features(**given)

    return ask, 1


def measure(how: str, folder: Path, variant: str) -> None:
    """Do it, and print CPU and wall seconds a photo."""
    photos = sorted(folder.glob("*.jpg"))
    each, threads = work(how, folder, variant)
    each(photos[0])
    cpu, wall = time.process_time(), time.perf_counter()
    if threads == 1:
        for path in photos:
            each(path)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(each, photos))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(json.dumps([cpu / len(photos), wall / len(photos)]))


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", nargs="?", type=int, default=24)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--do", nargs=3, metavar=("HOW", "FOLDER", "VARIANT"))
    given = parser.parse_args()
    if given.do:
        how, folder, variant = given.do
        if how == "build":
            build(Path(folder))
        else:
            measure(how, Path(folder), variant)
        return
    with scratch("siglip") as own:
        folder = given.keep or own
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(given.photos):
            if not (folder / f"{number:03}.jpg").exists():
                photo(folder / f"{number:03}.jpg", number)
        if not (folder / "models").exists():
            run([sys.executable, __file__, "--do", "build", folder, "-"])
        asked = [(how, variant) for variant in FILES for how in ("decode", "compute", "urbexmp")]
        asked += [("naive, ONNX Runtime", variant) for variant in FILES]
        asked += [("naive, transformers", "fp32")]
        found = {}
        for how, variant in asked:
            used = run([sys.executable, __file__, "--do", how, folder, variant])
            cpu, wall = json.loads(used.output.splitlines()[-1])
            found[how, variant] = (cpu, wall, used.peak_mb)
    print(f"{given.photos} JPEGs of 24 megapixels, SigLIP-B/16 at 224 pixels; {machine()}")
    table(
        "From photo to labels",
        ("", "variant", "CPU ms a photo", "photos/s by the clock", "peak MB"),
        [
            (how, variant, f"{1e3 * cpu:.0f}", f"{1 / wall:.2f}", f"{peak:.0f}")
            for (how, variant), (cpu, wall, peak) in found.items()
        ],
    )
    told = []
    for variant in FILES:
        alone = sum(found[how, variant][0] for how in ("decode", "compute"))
        cpu, wall, _ = found["urbexmp", variant]
        naive = found["naive, ONNX Runtime", variant]
        told += [
            Goal(f"11: photos/s of the roofline, {variant}", alone / THREADS / wall, 0.95),
            Goal(f"11: the same in CPU seconds, {variant}", alone / cpu, 0.95),
            Goal(f"11: against the naive script with ONNX Runtime, {variant}", naive[1] / wall, 2),
        ]
    theirs = found["naive, transformers", "fp32"][1]
    ours = found["urbexmp", "int8"][1]
    told.append(Goal("11: against the naive script with transformers", theirs / ours, 3.5))
    goals(told)


if __name__ == "__main__":
    main()
