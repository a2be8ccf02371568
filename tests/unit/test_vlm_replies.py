"""Replies of models, as a corpus: drop a file into tests/replies to add one.

Each holds `answer` (text, finish, reasoning) and `heard`: the fields that must come out, others
being empty, or `unheard` with its reason.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urbexmp.model.asking import Answer
from urbexmp.rules.json_mend import find_objects
from urbexmp.rules.vlm_reply import Reply, Unheard, hear, label_of

CORPUS = sorted((Path(__file__).parent.parent / "replies").glob("*.json"))


def shown(heard: Reply | Unheard) -> dict[str, Any]:
    if isinstance(heard, Unheard):
        return {"unheard": heard.reason, "more_room": heard.more_room}
    found = asdict(heard)
    found["labels"] = [[one.word, one.confidence] for one in heard.labels]
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in found.items()
        if value not in (None, (), [])
    }


def test_there_is_a_corpus() -> None:
    assert len(CORPUS) > 30


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_each_reply_is_heard_as_its_file_says(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    assert shown(hear(Answer(**case["answer"]))) == case["heard"]


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=30)


@given(st.text(max_size=300), st.sampled_from(["stop", "length", None]))
def test_whatever_comes_back_is_heard_or_has_a_reason(text: str, finish: str | None) -> None:
    heard = hear(Answer(text, finish=finish))
    if isinstance(heard, Reply):
        assert heard != Reply(dropped=heard.dropped)
        assert all(label_of(one.word) == one.word for one in heard.labels)
        assert all(one.confidence is None or 0 <= one.confidence <= 1 for one in heard.labels)
    else:
        assert heard.reason


@given(
    st.dictionaries(WORDS, st.recursive(WORDS | st.integers() | st.none(), st.lists), max_size=4),
    st.text("abc .\n", max_size=20),
)
def test_whole_json_is_found_whatever_stands_around_it(said: dict[str, Any], around: str) -> None:
    assert find_objects(f"{around}{json.dumps(said)}{around}") == ([said], False)


@given(st.dictionaries(st.text("abc", min_size=1), WORDS, min_size=1, max_size=3), st.data())
def test_a_cut_object_is_never_completed(said: dict[str, str], data: st.DataObject) -> None:
    text = json.dumps(said)
    cut = text[: data.draw(st.integers(1, len(text) - 1))]
    assert find_objects(cut) == ([], True)
