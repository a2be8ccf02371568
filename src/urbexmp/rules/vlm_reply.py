"""Hearing: from what a model sent back to what it said, or to why nothing can be made of it. Pure.

Everything below was seen in the wild: thoughts before the answer or in place of it, fences, prose
around the JSON, replies cut at the limit, loops, numbers and whole sentences as keywords, an empty
reply. Nothing is completed: a cut reply is asked for again, with more room.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from urbexmp.model.asking import Answer
from urbexmp.rules.json_mend import find_objects
from urbexmp.rules.vlm_schema import ANSWERS

LONGEST_LABEL = 40
MOST_WORDS = 4
"""Words of a label; more are a sentence."""
MOST_LABELS = 60
MOST_REPEATS = 3
"""Times that a sentence may stand in one reply before it counts as a loop."""

_THOUGHT = re.compile(r"<(think|thinking|reasoning)>.*?</\1>", re.DOTALL | re.IGNORECASE)
_OPEN_THOUGHT = re.compile(r"<(think|thinking|reasoning)>", re.IGNORECASE)
_CLOSED_THOUGHT = re.compile(r"^.*</(?:think|thinking|reasoning)>", re.DOTALL | re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:[-*\u2022]|\d{1,2}[.)])\s+(.*)$")
_LISTED = re.compile(r"^\W*(?:keywords?|labels?|tags?)\W*:\s*(.+)$", re.IGNORECASE | re.MULTILINE)
_REFUSAL = re.compile(
    r"\b(?:i(?:'|\u2019)?m sorry|i am sorry|i cannot|i can(?:'|\u2019)t"
    r"|unable to (?:see|view|assist)|as an ai|no image (?:was|has been))\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?\n]+[.!?\n]*")
_LIST_MARK = re.compile(r"^\s*(?:[-*\u2022#]+|\d{1,3}[.)])\s*")
_NAMES = {
    **{name: name for name in ANSWERS},
    "caption": "description",
    "summary": "description",
    "alt": "alt_text",
    "keywords": "labels",
    "tags": "labels",
    "objects": "labels",
    "visible_text": "text",
    "architectural_style": "style",
    "signs_of_decay": "decay",
    "era_hints": "era",
    "abandonment_estimate": "abandoned_since",
    "spatial_notes": "spatial",
}
_UNKNOWN = frozenset(
    {"unknown", "none", "null", "n/a", "na", "unclear", "undetermined", "not visible"}
    | {"not applicable", "no text", "no visible text", "cannot be determined"}
)


@dataclass(frozen=True, slots=True)
class Label:
    """One word of the model's, and its own confidence 0..1 where it gave one."""

    word: str
    confidence: float | None = None
    listed: bool = True
    """It stands under `labels`; else it is one of the further words."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said of a picture. None and empty: it said nothing of that."""

    description: str | None = None
    alt_text: str | None = None
    style: str | None = None
    condition: float | None = None
    """0 ruined .. 100 sound."""
    severity: str | None = None
    decay: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    equipment: tuple[str, ...] = ()
    era: str | None = None
    abandoned_since: str | None = None
    spatial: str | None = None
    labels: tuple[Label, ...] = ()
    dropped: tuple[str, ...] = ()
    """Labels that are none: numbers, sentences, other scripts."""


@dataclass(frozen=True, slots=True)
class Unheard:
    """Why nothing can be made of a reply."""

    reason: str
    """`empty`, `cut off`, `thoughts only`, `refused`, `prose`, `a loop`, `nothing said`."""
    more_room: bool = False
    """It broke off at its limit: with a larger one it may be whole."""


