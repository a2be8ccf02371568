"""`urbexmp serve`: the stages over HTTP, for another machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from urbexmp.cli.options import Choices, load, shared
from urbexmp.rules.serving import Limits

_DEFAULT = Limits()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Holds the token that clients must send. Default: URBEXMP_SERVE_TOKEN, or none.",
)
@click.option(
    "--at-once",
    type=click.IntRange(1, 256),
    default=_DEFAULT.at_once,
    show_default=True,
    help="Pictures that are looked at side by side.",
)
@click.option(
    "--requests",
    type=click.IntRange(1, 10_000),
    default=_DEFAULT.in_flight,
    show_default=True,
    help="Requests at a time; the next is told to come back.",
)
@click.option(
    "--rate",
    type=click.IntRange(0),
    default=_DEFAULT.per_minute,
    show_default=True,
    help="Pictures a minute; 0 is no limit.",
)
@click.option(
    "--pictures",
    type=click.IntRange(1, 1000),
    default=_DEFAULT.pictures,
    show_default=True,
    help="Pictures in one request.",
)
@click.option(
    "--megabytes",
    type=click.IntRange(1, 1024),
    default=_DEFAULT.body >> 20,
    show_default=True,
    help="Size of a request.",
)
@click.option(
    "--megapixels",
    type=click.FloatRange(0.01, 1000),
    default=_DEFAULT.pixels / 1e6,
    show_default=True,
    help="Size of a picture.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.01, 3600),
    default=_DEFAULT.seconds,
    show_default=True,
    help="Time for one look of one stage.",
)
@shared(settings=True)
def serve(
    choices: Choices,
    host: str,
    port: int,
    token_file: Path | None,
    at_once: int,
    requests: int,
    rate: int,
    pictures: int,
    megabytes: int,
    megapixels: float,
    seconds: float,
) -> int:
    """Offer stages over HTTP, for urbexmp on another machine.

    The stages are those of the profile, or of --stages. Without a token only this machine can
    ask. Pictures are never written to disk. Ctrl-C ends the server. The page `serve` of the
    documentation tells how another urbexmp makes use of it.
    """
    from urbexmp.app_serve import open_served_stages, open_server, read_token
    from urbexmp.cli.stopping import stoppable
    from urbexmp.wiring_stages import stop_on

    limits = Limits(
        body=megabytes << 20,
        pixels=int(megapixels * 1e6),
        pictures=pictures,
        in_flight=requests,
        at_once=at_once,
        per_minute=rate,
        seconds=seconds,
    )
    stages = open_served_stages(load(choices).profile, choices.state)

    def note(line: str, *, bad: bool) -> None:
        if bad:
            print(line, file=sys.stderr, flush=True)
        elif choices.verbose:
            _say(line)

    token = read_token(token_file, os.environ)
    server, address = open_server(stages, host, port, limits, token, note)
    obstacles = [
        obstacle
        for stage in stages
        if (obstacle := getattr(stage, "ready", _nothing)()) is not None
    ]
    for obstacle in obstacles:
        print(obstacle, file=sys.stderr)
    if len(obstacles) == len(stages):
        return int(obstacles[0].code)
    with stoppable() as stopping:
        stop_on(stages, stopping)
        server.start()
        if not choices.quiet:
            ids = ", ".join(stage.id for stage in stages)
            guard = "with a token" if token else "for this machine only"
            _say(f"Listening on {address}, {guard}: {ids}")
        try:
            while server.runs(0.1) and not stopping():
                pass
        finally:
            server.stop()
    return stopping.exit_code(130) if stopping() else 70


def _say(line: str) -> None:
    print(line, flush=True)


def _nothing() -> None:
    return None
