"""`python -m slow_stage_process`: `urbexmp.stage_process` with siglip as slow as a large model,
so that photos queue up before it as they do there."""

from __future__ import annotations

import time
from typing import Any

from urbexmp.adapters.background.priority import resident_bytes
from urbexmp.adapters.stages.siglip import SiglipStage
from urbexmp.adapters.stages.worker_child import serve
from urbexmp.stage_process import build

SECONDS = 0.03


def main() -> None:
    quick = SiglipStage.look

    def look(self: SiglipStage, seen: Any) -> Any:
        time.sleep(SECONDS)
        return quick(self, seen)

    SiglipStage.look = look  # type: ignore[method-assign]
    serve(build, lambda: resident_bytes() or 0)


if __name__ == "__main__":
    main()
