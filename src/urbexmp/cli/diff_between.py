"""`urbexmp diff --between`: what two versions of a stage said of the same photos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from urbexmp.cli.options import Choices
from urbexmp.model.errors import UsageProblem


def show_between(
    choices: Choices, root: Path, below: list[Path], stages: tuple[str, str], *, json: bool
) -> int:
    """Compare kept looks. Leaves with exit code 0 whether they differ or not."""
    from urbexmp.cli.console import console_for
    from urbexmp.cli.ledger import reading
    from urbexmp.rules.looks_apart import apart
    from urbexmp.rules.render import relative
    from urbexmp.rules.render_json import line
    from urbexmp.rules.render_stage import apart_data, apart_lines, apart_summary

    console = console_for(choices)
    gained: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    photos = differing = 0
    with reading(root, choices.state) as ledger:
        known = ledger.stage_ids()
        first, second = (_known(stage, known) for stage in stages)
        # One side is held, and the other one passes by.
        before = dict(ledger.looks_by(first))
        for path, after in ledger.looks_by(second):
            if path not in before or not any(path.is_relative_to(each) for each in below):
                continue
            photos += 1
            found = apart(before[path], after)
            if not found:
                continue
            differing += 1
            gained.update(label for label, _ in found.gained)
            lost.update(label for label, _ in found.lost)
            shown = Path(relative(path, root))
            if json:
                print(line(apart_data(shown, found)))
            elif not choices.quiet:
                console.lines(apart_lines(shown, found))
    if json:
        data = {"event": "end", "before": first, "after": second, "photos": photos}
        counts = {"gained": dict(sorted(gained.items())), "lost": dict(sorted(lost.items()))}
        print(line({**data, "differing": differing, **counts}))
    else:
        console.lines(apart_summary(photos, differing, gained, lost))
    return 0


def _known(named: str, known: Mapping[str, int]) -> str:
    """The id of a stage that was given by its id, or by the beginning of one."""
    fitting = [stage for stage in known if stage.startswith(named)]
    if named in known:
        return named
    if len(fitting) == 1:
        return fitting[0]
    listed = ", ".join(
        f"{stage} ({number:,} photos)"
        for stage, number in known.items()
        if stage.partition("@")[0] == named.partition("@")[0]
    )
    what = "stands for several" if fitting else "never looked here"
    advice = f"Kept are {listed}" if listed else "`urbexmp stage list` shows ids"
    raise UsageProblem(f"--between {named}", what, advice)
