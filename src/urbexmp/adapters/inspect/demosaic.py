"""Develops raw files that have no preview, through LibRaw (rawpy), at half size."""

from __future__ import annotations

from pathlib import Path

from urbexmp.model.errors import Undecodable

ADVICE = "Lightroom may still show it; give it keywords there"


def develop(path: Path) -> tuple[int, int, bytes]:
    """Width, height and 8-bit RGB rows, upright. Raises `Undecodable` with LibRaw's reason."""
    try:
        import rawpy
    except ImportError:
        raise Undecodable(
            path,
            detail="it has no preview inside, and LibRaw is not installed",
            advice="Install the extra `raw` (the Python package rawpy), or export a JPEG beside it",
        ) from None
    try:
        with rawpy.imread(str(path)) as raw:
            pixels = raw.postprocess(half_size=True, use_camera_wb=True, output_bps=8)
    except rawpy.LibRawError as failure:
        raise Undecodable(
            path, detail=f"no preview inside, and LibRaw says: {_said(failure)}", advice=ADVICE
        ) from failure
    except (ValueError, MemoryError, OSError) as failure:
        raise Undecodable(
            path, detail=f"no preview inside, and LibRaw failed: {failure}", advice=ADVICE
        ) from failure
    height, width = pixels.shape[:2]
    return int(width), int(height), pixels.tobytes()


def _said(failure: Exception) -> str:
    first = failure.args[0] if failure.args else failure
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)
