"""Texts in what a person and a program read of a change."""

from __future__ import annotations

import json
from dataclasses import replace

from unit.front_examples import ROOT, change
from urbexmp.model.change import Change
from urbexmp.model.record import from_plain, to_plain
from urbexmp.model.report import Report
from urbexmp.model.text import TextBase, TextChange, TextField
from urbexmp.rules.render import plain
from urbexmp.rules.render_html import article
from urbexmp.rules.render_json import change_data
from urbexmp.rules.render_summary import summary_lines
from urbexmp.rules.render_text import diff_lines, short_line

DESCRIPTION, ALT = TextField.DESCRIPTION, TextField.ALT_TEXT
TEXTS = (
    TextChange(DESCRIPTION, None, "A <hall>\x1b[31m", "vlm@12345678"),
    TextChange(ALT, "Hall", "Hall, door", "vlm@12345678", "you changed it"),
)
TAKEN_BACK = (TextChange(DESCRIPTION, "A hall", None), TextChange(ALT, "New", "Old"))


def with_texts(*texts: TextChange) -> Change:
    return replace(change(), texts=texts)


def test_the_diff_says_what_a_text_was_and_will_be() -> None:
    lines = [plain(line) for line in diff_lines(with_texts(*TEXTS), ROOT)]
    assert r'  +  description: (empty) -> "A <hall>\x1b[31m"  vlm' in lines
    waits = '  ?+ alt text: "Hall" -> "Hall, door"  vlm; waits for you: you changed it'
    assert waits in lines
    lines = [plain(line) for line in diff_lines(with_texts(*TAKEN_BACK), ROOT)]
    assert '  -  description: "A hall" -> (empty)' in lines
    assert '  ~  alt text: "New" -> "Old"' in lines


def test_the_short_line_counts_texts() -> None:
    bare = replace(change(), edits=(), held=(), learned=())
    line = plain(short_line(replace(bare, texts=TEXTS), ROOT, applied=True))
    assert line.endswith(": 1 text written, 1 text held for you")
    line = plain(short_line(replace(bare, texts=TAKEN_BACK), ROOT, applied=True))
    assert line.endswith(": 1 text written, 1 text taken out")


def test_the_summary_of_an_undo_says_that_texts_were_taken_back() -> None:
    lines = summary_lines(Report(photos=1, changed=1, texts=2, command="undo"))
    assert "  descriptions and alt texts: 2 taken back" in [plain(line) for line in lines]


def test_the_page_escapes_texts() -> None:
    told = article(with_texts(*TEXTS), ROOT, 1, None, applied=False)
    assert "(empty) &rarr; &quot;A &lt;hall&gt;" in told
    assert "<hall>" not in told
    assert "waits for you: you changed it" in told


def test_json_has_every_text() -> None:
    told = change_data(with_texts(*TEXTS), ROOT, applied=True)["texts"]
    assert [text["field"] for text in told] == ["description", "altText"]
    assert [text["why"] for text in told] == ["", "you changed it"]
    assert told[0]["before"] is None


def test_a_plan_with_texts_comes_back_as_it_was() -> None:
    base = TextBase("A hall", places=frozenset({"IMG.xmp"}))
    made = with_texts(*TEXTS)
    made = replace(made, after=replace(made.after, texts={"description": base}))
    again = from_plain(Change, json.loads(json.dumps(to_plain(made))))
    assert again.texts == TEXTS
    assert again.after.texts == {"description": base}
    assert again.after.digest == made.after.digest != replace(made.after, texts={}).digest
