"""Teaches Pillow to read HEIC, where the package for it is installed (pillow-heif)."""

from __future__ import annotations

import functools
import importlib


@functools.cache
def enable() -> bool:
    """Register the decoder; False when there is none."""
    try:
        importlib.import_module("pillow_heif").register_heif_opener()
    except Exception:  # the library is native: it may be there and not load
        return False
    return True
