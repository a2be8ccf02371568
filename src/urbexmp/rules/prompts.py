"""Prompts: templates in TOML, filled with what is known and nothing else. Pure.

A line of a template that names something unknown is left out whole: a model that reads
`The place is called None` makes something of it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from urbexmp.model.asking import Filled, Question
from urbexmp.model.errors import ConfigProblem
from urbexmp.rules.vlm_schema import ANSWERS

PLACEHOLDERS = (
    *("subject", "name", "type", "era", "city", "county", "state", "country", "where"),
    *("view", "seen", "read", "terms", "fields"),
)
"""What may stand in braces."""

NOTHING_KNOWN = "an abandoned building"
"""The subject where no sort of place is known."""

MOST_SEEN = 20
"""Labels of earlier stages that a prompt holds at most; more only distracts."""

_KEYS = ("about", "system", "user", "answers")
_BRACES = re.compile(r"\{([^{}]*)\}")
_QUOTED = re.compile(r'"(\w+)"')


@dataclass(frozen=True, slots=True)
class Prompt:
    """One template."""

    name: str
    system: str
    user: str
    answers: tuple[str, ...]
    """Fields that the answer is to hold, of `vlm_schema.ANSWERS`."""
    about: str = ""

    @property
    def id(self) -> str:
        """Name, `@`, eight hex digits of the template: another template is another question."""
        text = "\0".join((self.system, self.user, *self.answers))
        return f"{self.name}@{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def load_prompt(
    name: str, values: Mapping[str, Any], line_of: Callable[..., int], subject: object
) -> Prompt:
    """Check the values of one prompt file. Raises `ConfigProblem` with every mistake."""
    mistakes: list[tuple[int, str]] = []
    for key in values:
        if key not in _KEYS:
            mistakes.append((line_of(key), f"unknown key `{key}`; known are {', '.join(_KEYS)}"))
    texts: dict[str, str] = {}
    for key in ("about", "system", "user"):
        found = values.get(key, "")
        if not isinstance(found, str):
            mistakes.append((line_of(key), f"`{key}` must be a text"))
            found = ""
        texts[key] = found
        for placeholder in _BRACES.findall(found):
            if placeholder not in PLACEHOLDERS:
                known = ", ".join(PLACEHOLDERS)
                said = f"`{key}`: {{{placeholder}}} is not known; known are {known}"
                mistakes.append((line_of(key), said))
    if not texts["user"].strip():
        mistakes.append((line_of("user") if "user" in values else 1, "a prompt needs `user`"))
    answers = values.get("answers", [])
    if not isinstance(answers, list) or not answers or set(map(str, answers)) - set(ANSWERS):
        line = line_of("answers") if "answers" in values else 1
        mistakes.append((line, f"`answers` must be a list of some of {', '.join(ANSWERS)}"))
        answers = []
    if mistakes:
        raise ConfigProblem(subject, tuple(f"line {n}: {said}" for n, said in sorted(mistakes)))
    return Prompt(name, texts["system"], texts["user"], tuple(answers), texts["about"])


def fill(prompt: Prompt, question: Question, answers: Sequence[str] | None = None) -> Filled:
    """The prompt with what is known; lines about what is not known are left out.

    `answers` are those of the prompt's that this question is about, where others go to another
    model: lines that name only others ("labels", in quotes) are left out, too.
    """
    wanted = prompt.answers if answers is None else tuple(answers)
    others = frozenset(prompt.answers) - set(wanted)
    known = _known(question, wanted)
    return Filled(
        *(prompt.id, _filled(prompt.system, known, others)),
        *(_filled(prompt.user, known, others), wanted),
    )


def subject_of(question: Question) -> str:
    """`an abandoned hospital`; `an abandoned building` where nothing is known."""
    kind = question.context.place_type
    if not kind:
        return NOTHING_KNOWN
    return f"an abandoned {kind.strip()}"


def _known(question: Question, answers: Sequence[str]) -> dict[str, str | None]:
    context = question.context
    where = ", ".join(
        part for part in (context.city, context.county, context.state, context.country) if part
    )
    return {
        "subject": subject_of(question),
        "name": context.name or context.sublocation,
        "type": context.place_type,
        "era": context.era,
        "city": context.city,
        "county": context.county,
        "state": context.state,
        "country": context.country,
        "where": where or None,
        "view": question.view,
        "seen": ", ".join(question.seen[:MOST_SEEN]) or None,
        "read": "; ".join(" ".join(text.split()) for text in question.read) or None,
        "terms": ", ".join(question.terms) or None,
        "fields": ", ".join(answers),
    }


def _filled(template: str, known: Mapping[str, str | None], others: frozenset[str]) -> str:
    lines = []
    for line in template.strip().splitlines():
        quoted = {name for name in _QUOTED.findall(line) if name in ANSWERS}
        if quoted and quoted <= others:
            continue
        if all(known[name] for name in _BRACES.findall(line)):
            lines.append(_BRACES.sub(lambda match: str(known[match[1]]), line).rstrip())
    text = "\n".join(lines)
    return re.sub(r"\n{3,}", "\n\n", text).strip()
