"""Makes the bulk of the golden cases: `python tests/golden/make_cases.py`.

Writes before.xmp, edit.json and note.txt of every case below, and never an after.xmp: that is
made by hand, or by `--after`, which runs the editor for the cases that have none yet; look at
every one of them (`git diff --no-index before.xmp after.xmp`) before it is committed.
Cases that are not listed here are folders like the others, made by hand.
"""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from pathlib import Path

from case_kit import ADD, CASES, case
from whole_files import WHOLE

HERE = Path(__file__).parent

for module in ("cases_beside", "cases_lists", "cases_edits", "cases_layout"):
    importlib.import_module(module)
for name, (before, edit, note) in WHOLE.items():
    case(name, before, {**ADD, **edit}, note)


def main() -> None:
    """Write the cases."""
    for name, made in CASES.items():
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        before, edit, note = made["before"], made["edit"], made["note"]
        assert isinstance(before, bytes)
        (folder / "before.xmp").write_bytes(before)
        text = json.dumps(edit, indent=1, ensure_ascii=True) + "\n"
        (folder / "edit.json").write_text(text, encoding="utf-8")
        if note:
            (folder / "note.txt").write_text(f"{note}\n", encoding="utf-8")
    if "--after" in sys.argv:
        add_missing_afters(redo="--redo" in sys.argv)
    print(f"{len(CASES)} cases")


def add_missing_afters(*, redo: bool) -> None:
    """Run the editor where after.xmp is missing and no refusal is expected."""
    from urbexmp.adapters.xmp.codec import XmpCodec
    from urbexmp.model.change import PacketEdit
    from urbexmp.model.record import from_plain

    for folder in sorted(path for path in HERE.iterdir() if (path / "edit.json").exists()):
        plain = json.loads((folder / "edit.json").read_text("utf-8"))
        after = folder / "after.xmp"
        if plain.pop("refused", None):
            after.unlink(missing_ok=True)
            continue
        plain.pop("reads", None)
        if redo or not after.exists():
            before = (folder / "before.xmp").read_bytes()
            after.write_bytes(XmpCodec().edit(before, from_plain(PacketEdit, plain), folder))


if __name__ == "__main__":
    main()
    shutil.rmtree(HERE / "__pycache__", ignore_errors=True)