def hear(answer: Answer) -> Reply | Unheard:
    """What a reply says."""
    cut_by_server = answer.finish in ("length", "max_tokens")
    text, thinking = _without_thoughts(answer.text or "")
    if not text.strip() and answer.reasoning:
        # Some servers put the answer among the thoughts when the text is constrained.
        text, _ = _without_thoughts(answer.reasoning)
        if not find_objects(text)[0]:
            return Unheard("thoughts only", more_room=cut_by_server)
    if not text.strip():
        if thinking:
            return Unheard("thoughts only", more_room=True)
        return Unheard("empty", more_room=cut_by_server)
    objects, cut = find_objects(text)
    if objects:
        said = max(objects, key=lambda one: len(_fields(one)))
        if _fields(said):
            return _reply(_fields(said))
    if _loops(text):
        return Unheard("a loop")
    if cut or (cut_by_server and "{" in text):
        return Unheard("cut off", more_room=True)
    if _REFUSAL.search(text) and not objects:
        return Unheard("refused")
    labels = _listed(text)
    if labels:
        return _reply({"labels": labels})
    if objects:
        return Unheard("nothing said")
    return Unheard("cut off" if cut_by_server else "prose", more_room=cut_by_server)


def _without_thoughts(text: str) -> tuple[str, bool]:
    """The text behind the thoughts, and whether there were any."""
    bare = _THOUGHT.sub("", text)
    opened = _OPEN_THOUGHT.search(bare)
    if opened:
        return bare[: opened.start()], True  # never closed: all of it is thought
    # Templates that open the thought themselves show only its end.
    closed = _CLOSED_THOUGHT.sub("", bare)
    return closed, bare != text or closed != bare


def _fields(said: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in said.items():
        name = _NAMES.get(re.sub(r"[\s-]+", "_", str(key).strip().lower()))
        if name is not None and value not in (None, "", [], {}):
            found.setdefault(name, value)
    if len(said) == 1 and not found:
        # {"answer": {...}}: some models wrap it.
        inner = next(iter(said.values()))
        if isinstance(inner, Mapping):
            return _fields(inner)
    return found


def _reply(said: Mapping[str, Any]) -> Reply | Unheard:
    description = _text(said.get("description"))
    if description is not None and _loops(description):
        return Unheard("a loop")
    condition = said.get("condition")
    severity = None
    if isinstance(condition, Mapping):
        severity = _text(condition.get("severity"))
        condition = condition.get("value")
    labels, dropped = _labels(said.get("labels"), said.get("free"))
    reply = Reply(
        description=description,
        alt_text=_text(said.get("alt_text")),
        style=_text(said.get("style")),
        condition=_percent(condition),
        severity=severity,
        decay=_words(said.get("decay")),
        texts=_texts(said.get("text")),
        equipment=_words(said.get("equipment")),
        era=_text(said.get("era")),
        abandoned_since=_text(said.get("abandoned_since")),
        spatial=_text(said.get("spatial")),
        labels=labels,
        dropped=dropped,
    )
    empty = Reply(dropped=reply.dropped)
    return Unheard("nothing said") if reply == empty else reply


def _text(value: object) -> str | None:
    if isinstance(value, Mapping):
        value = "; ".join(str(one) for one in value.values() if isinstance(one, str) and one)
    if isinstance(value, list):
        value = "; ".join(str(one) for one in value if isinstance(one, str) and one)
    if not isinstance(value, str):
        return None
    text = " ".join(value.split()).strip("\"' ")
    return None if not text or text.lower().strip(".") in _UNKNOWN else text


def _percent(value: object) -> float | None:
    if isinstance(value, str):
        match = re.match(r"\s*(\d+(?:\.\d+)?)\s*(?:%|/\s*100)?\s*$", value)
        value = float(match[1]) if match else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value) if 0 <= value <= 100 else None


def _texts(value: object) -> tuple[str, ...]:
    found = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(dict.fromkeys(text for one in found if (text := _text(one)) is not None))


def _words(value: object) -> tuple[str, ...]:
    texts = _texts(value)
    if isinstance(value, str):
        texts = tuple(part.strip() for part in re.split(r"[,;\n]", value) if part.strip())
    return tuple(dict.fromkeys(word for text in texts if (word := label_of(text)) is not None))


