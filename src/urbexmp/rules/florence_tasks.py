"""Which tasks Florence-2 is given for a photo, and what it is told. Pure.

Florence-2 was trained on a fixed set of task sentences. It takes any text without complaint, but
a place's name or type in it changes nothing that can be relied on, so no task here claims that
the model "knew" the place. What is known decides three things only: which tasks are worth their
seconds (by the view), which terms are looked for (those already supported), and the frame of the
one sentence that the model really takes from us, the caption of phrase grounding.

Grounding always gives a box: it assumes that the phrase is in the picture. It locates, and is
never evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from urbexmp.model.observation import Context, Observation, ObservationKind, StageLook
from urbexmp.rules.captions import spoken
from urbexmp.rules.normalise import Evidence, normalise, stage_name
from urbexmp.rules.spelling import word_key
from urbexmp.rules.terms import Taxonomy


class Answer(Enum):
    """The forms in which tasks are answered."""

    CAPTION = "caption"
    """Sentences."""
    REGIONS = "regions"
    """Labels, each with boxes of four numbers."""
    LETTERING = "lettering"
    """Lines of text, each with a quadrangle of eight numbers."""
    PLAIN_TEXT = "plain text"
    """Text read, its lines run together, without a place."""


@dataclass(frozen=True, slots=True)
class Task:
    """One of the model's tasks."""

    name: str
    """The model's own name for it, as settings write it: `detailed_caption`."""
    prompt: str
    """The sentence that it was trained with."""
    answer: Answer


TASKS = MappingProxyType(
    {
        task.name: task
        for task in (
            Task("caption", "What does the image describe?", Answer.CAPTION),
            Task(
                "detailed_caption",
                "Describe in detail what is shown in the image.",
                Answer.CAPTION,
            ),
            Task(
                "more_detailed_caption",
                "Describe with a paragraph what is shown in the image.",
                Answer.CAPTION,
            ),
            Task("od", "Locate the objects with category name in the image.", Answer.REGIONS),
            Task(
                "dense_region_caption",
                "Locate the objects in the image, with their descriptions.",
                Answer.REGIONS,
            ),
            Task("ocr", "What is the text in the image?", Answer.PLAIN_TEXT),
            Task(
                "ocr_with_region",
                "What is the text in the image, with regions?",
                Answer.LETTERING,
            ),
        )
    }
)
"""Tasks by name; the sentences are the model's interface (Xiao et al., Florence-2, CVPR 2024)."""

GROUND = "ground"
"""In the setting: locate supported terms, by phrase grounding, after the other tasks."""

GROUND_PROMPT = "Locate the phrases in the caption: {caption}"

AUTO = "auto"

_BY_VIEW = MappingProxyType(
    {
        "aerial": ("detailed_caption",),
        "detail": ("detailed_caption", "ocr_with_region"),
        "interior": ("detailed_caption", "od"),
        "exterior": ("detailed_caption", "od"),
        "": ("detailed_caption", "od"),
    }
)
"""From the air nothing is legible and detections are roofs and trees. A detail is one thing, which
the caption names, and often a label or a plate."""

_READERS = frozenset({"ocr"})
"""Stages that read lettering better, and have run where their look is there."""

_SEERS = frozenset({"siglip", "ram", "remote"})
"""Stages whose terms may be located; place names and EXIF are not in the picture."""

SUPPORTED = 0.5
"""Least score of another stage's term that is located."""

MOST_PHRASES = 8
"""A longer caption makes the model skip phrases, and its answer long."""

UNKNOWN_PLACE = "abandoned building"


def parse_tasks(setting: str) -> tuple[str, ...]:
    """Names in the setting `tasks`: `auto`, `auto, ground`, or names separated by commas.

    Raises `ValueError` with what is wrong.
    """
    names = tuple(part.strip().lower() for part in setting.split(",") if part.strip())
    known = (AUTO, GROUND, *TASKS)
    wrong = [name for name in names if name not in known]
    if wrong:
        raise ValueError(f"unknown task {wrong[0]!r}; known are {', '.join(known)}")
    if not set(names) - {GROUND}:
        raise ValueError("names no task that looks")
    return tuple(dict.fromkeys(names))


def choose(
    wanted: Sequence[str], earlier: Sequence[StageLook], taxonomy: Taxonomy
) -> tuple[Task, ...]:
    """The tasks for a photo, by what the stages before have decided on its view.

    Lettering is left to a reader that has already looked.
    """
    names: list[str] = []
    for name in wanted:
        if name == AUTO:
            view = normalise(earlier, taxonomy).view or ""
            names.extend(_BY_VIEW.get(view, _BY_VIEW[""]))
        elif name != GROUND:
            names.append(name)
    read = any(stage_name(look.stage) in _READERS for look in earlier)
    chosen = [TASKS[name] for name in dict.fromkeys(names)]
    if read and AUTO in wanted:
        chosen = [task for task in chosen if task.answer is not Answer.LETTERING]
    return tuple(chosen)


def phrases_to_locate(
    said: Iterable[Observation], earlier: Sequence[StageLook], taxonomy: Taxonomy
) -> tuple[str, ...]:
    """Words for terms that are supported and have no place in the picture yet, the surest first.

    Supported means: named by the model's own caption (`said`), or by a stage that looks at
    pictures with at least `SUPPORTED`. Sorts of places and views are not things in a picture.
    """
    own = StageLook("florence", tuple(said))
    placed = {
        meaning.keyword
        for one in spoken(own.observations, taxonomy)
        if one.region is not None and one.kind is ObservationKind.LABEL
        for meaning in taxonomy.lookup(one.label)
    }
    seers = [look for look in earlier if stage_name(look.stage) in _SEERS]
    found: dict[str, float] = {}
    for one in normalise((*seers, own), taxonomy).evidence:
        sure = 1.0 if one.score is None else one.score
        ours = one.stage == own.stage
        if one.keyword in placed or not _is_thing(one, taxonomy):
            continue
        if ours or (one.score is not None and one.score >= SUPPORTED):
            phrase = one.label if ours else one.keyword.path[-1].lower()
            found[phrase] = max(found.get(phrase, 0.0), sure)
    ordered = sorted(found, key=lambda phrase: (-found[phrase], phrase))
    unlike = {word_key(phrase): phrase for phrase in reversed(ordered)}
    return tuple(phrase for phrase in ordered if phrase in unlike.values())[:MOST_PHRASES]


def caption_to_ground(phrases: Sequence[str], context: Context, taxonomy: Taxonomy) -> str:
    """The caption whose phrases the model is to locate: `a door, graffiti in an abandoned X`.

    X is the place's type in the taxonomy's words where it is known, else a generic building. It
    is no phrase to locate, only what makes the list a caption.
    """
    place = taxonomy.place(context.place_type) if context.place_type else None
    where = UNKNOWN_PLACE if place is None else f"abandoned {place.path[-1].lower()}"
    return f"{', '.join(phrases)} in an {where}"


def _is_thing(one: Evidence, taxonomy: Taxonomy) -> bool:
    term = taxonomy.terms.get(one.keyword)
    return term is not None and term.place is None and one.keyword not in taxonomy.groups
