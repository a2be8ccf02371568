"""Shows a run as an HTML page, written as the changes come."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from urbexmp.cli.console import Bar, Closing, Console, Ticker
from urbexmp.model.change import Change
from urbexmp.model.errors import Problem
from urbexmp.model.photo import Photo
from urbexmp.model.report import Report
from urbexmp.rules import render_html
from urbexmp.rules.render_summary import stage_sentences


class HtmlShow(Closing):
    """Writes the page to a file; trouble goes to the console."""

    def __init__(
        self,
        file: TextIO,
        root: Path,
        *,
        title: str,
        console: Console,
        progress: Bar | Ticker | None,
        thumbnail: render_html.Thumbnail,
    ) -> None:
        self.file = file
        self.root = root
        self.console = console
        self.progress = progress
        self.thumbnail = thumbnail
        self.photos = 0
        self.told: tuple[str, ...] = ()
        """What the page says of stages, at its end."""
        file.write(render_html.head(root, title))

    def begin(self, report: Report, total: int | None) -> None:
        """Start the clock of the progress."""
        if self.progress:
            self.progress.start(total)

    def photo(self, path: Path) -> None:
        """Count one photo."""
        if self.progress:
            self.progress.step(path.name)

    def note(self, sentence: str) -> None:
        """The page has no place for it."""

    def change(self, change: Change, *, applied: bool) -> None:
        """Write one photo of the page."""
        self.photos += 1
        picture = self.thumbnail(change.photo)
        self.file.write(
            render_html.article(change, self.root, self.photos, picture, applied=applied)
        )

    def problem(self, problem: Problem) -> None:
        """Say it on the console."""
        self.console.trouble(problem)

    def end(self, report: Report) -> None:
        """The page is ended by `finish`, which a saved plan or a past run needs too."""
        self.told = tuple(stage_sentences(report))
        self.close()

    def finish(self) -> None:
        """Write the page's end."""
        self.file.write(render_html.foot(self.photos, self.told))

    def close(self) -> None:
        """Take the bar away."""
        if self.progress:
            self.progress.stop()


def thumbnail(photo: Photo) -> str | None:
    """A small picture of a photo; None when there is none to be had."""
    from urbexmp.adapters.inspect import FileInspector
    from urbexmp.adapters.thumbnail import LONG_SIDE, data_uri

    try:
        return data_uri(FileInspector().preview(photo, LONG_SIDE))
    except Problem:
        return None
