"""What a stage's worker process and its parent say to each other, as frames on a pipe.

A frame is two lengths (4 and 8 bytes, big endian), a JSON object, and raw bytes: pictures, one
after the other. Nothing is pickled, so neither side can make the other run anything.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from urbexmp.model.errors import Problem
from urbexmp.model.observation import (
    CaptureFacts,
    Context,
    Observation,
    Preview,
    StageInput,
    StageLook,
    View,
)
from urbexmp.model.record import from_plain, to_plain
from urbexmp.model.stage_errors import StageFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

_LENGTHS = struct.Struct(">IQ")


def send(pipe: BinaryIO, said: Mapping[str, Any], blobs: Iterable[bytes] = ()) -> None:
    """Write one frame. Raises `OSError` when nobody reads."""
    blobs = tuple(blobs)
    text = json.dumps(said).encode()
    pipe.write(_LENGTHS.pack(len(text), sum(map(len, blobs))) + text)
    for blob in blobs:
        pipe.write(blob)
    pipe.flush()


def receive(pipe: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """Read one frame. Raises `EOFError` where the pipe ends, within a frame too."""
    text_length, blob_length = _LENGTHS.unpack(_exactly(pipe, _LENGTHS.size))
    said: dict[str, Any] = json.loads(_exactly(pipe, text_length))
    return said, _exactly(pipe, blob_length)


def _exactly(pipe: BinaryIO, length: int) -> bytes:
    data = pipe.read(length) if length else b""
    if len(data) < length:
        raise EOFError
    return data


# --- What a stage is shown ---------------------------------------------------------------------


def pack_inputs(
    seen: Sequence[StageInput], *, pictures: bool
) -> tuple[list[dict[str, Any]], list[bytes]]:
    """Inputs as plain data, and their pictures. Raises what decoding a picture raises."""
    plain: list[dict[str, Any]] = []
    blobs: list[bytes] = []
    for one in seen:
        said = {
            "facts": to_plain(one.view.facts, slim=True),
            "context": to_plain(one.context, slim=True),
            "earlier": to_plain(one.earlier, slim=True),
        }
        if pictures:
            preview = one.view.preview()
            said["picture"] = [preview.width, preview.height, preview.source]
            blobs.append(preview.rgb)
        plain.append(said)
    return plain, blobs


def unpack_inputs(plain: Sequence[Mapping[str, Any]], blob: bytes) -> Iterator[StageInput]:
    """The inputs that `pack_inputs` packed."""
    at = 0
    for said in plain:
        preview = None
        if "picture" in said:
            width, height, source = said["picture"]
            end = at + width * height * 3
            # A single picture is the whole of it: slicing all of it copies nothing.
            preview = Preview(width, height, blob[at:end], source)
            at = end
        yield StageInput(
            View(from_plain(CaptureFacts, said["facts"]), _Shown(preview)),
            from_plain(Context, said["context"]),
            from_plain(tuple[StageLook, ...], said["earlier"]),
        )


class _Shown:
    """Gives the picture that came along."""

    def __init__(self, preview: Preview | None) -> None:
        self._preview = preview

    def __call__(self) -> Preview:
        if self._preview is None:
            raise RuntimeError("the stage says that it needs no picture")
        return self._preview


def split(blob: bytes, lengths: Iterable[int]) -> Iterator[bytes]:
    """The raw parts of a frame, by their lengths."""
    at = 0
    for length in lengths:
        yield blob[at : at + length]
        at += length


# --- What it answers -------------------------------------------------------------------------


def pack_answer(answer: Sequence[Observation] | Exception) -> dict[str, Any]:
    """What a stage said of one photo, or what kept it from that."""
    if isinstance(answer, Problem):
        return {
            "problem": answer.slug,
            "subject": answer.subject,
            "fields": {name: _field(value) for name, value in answer.fields.items()},
            "told": str(answer),
        }
    if isinstance(answer, Exception):
        return {"failed": f"{type(answer).__name__}: {answer}".rstrip(": ")}
    return {"said": to_plain(tuple(answer), slim=True)}


def unpack_answer(plain: Mapping[str, Any], stage: str) -> tuple[Observation, ...] | Problem:
    """The answer that `pack_answer` packed; what is no `Problem` there is a `StageFailed` here."""
    if "said" in plain:
        return from_plain(tuple[Observation, ...], plain["said"])
    if "failed" in plain:
        return StageFailed(f"stage {stage}", stage=stage, detail=plain["failed"])
    kind = _kinds().get(plain["problem"])
    if kind is None or kind.__init__ is not Problem.__init__:
        return StageFailed(f"stage {stage}", stage=stage, detail=plain["told"])
    return kind(plain["subject"], **plain["fields"])


def _field(value: object) -> object:
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _kinds() -> dict[str, type[Problem]]:
    """Every sort of problem by its slug."""
    kinds: dict[str, type[Problem]] = {}
    left: list[type[Problem]] = [Problem]
    while left:
        kind = left.pop()
        kinds[kind.slug] = kind
        left += kind.__subclasses__()
    return kinds