def _labels(listed: object, free: object) -> tuple[tuple[Label, ...], tuple[str, ...]]:
    given: list[tuple[str, object, bool]] = []
    for found, is_listed in ((listed, True), (free, False)):
        if isinstance(found, str):
            found = re.split(r"[,;\n]", found)
        if isinstance(found, Mapping):
            found = [{"term": key, "confidence": value} for key, value in found.items()]
        for one in found if isinstance(found, list) else ():
            given += _one_label(one, is_listed)
    scale = _scale([number for _, value, _ in given if (number := _number(value)) is not None])
    labels: dict[str, Label] = {}
    dropped: list[str] = []
    for raw, value, is_listed in given:
        word = label_of(raw)
        if word is None:
            dropped.append(raw.strip()[:200])
            continue
        number = _number(value)
        confidence = None if number is None else min(1.0, max(0.0, number / scale))
        if word.lower() not in labels and len(labels) < MOST_LABELS:
            labels[word.lower()] = Label(word, confidence, is_listed)
    return tuple(labels.values()), tuple(dict.fromkeys(one for one in dropped if one))


def _one_label(one: object, listed: bool) -> list[tuple[str, object, bool]]:
    if isinstance(one, str):
        return [(one, None, listed)]
    if isinstance(one, int | float):
        return [(str(one), None, listed)]
    if isinstance(one, Mapping):
        word = next(
            (one[key] for key in ("term", "label", "keyword", "name", "tag") if key in one), None
        )
        score = next(
            (one[key] for key in ("confidence", "score", "probability") if key in one), None
        )
        return [(word, score, listed)] if isinstance(word, str) else []
    return []


def _number(value: object) -> float | None:
    if isinstance(value, str):
        match = re.match(r"\s*(\d+(?:\.\d+)?)\s*%?\s*$", value)
        value = float(match[1]) if match else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _scale(numbers: Sequence[float]) -> float:
    """What to divide confidences by: models answer in shares, in tenths and in per cent.

    The median tells which; a single 7.5 among shares is a slip.
    """
    if not numbers:
        return 1.0
    middle = sorted(numbers)[len(numbers) // 2]
    return 1.0 if middle <= 1.0 else 10.0 if max(numbers) <= 10.0 else 100.0


def label_of(text: str) -> str | None:
    """A label, cleaned; None for what is none: a number, a sentence, another script."""
    word = _LIST_MARK.sub("", " ".join(text.split())).strip(" \t\"'`.,;:!?*_#()[]")
    if not word or len(word) > LONGEST_LABEL or len(word.split()) > MOST_WORDS:
        return None
    letters = [char for char in word if char.isalpha()]
    if len(letters) < 2 or word.lower() in _UNKNOWN:
        return None
    # The vocabularies are written in Latin letters; anything else was not asked for.
    return word if all(ord(char) < 0x250 for char in letters) else None


def _listed(text: str) -> list[str]:
    """Labels of a reply without JSON: a list with bullets, or one line of words with commas."""
    bullets = [match[1] for line in text.splitlines() if (match := _BULLET.match(line))]
    if len(bullets) >= 2 and all(label_of(one.split(":")[0]) for one in bullets):
        return [one.split(":")[0] for one in bullets]
    for candidate in (*_LISTED.findall(text), text):
        words = [part for part in re.split(r"[,;]", candidate) if part.strip()]
        if len(words) >= 3 and "\n" not in candidate.strip() and all(map(label_of, words)):
            return words
    return []


def _loops(text: str) -> bool:
    """Whether the same sentence, or the same few words, come again and again."""
    sentences = [one.strip().lower() for one in _SENTENCE.findall(text) if len(one.strip()) > 12]
    if any(sentences.count(one) > MOST_REPEATS for one in set(sentences)):
        return True
    words = text.lower().split()
    for size in (1, 2, 3, 4, 6, 8):
        tail = words[-size * 6 :]
        if len(tail) == size * 6 and all(tail[n] == tail[n % size] for n in range(len(tail))):
            return True
    return False
