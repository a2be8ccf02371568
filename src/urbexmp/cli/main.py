"""The `urbexmp` command and its error boundary."""

from __future__ import annotations

import click

from urbexmp import __version__


@click.group()
@click.version_option(__version__, prog_name="urbexmp")
def main() -> None:
    """Hierarchical Lightroom keywords for photographs of abandoned places."""
