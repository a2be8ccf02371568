"""What went wrong with a download, in one sentence that says what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from urbexmp.model.errors import Problem, WriteFailed
from urbexmp.model.stage_errors import NoRoom, NotOnHub, PullFailed, WrongWeights
from urbexmp.model.weights import ModelEntry

FULL = tuple(getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG") if hasattr(errno, name))
"""What the system says when there is no room."""

_AGAIN = "Run the command again: it goes on where it stopped"


def offline(entry: ModelEntry, server: str, variable: str) -> PullFailed:
    """The environment forbids to ask."""
    return PullFailed(
        entry.id,
        server=server,
        detail=f"{variable} is set",
        advice=f"Unset it, or bring the files with: urbexmp models import {entry.id}.tar",
    )


def wrong(entry: ModelEntry, name: str, detail: str, done: str = "It was deleted") -> WrongWeights:
    """What arrived, or would arrive, is not what the registry names."""
    return WrongWeights(
        entry.id, done=done, stage=entry.stage, file=name, model=entry.id, detail=detail
    )


def broken(failure: BaseException, errors: Any) -> bool:
    """Whether a connection broke, so that the same may be asked again."""
    return (
        isinstance(failure, errors.HTTPError) and getattr(failure, "response", None) is None
    ) or (isinstance(failure, OSError) and failure.errno is None)


def problem_of(
    entry: ModelEntry, server: str, cache: Path, failure: Exception, errors: Any
) -> Problem | None:
    """The problem that a failure of the hub's client means; None for a mistake of ours.

    `errors` is the client's module of errors.
    """
    for cause in _chain(failure):
        if isinstance(cause, OSError) and cause.errno in FULL:
            return NoRoom(cache, cause.strerror or str(cause), "What arrived is kept")
    if isinstance(failure, errors.GatedRepoError):
        return NotOnHub(
            entry.id,
            server=server,
            detail=f"gives {entry.repository} only to people who accepted its terms",
            advice=f"Accept them at {server}/{entry.repository}, and name your token in HF_TOKEN",
        )
    if isinstance(failure, errors.RepositoryNotFoundError):
        return NotOnHub(
            entry.id,
            server=server,
            detail=f"has no {entry.repository}, or shows it to others only",
            advice="Correct the repository in your models.toml, or name your token in HF_TOKEN",
        )
    if isinstance(failure, errors.RevisionNotFoundError):
        return NotOnHub(
            entry.id,
            server=server,
            detail=f"has no commit {entry.revision[:12]} of {entry.repository}",
            advice="Correct the revision in your models.toml",
        )
    if isinstance(failure, errors.EntryNotFoundError) and not isinstance(
        failure, errors.LocalEntryNotFoundError
    ):
        return NotOnHub(
            entry.id,
            server=server,
            detail=f"lacks a file of {entry.repository} at {entry.revision[:12]}: {_path(failure)}",
            advice="Correct the files in your models.toml",
        )
    response = getattr(failure, "response", None)
    if response is not None:
        return _answered(entry, server, response.status_code)
    if isinstance(failure, errors.HTTPError | errors.LocalEntryNotFoundError):
        return PullFailed(
            entry.id,
            server=server,
            detail=_plain(failure),
            advice=f"Check the network and the proxy. {_AGAIN}",
        )
    if isinstance(failure, errors.FileMetadataError):
        return PullFailed(
            entry.id,
            server=server,
            detail="it does not speak the hub's language",
            advice="Check HF_ENDPOINT and the proxy",
        )
    if isinstance(failure, OSError):
        if failure.errno is None:
            # The client's own word for a transfer that ended early.
            return PullFailed(
                entry.id, server=server, detail="the transfer ended early", advice=_AGAIN
            )
        return WriteFailed(cache, failure.strerror or str(failure))
    return None


def _answered(entry: ModelEntry, server: str, status: int) -> Problem:
    if status in (401, 403):
        return NotOnHub(
            entry.id,
            server=server,
            detail=f"does not give you {entry.repository} (HTTP {status})",
            advice="Name a valid token in HF_TOKEN, or take a wrong one away",
        )
    said = {429: "it gets too many requests"}.get(status, f"it answers with HTTP {status}")
    return PullFailed(entry.id, server=server, detail=said, advice=f"Wait a while. {_AGAIN}")


def _plain(failure: BaseException) -> str:
    """The innermost reason in few words: `Connection refused`, `the connection broke`."""
    *_, last = _chain(failure)
    for cause in (last, failure):
        name = type(cause).__name__
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        if "Timeout" in name:
            return "no answer in time"
        if "Protocol" in name or "Read" in name or "Write" in name:
            return "the connection broke"
        if "Proxy" in name:
            return "the proxy refused"
    text = str(failure).split("\n")[0].split(". ")[0].rstrip(".")
    return text[:120] or type(failure).__name__


def _path(failure: BaseException) -> str:
    request = getattr(getattr(failure, "response", None), "request", None)
    return str(getattr(request, "url", "")).rsplit("/resolve/", 1)[-1].partition("/")[2] or "a file"


def _chain(failure: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = failure
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__
