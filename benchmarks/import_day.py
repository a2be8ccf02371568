"""A day of imports, played against a real `urbexmp watch`, and checked at its end.

    python benchmarks/import_day.py [--cards 4] [--pairs 300] [--minutes 60] [--keep FOLDER]

Cards of RAW+JPEG pairs are copied file by file as tools do it (in parts, under another name that is
renamed, with the card's old times). exiftool plays Lightroom, which writes sidecars of its own all
the while: ratings, keywords of a person, keywords of ours taken away. In between the watch is
killed, stopped and woken, the disk is unmounted and mounted, a second watch is tried, and a person
runs `status` and `sync`. At the end nothing may be missed and nothing written twice. `--minutes` is
how long the cards take together; files are small and copied as slowly as large ones.

Needs exiftool. Mounts with `mount --bind` where that is allowed, else a rename plays the unmount.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import timing
from material import SHOT
from timing import needs, urbexmp
from volume import Volume
from watched import Watch, count, files, small_jpeg, small_raw, until

from lightroom import Edited, lightroom  # isort: skip  (material has made it findable)

OURS = b"http://ns.urbexmp.org/1.0/"
CARD_TIME = 1_790_000_000
QUIET = 20.0
"""Seconds without any change after which the day is over."""


@dataclass
class Day:
    """What happened, to be compared with what is found."""

    root: Path
    state: Path
    log: Path
    options: tuple[str, ...]
    started: float = field(default_factory=time.monotonic)
    pairs: dict[Path, str] = field(default_factory=dict)
    """RAW file to what Lightroom did to it."""
    digests: dict[Path, str] = field(default_factory=dict)
    removed: dict[Path, str] = field(default_factory=dict)
    """RAW file to the keyword that Lightroom took away."""
    away: threading.Lock = field(default_factory=threading.Lock)
    """Held while the disk is away, and by whoever uses the disk."""
    over: threading.Event = field(default_factory=threading.Event)
    failures: list[str] = field(default_factory=list)
    watches: list[Watch] = field(default_factory=list)
    """All that were started; the last one runs."""

    def say(self, text: str) -> None:
        """Tell what happens."""
        print(f"{time.monotonic() - self.started:7.1f}  {text}", flush=True)

    def check(self, holds: bool, text: str) -> None:
        """Keep what does not hold."""
        self.say(f"{'ok     ' if holds else 'FAILED '} {text}")
        if not holds:
            self.failures.append(text)


# --- The cards --------------------------------------------------------------------------------


def copy_card(day: Day, card: int, pairs: int, seconds: float) -> None:
    """Copy one card into a folder of its own, a pair after the other."""
    folder = day.root / "2026" / f"card-{card}" / "DCIM" / "100NZ6_2"
    ways = (in_parts, renamed, with_old_times)
    chance = random.Random(card)
    each = seconds / pairs
    for number in range(pairs):
        seed = card * 100_000 + number
        raw = folder / f"_DSC{card}{number:04}.NEF"
        begun = time.monotonic()
        for path, content, share in (
            (raw, small_raw(seed), 0.75),
            (raw.with_suffix(".JPG"), small_jpeg(seed), 0.25),
        ):
            day.digests[path] = hashlib.sha256(content).hexdigest()
            ways[(card + number // 50) % len(ways)](day, path, content, each * share * 0.8)
        kind = chance.choice(("nothing", "nothing", "before", "rating", "keyword", "veto"))
        if kind == "before":
            # Lightroom imports too, and writes a sidecar before anybody else has seen the photo.
            edited = Edited(("Archive|Before",), rating=number % 6, mask=False, crop=False)
            with day.away:
                raw.with_suffix(".xmp").write_bytes(lightroom(raw.name, SHOT, (6048, 4024), edited))
        day.pairs[raw] = kind
        time.sleep(max(0.0, begun + each - time.monotonic()))


def in_parts(day: Day, path: Path, content: bytes, seconds: float) -> None:
    """As `cp` does: straight under its name, piece by piece."""
    with day.away:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb", buffering=0) as file:
            for part in range(4):
                file.write(content[part * len(content) // 4 : (part + 1) * len(content) // 4])
                time.sleep(seconds / 4)


def renamed(day: Day, path: Path, content: bytes, seconds: float) -> None:
    """As rsync does: under a hidden name, then renamed."""
    with day.away:
        path.parent.mkdir(parents=True, exist_ok=True)
        hidden = path.with_name(f".{path.name}.Xa3f9Q")
        hidden.write_bytes(content[: len(content) // 2])
        time.sleep(seconds)
        hidden.write_bytes(content)
        hidden.rename(path)


def with_old_times(day: Day, path: Path, content: bytes, seconds: float) -> None:
    """As a file manager does: with the time that the file has on the card."""
    in_parts(day, path, content, seconds)
    with day.away:
        os.utime(path, (CARD_TIME, CARD_TIME))


# --- Lightroom --------------------------------------------------------------------------------


def play_lightroom(day: Day) -> None:
    """Write into sidecars that are there, each once, by exiftool."""
    done: set[Path] = set()
    while not day.over.is_set():
        time.sleep(0.2)
        for raw, kind in list(day.pairs.items()):
            sidecar = raw.with_suffix(".xmp")
            if raw in done or kind in ("nothing", "before"):
                done.add(raw)
                continue
            with day.away:
                if not sidecar.exists() or OURS not in sidecar.read_bytes():
                    continue
                edit(day, raw, kind, sidecar)
            done.add(raw)


def edit(day: Day, raw: Path, kind: str, sidecar: Path) -> None:
    """One edit of a person, saved by Lightroom's auto-write."""
    changes = {"rating": ["-XMP:Rating=5"], "keyword": keyword("Mine", "Mine|Kept")}.get(kind, [])
    if kind == "veto":
        found = told(sidecar, "-XMP-lr:HierarchicalSubject")
        if not found:
            day.pairs[raw] = "nothing"
            return
        path = sorted(found, key=lambda one: (one.count("|"), one))[-1]
        day.removed[raw] = path
        changes = [
            f"-XMP-lr:HierarchicalSubject-={path}",
            f"-XMP-dc:Subject-={path.rpartition('|')[2]}",
        ]
    command = ["exiftool", "-q", "-overwrite_original", *changes, str(sidecar)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        day.check(holds=False, text=f"exiftool on {sidecar.name}: {ran.stderr.strip()}")


def keyword(flat: str, path: str) -> list[str]:
    return [f"-XMP-dc:Subject+={flat}", f"-XMP-lr:HierarchicalSubject+={path}"]


def told(sidecar: Path, tag: str) -> list[str]:
    """The values of a list in a sidecar, by exiftool."""
    command = ["exiftool", "-s3", "-sep", "##", tag, str(sidecar)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return said.split("##") if said else []


# --- What goes wrong in a day -----------------------------------------------------------------


def start(day: Day) -> Watch:
    """Start a watch as a service would."""
    day.watches.append(Watch(day.root, day.state, day.log, *day.options))
    return day.watches[-1]


def command(day: Day, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run one of our commands as a person does from another terminal."""
    words = [os.fspath(word) for word in urbexmp(*arguments, "--state", day.state)]
    return subprocess.run(
        words, capture_output=True, text=True, env=timing.environment(), check=False
    )


def trouble(day: Day, watch: Watch, volume: Volume, pause: float) -> Watch:
    """Everything that a day may bring, a pause apart. Returns the watch that runs at its end."""
    time.sleep(pause)
    second = command(day, "watch", day.root)
    day.check(second.returncode != 0, f"a second watch is refused: {second.stderr.strip()[:120]}")
    day.check(str(watch.pid) in second.stderr, f"and told of the first one's pid, {watch.pid}")

    time.sleep(pause)
    watch.signal(signal.SIGKILL)
    watch.process.wait()
    day.say(f"kill -9 {watch.pid}")
    time.sleep(min(10.0, pause))
    watch = start(day)
    day.say(f"started again, {watch.pid}")

    time.sleep(pause)
    status = command(day, "status", day.root)
    day.check(status.returncode == 0, "status answers from another terminal")
    print("\n".join(f"           | {line}" for line in status.stdout.splitlines()[:25]))
    some = next(iter(day.pairs), None)
    if some is not None:
        asked = command(day, "sync", some)
        day.check(asked.returncode == 0, f"sync of one photo goes ahead: {asked.stderr.strip()}")

    time.sleep(pause)
    watch.signal(signal.SIGSTOP)
    day.say("stopped (SIGSTOP)")
    time.sleep(min(60.0, pause))
    watch.signal(signal.SIGCONT)
    day.say("goes on (SIGCONT)")

    time.sleep(pause)
    with day.away:
        volume.take()
        day.say(f"unmounted {day.root} ({'bind mount' if volume.mounts else 'rename'})")
        time.sleep(min(30.0, pause))
        day.check(not watch.ended(), "it waits for the disk")
        volume.give()
        day.say("mounted again")
    watch.signal(signal.SIGHUP)
    day.say("SIGHUP")
    return watch


# --- The end of the day -----------------------------------------------------------------------


def settled(day: Day, watch: Watch) -> None:
    """Wait until every pair has its sidecar and nothing changes any more."""
    until(
        lambda: watch.ended() or all(ours(raw) for raw in day.pairs),
        "a sidecar of ours for every photo",
        900,
        1.0,
    )
    seen, since = -1.0, time.monotonic()
    while time.monotonic() - since < QUIET:
        newest = max((path.stat().st_mtime for path in files(day.root, ".xmp")), default=0.0)
        if newest != seen:
            seen, since = newest, time.monotonic()
        time.sleep(1)


def ours(raw: Path) -> bool:
    """Whether a photo's sidecar has our block."""
    try:
        return OURS in raw.with_suffix(".xmp").read_bytes()
    except OSError:
        return False


def judge(day: Day) -> None:
    """Compare what is there with what happened."""
    from urbexmp.app import state_paths
    from urbexmp.cli.ledger import reading

    missed = [raw for raw in day.pairs if not ours(raw)]
    day.check(not missed, f"nothing missed: {len(day.pairs):,} pairs, {len(missed)} missed")
    for raw in missed[:10]:
        day.say(f"         {raw}")
    written: Counter[Path] = Counter()
    with reading(day.root, day.state) as ledger:
        for run in ledger.runs(1_000_000):
            written.update(receipt.change.photo.path for receipt in ledger.receipts(run.run))
    # None of what Lightroom did asks for a second write: a veto is learned and kept by the ledger.
    twice = {raw: written[raw] for raw in day.pairs if written[raw] != 1}
    day.check(not twice, f"nothing written twice: {sum(written.values()):,} receipts")
    for raw, times in list(twice.items())[:10]:
        day.say(f"         {raw.name}: {times} receipts, Lightroom did {day.pairs[raw]}")
    changed = [
        path
        for path, digest in day.digests.items()
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest
    ]
    day.check(not changed, f"no photo's own bytes changed: {len(day.digests):,} files")
    lost = [raw for raw, kind in day.pairs.items() if not kept(day, raw, kind)]
    day.check(not lost, f"Lightroom's edits are there: {Counter(day.pairs.values())}")
    for raw in lost[:10]:
        day.say(f"         {raw.name}: {day.pairs[raw]}")
    known = {*day.digests, *(raw.with_suffix(".xmp") for raw in day.pairs)}
    stray = [path for path in files(day.root, "") if path not in known]
    day.check(not stray, f"no file was left behind: {stray[:5]}")
    again = command(day, "sync", "--check", day.root)
    day.check(again.returncode == 0, "a run afterwards finds nothing to do")
    if again.returncode:
        print(again.stdout[-2000:])
    mirror = command(day, "mirror", "check", day.root)
    day.check(mirror.returncode == 0, f"the mirror is true: {mirror.stdout.strip()[-200:]}")
    log = state_paths(day.root, day.state).log
    lines = log.read_text().splitlines() if log.exists() else []
    day.check(bool(lines), f"the log was kept: {len(lines):,} lines in {log}")
    print("\n".join(f"           | {line}" for line in lines[:15]))


def kept(day: Day, raw: Path, kind: str) -> bool:
    """Whether an edit of Lightroom is in the sidecar at the end of the day."""
    sidecar = raw.with_suffix(".xmp")
    paths = told(sidecar, "-XMP-lr:HierarchicalSubject")
    match kind:
        case "rating":
            return told(sidecar, "-XMP-xmp:Rating") == ["5"]
        case "keyword":
            return "Mine|Kept" in paths
        case "before":
            return "Archive|Before" in paths
        case "veto" if raw in day.removed:
            return day.removed[raw] not in paths
    return True


def main() -> int:
    """Play the day. Exit code 1 when something does not hold."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cards", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=300)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--keep", type=Path, help="an empty folder for everything; stays there")
    parser.add_argument("option", nargs="*", help="given to the watch, after --")
    given = parser.parse_args()
    needs("exiftool")
    folder = given.keep or Path(tempfile.mkdtemp(prefix="urbexmp-day-"))
    folder.mkdir(parents=True, exist_ok=True)
    volume = Volume(folder / "photos", folder / "behind")
    day = Day(folder / "photos", folder / "state", folder / "watch.txt", tuple(given.option))
    seconds = given.minutes * 60 / given.cards
    try:
        play(day, volume, given.cards, given.pairs, seconds)
    finally:
        day.over.set()
        for watch in day.watches:
            watch.close()
        if volume.mounts:
            subprocess.run(["umount", str(volume.root)], capture_output=True, check=False)
        if given.keep is None and not day.failures:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{len(day.failures)} failures; everything is in {folder}" if day.failures else "\nok")
    return 1 if day.failures else 0


def play(day: Day, volume: Volume, cards: int, pairs: int, seconds: float) -> None:
    """From the first card to the last check."""
    watch = start(day)
    day.say(f"watch {watch.pid} over {day.root}; {cards} cards of {pairs} pairs")
    threads: list[tuple[str, Callable[[], None]]] = [("lightroom", lambda: play_lightroom(day))]

    def copy_all() -> None:
        for card in range(cards):
            day.say(f"card {card + 1}: copying {pairs} pairs")
            copy_card(day, card, pairs, seconds)
            day.say(f"card {card + 1}: copied; {count(day.root):,} sidecars")

    threads.append(("cards", copy_all))
    running = [threading.Thread(target=job, name=name, daemon=True) for name, job in threads]
    for thread in running:
        thread.start()
    watch = trouble(day, watch, volume, seconds * cards / 8)
    running[1].join()
    day.check(len(day.pairs) == cards * pairs, "every card was copied")
    settled(day, watch)
    day.over.set()
    running[0].join()
    settled(day, watch)
    day.check(not watch.ended(), "it still runs at the end of the day")
    if not watch.ended():
        took = watch.stop()
        day.check(took < 5, f"SIGTERM: ended after {took:.2f} s")
    day.say(f"exit code {watch.process.returncode}")
    judge(day)


if __name__ == "__main__":
    sys.exit(main())
