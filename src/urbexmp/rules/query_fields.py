"""The fields that an expression can name, as one table: parser, help and docs read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Field(NamedTuple):
    """One field of the language."""

    kind: str
    """`word`, `path`, `number`, `day`, `choice`, `has`, `keyword` or `text`."""
    says: str
    choices: tuple[str, ...] = ()


FIELDS: Mapping[str, Field] = {
    "under": Field("keyword", "the keyword and all below it, as without a field"),
    "is": Field("keyword", "the keyword itself, nothing below it"),
    "veto": Field("keyword", "the keyword, or one below it, was taken away or refused"),
    "taken": Field("day", "the day the picture was taken; `date` means the same"),
    "camera": Field("word", "the camera's model"),
    "make": Field("word", "its maker"),
    "lens": Field("word", "the lens"),
    "folder": Field("path", "a folder below the library's root, and all below it; case counts"),
    "name": Field("word", "the file's name, with or without its extension"),
    "kind": Field("choice", "what the file is", ("jpeg", "tiff", "dng", "raw", "heic", "other")),
    "view": Field("word", "interior, exterior, aerial, detail, ... as the stages found"),
    "viewscore": Field("number", "how sure that is, 0 to 100"),
    "quality": Field("number", "0 to 100"),
    "condition": Field("number", "0 ruined to 100 sound"),
    "era": Field("word", "when the place was built"),
    "score": Field("number", "the highest score among the photo's keywords, 0 to 100"),
    "source": Field(
        "choice", "some keyword came from a stage, a person, or both", ("ai", "person", "both")
    ),
    "stage": Field("word", "some keyword came from this stage"),
    "status": Field(
        "choice", "how far the photo is", ("pending", "processing", "completed", "failed")
    ),
    "city": Field("word", "the place's city"),
    "state": Field("word", "its state"),
    "country": Field("word", "its country"),
    "has": Field(
        "has",
        "there is any",
        ("keywords", "veto", "held", "gps", "taken", "description", "text"),
    ),
    "text": Field("text", "words in file name, keywords, description or text read"),
}
"""By name, in the order of the documentation."""

ALIASES: Mapping[str, str] = {"date": "taken", "keyword": "under"}

HAS_ALIASES: Mapping[str, str] = {"vetoes": "veto", "keyword": "keywords", "date": "taken"}
