"""RAM++ (Swin-L) at its true size with random weights: seconds a picture and peak memory.

    python benchmarks/ram.py [PICTURES] [--device cpu|cuda] [--torch-only]

ONNX in full precision and in 8 bits, and torch, each in a process of its own with one thread, from
a prepared picture to its scores. CPU seconds count, on a graphics card those on the wall. Needs
12 GB of memory and 7 GB of disk. Nothing can be said about how well it tags: weights are random.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path

from timing import machine, run, scratch, table

SIDE, TAGS = 384, 4585


def write_checkpoint(path: Path) -> None:
    """A checkpoint of the authors' form."""
    import torch

    from urbexmp.adapters.stages.ram_network import RamPlus, Sizes

    sizes = Sizes(
        *(SIDE, 192, (2, 2, 18, 2), (6, 12, 24, 48), 12),
        *(512, 768, 3072, 2, TAGS, 51),
    )
    torch.manual_seed(0)
    with torch.device("meta"):
        model = RamPlus(sizes)
    # Scores must differ between pictures and tags, or being near to torch would say nothing.
    state = {}
    for name, value in model.state_dict().items():
        noise = torch.randn(value.shape)
        if name == "reweight_scale":
            state[name] = torch.tensor(2.66)
        elif value.ndim == 1:
            norm = "norm" in name.lower() and name.endswith("weight")
            state[name] = noise * 0.1 + (1.0 if norm else 0.0)
        elif name == "label_embed":
            tags = torch.randn(TAGS, 1, 512)
            state[name] = (tags + 0.4 * noise.reshape(TAGS, 51, 512)).flatten(0, 1)
        else:
            state[name] = noise * 1.2 / value[0].numel() ** 0.5
    torch.save({"model": state}, path)


def convert(folder: Path) -> None:
    """Make both ONNX files and print how near they come to torch."""
    from urbexmp.adapters.exporting import ram_onnx

    made = ram_onnx.convert(
        folder, folder / "onnx", ("fp32", "int8"), lambda text: print(text, file=sys.stderr)
    )
    print(json.dumps([(one.file, one.largest, one.flipped) for one in made.parity]))


def measure(form: str, folder: Path, count: int, device: str) -> None:
    """Load one form, tag pictures of noise, and print what it took."""
    import numpy as np

    from urbexmp.adapters.stages.ram_onnx import RamOnnx, prepared
    from urbexmp.model.observation import Preview

    noise = np.random.default_rng(0).integers(0, 256, (512, 768, 3), dtype=np.uint8)
    picture = prepared(Preview(768, 512, noise.tobytes(), "image"), SIDE)
    began = time.process_time(), time.perf_counter()
    batches = (1,)
    if form == "torch":
        from urbexmp.adapters.stages.ram_torch import RamTorch

        tagger = RamTorch(folder / "ram.pth", SIDE, TAGS, device=device)
        batches = (1, 4, 16) if device != "cpu" else (1,)
    else:
        tagger = RamOnnx(folder / "onnx" / form, SIDE)
    loaded = time.process_time() - began[0], time.perf_counter() - began[1]
    tagger.scores([picture])
    for batch in batches:
        tagger.scores([picture] * batch)
        began = time.process_time(), time.perf_counter()
        for _ in range(count):
            tagger.scores([picture] * batch)
        cpu, wall = time.process_time() - began[0], time.perf_counter() - began[1]
        each = count * batch
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps([batch, loaded[0], cpu / each, wall / each, peak]))


def main() -> None:
    """Build, measure each form, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", nargs="?", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--torch-only", action="store_true")
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.part:
        what, folder = asked.part[0], Path(asked.part[1])
        if what == "write":
            write_checkpoint(folder / "ram.pth")
        elif what == "convert":
            convert(folder)
        else:
            measure(what, folder, asked.pictures, asked.device)
        return
    print(machine())
    here = [sys.executable, Path(__file__), str(asked.pictures), "--device", asked.device, "--part"]
    forms = ["torch"] if asked.torch_only else ["ram_plus.onnx", "ram_plus_int8.onnx", "torch"]
    rows = []
    with scratch("ram") as folder:
        run([*here, "write", folder])
        if not asked.torch_only:
            made = run([*here, "convert", folder])
            found = json.loads(made.output.splitlines()[-1])
            print(f"\nconverted in {made.cpu:.0f} CPU-s, at most {made.peak_mb:,.0f} MB")
            table(
                "Beside torch, on noise",
                ("file", "largest difference of a score", "tags that change sides"),
                [(name, f"{worst:.2g}", f"{share:.2%}") for name, worst, share in found],
            )
        for form in forms:
            for line in run([*here, form, folder]).output.splitlines():
                batch, load, cpu, wall, peak = json.loads(line)
                rows.append(
                    (form, str(batch), f"{load:.1f}", f"{cpu:.2f}", f"{wall:.3f}", f"{peak:,.0f}")
                )
    table(
        f"RAM++ Swin-L, {asked.device}",
        ("form", "batch", "load, CPU-s", "CPU-s a picture", "s a picture", "peak MB"),
        rows,
    )


if __name__ == "__main__":
    main()
