"""Replies of models: a line for each in a journal, and the raw text of those that were no use.

Below the state folder, in `replies/`. Neither grows without end, and neither holds a picture, a
key or a path. One that cannot be written is no trouble for the photo.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

JOURNAL = "replies.jsonl"
LARGEST = 8 * 2**20
"""Bytes of the journal; then it becomes `replies.old.jsonl`, and what that held is gone."""

MOST = 200
"""Raw replies that are kept, the newest."""


class ReplyFolder:
    """Where replies are kept. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "replies"
        self._alone = threading.Lock()

    def keep(self, text: str) -> Path | None:
        """Keep a raw reply; where it is. None where it could not be written."""
        name = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16] + ".txt"
        path = self._folder / name
        try:
            with self._alone:
                self._folder.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8", errors="replace")
                kept = sorted(self._folder.glob("*.txt"), key=lambda one: one.stat().st_mtime_ns)
                for old in kept[:-MOST]:
                    old.unlink(missing_ok=True)
        except OSError:
            return None
        return path

    def record(self, entry: Mapping[str, Any]) -> None:
        """Add a line to the journal."""
        path = self._folder / JOURNAL
        with suppress(OSError), self._alone:
            self._folder.mkdir(parents=True, exist_ok=True)
            if path.exists() and path.stat().st_size > LARGEST:
                path.replace(path.with_name("replies.old.jsonl"))
            with path.open("a", encoding="utf-8") as journal:
                journal.write(json.dumps(entry, ensure_ascii=False) + "\n")
