"""What a change looks like: text, JSON and HTML say the same, and nothing in a name can act."""

from __future__ import annotations

import dataclasses
import json
import unicodedata
from collections import Counter
from html.parser import HTMLParser
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit.front_examples import ROOT, change, hostile
from urbexmp.model.change import Author, CarrierWrite, Edit, EditKind
from urbexmp.model.errors import FileUnreadable, PacketRefused
from urbexmp.model.keyword import Keyword
from urbexmp.model.photo import ABSENT, Fingerprint
from urbexmp.model.proposal import Reason
from urbexmp.model.report import Report
from urbexmp.rules import render_html, render_json
from urbexmp.rules.render import plain, printable, relative, rows, width
from urbexmp.rules.render_summary import summary_lines
from urbexmp.rules.render_text import diff_lines, short_line


def text_of(**kwargs: object) -> list[str]:
    return [plain(line) for line in diff_lines(change(**kwargs), ROOT)]  # type: ignore[arg-type]


def test_the_text_diff_shows_sign_path_score_stage_and_labels() -> None:
    lines = text_of(notes=("The sidecar has a list where a bag belongs.",))
    assert lines == [
        "Heilstätten/IMG_0412.CR3  -> IMG_0412.xmp (would be written)",
        (
            '  +  Urbex|Building|Healthcare|Hospital  0.95  place: "hospital" 0.95 (folder name);'
            ' pixels: "ward <b>" 0.61'
        ),
        '  -  Urbex|View|Aerial                   0.10  camera: "aerial"',
        (
            '  ?+ Urbex|View|Interior                 0.44  pixels: "interior" (light & colour);'
            " waits for you: below the threshold 0.50"
        ),
        "  x  Urbex|Hazard|Asbestos                     unwanted here: never suggested again",
        "  =  Beelitz",
        "  =  People|Anna",
        "  note: The sidecar has a list where a bag belongs.",
    ]


def test_a_new_sidecar_and_an_applied_change_are_told() -> None:
    assert text_of(new=True)[0].endswith("-> IMG_0412.xmp (new)")
    (head, *_) = diff_lines(change(), ROOT, applied=True)
    assert plain(head).endswith("-> IMG_0412.xmp (written)")


def test_undo_says_what_becomes_of_the_file() -> None:
    undone = dataclasses.replace(
        change(),
        edits=(),
        held=(),
        learned=(),
        keeps=(),
        notes=(),
    )
    carrier = undone.photo.carriers[0]
    for restore, words in ((ABSENT, "removed again"), (Fingerprint("a" * 64), "former bytes")):
        write = CarrierWrite(carrier, Fingerprint("f" * 64), restore=restore)
        line = short_line(dataclasses.replace(undone, writes=(write,)), ROOT, applied=True)
        assert words in plain(line)


def test_the_short_line_counts() -> None:
    line = plain(short_line(change(), ROOT, applied=True))
    assert line == (
        "Heilstätten/IMG_0412.CR3: 1 added, 1 removed, 1 held for you, 1 learned as unwanted"
    )


def test_columns_line_up_for_wide_letters() -> None:
    wide = Edit(EditKind.ADD, Keyword.parse("病院|廃墟"), confidence=0.5)
    narrow = Edit(EditKind.ADD, Keyword.parse("Urbex|Building|Mill"), confidence=0.5)
    lines = diff_lines(dataclasses.replace(change(), edits=(wide, narrow), held=()), ROOT)
    starts = {width(plain(line).split("0.50")[0]) for line in lines if "0.50" in plain(line)}
    assert len(starts) == 1


@given(hostile)
def test_nothing_that_is_printed_can_act_on_a_terminal(text: str) -> None:
    shown = printable(text)
    assert all(unicodedata.category(char) not in {"Cc", "Cs", "Zl", "Zp"} for char in shown)
    assert not set(shown) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
    shown.encode("utf-8")
    if text.isalnum() and text.isascii():
        assert shown == text


def test_bytes_that_are_no_utf8_are_told_as_bytes() -> None:
    name = b"caf\xe9\x1b[31m.jpg".decode("utf-8", "surrogateescape")
    assert printable(name) == "caf\\xe9\\x1b[31m.jpg"


@given(name=hostile, label=hostile, note=hostile)
def test_no_line_of_a_diff_can_be_forged(name: str, label: str, note: str) -> None:
    edit = Edit(
        EditKind.ADD, Keyword((name,)), confidence=0.5, reasons=(Reason("s", label, 1, note),)
    )
    made = dataclasses.replace(
        change(), edits=(edit,), held=(), learned=(), keeps=(), notes=(note,)
    )
    lines = [plain(line) for line in diff_lines(made, ROOT)]
    assert len(lines) == 3
    for line in lines:
        assert printable(line) == line


def test_paths_are_told_from_the_root_of_the_library() -> None:
    assert relative(PurePosixPath("/a/b/c.jpg"), PurePosixPath("/a")) == "b/c.jpg"
    assert relative(PurePosixPath("/x/c.jpg"), PurePosixPath("/a")) == "/x/c.jpg"


# --- JSON -----------------------------------------------------------------------------------


def test_json_fields_of_a_change_are_these() -> None:
    data = json.loads(render_json.line(render_json.change_data(change(), ROOT, applied=False)))
    assert set(data) == {
        "event", "path", "photo_id", "profile", "applied", "mark", "carriers", "edits", "held",
        "keep", "learned", "notes", "spared", "texts",
    }  # fmt: skip
    assert data["event"] == "change"
    assert data["path"] == "Heilstätten/IMG_0412.CR3"
    assert data["carriers"] == [
        {"path": "Heilstätten/IMG_0412.xmp", "kind": "sidecar", "action": "edit"}
    ]
    added = next(edit for edit in data["edits"] if edit["kind"] == "add")
    assert added == {
        "kind": "add",
        "keyword": "Urbex|Building|Healthcare|Hospital",
        "confidence": 0.95,
        "author": "model",
        "again": False,
        "reasons": [
            {"stage": "place@1f2e3d4c", "label": "hospital", "score": 0.95, "note": "folder name"},
            {"stage": "pixels@99999999", "label": "ward <b>", "score": 0.61, "note": ""},
        ],
    }
    assert data["held"][0]["why"] == "below the threshold 0.50"
    assert data["learned"] == ["Urbex|Hazard|Asbestos"]


def test_json_of_problems_and_of_the_end() -> None:
    problem = PacketRefused(ROOT / "a.xmp", "it has a DOCTYPE", "doctype")
    data = render_json.problem_data(problem, ROOT)
    assert (data["path"], data["slug"], data["code"]) == ("a.xmp", "packet-refused", 30)
    assert data["reason"] == "doctype"
    assert set(data) == {"event", "path", "slug", "reason", "code", "what", "done", "advice"}
    report = Report(run="r1", command="sync", photos=2, changed=1, problems=[problem])
    end = render_json.end_data(report, ROOT)
    assert (end["failed"], end["exit_code"]) == (1, 3)
    assert "\n" not in render_json.line(end)


@given(hostile)
def test_json_lines_are_ascii_whatever_the_name(name: str) -> None:
    made = dataclasses.replace(change(), notes=(name,))
    line = render_json.line(render_json.change_data(made, ROOT, applied=True))
    assert line.isascii()
    assert "\n" not in line
    assert json.loads(line)["notes"] == [name]


# --- HTML -----------------------------------------------------------------------------------


class Seen(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in {"meta", "img", "br", "input", "wbr"}:
            self.open.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def seen(text: str) -> Seen:
    page = Seen()
    page.feed(text)
    page.close()
    return page


def page_of(*changes: object, picture: str | None = None, applied: bool = False) -> str:
    return "".join(
        render_html.page(
            changes,  # type: ignore[arg-type]
            ROOT,
            thumbnail=lambda _: picture,
            title="What sync would do",
            applied=applied,
        )
    )


def test_the_page_is_whole_and_says_everything() -> None:
    page = seen(
        page_of(change(), change("b/IMG_1.CR3", new=True), picture="data:image/jpeg;base64,AA")
    )
    assert page.open == []
    assert page.tags.count("article") == 2
    assert page.tags.count("img") == 2
    told = " ".join(page.text)
    for words in (
        "Hospital", "0.95", "place", '"hospital" 0.95 (folder name)', "Anna", "Asbestos",
        "waits for you: below the threshold 0.50", "to be added", "not again", "kept",
    ):  # fmt: skip
        assert words in told
    assert "new sidecar" in told
    assert "1 added" not in told


def test_the_page_loads_nothing_from_outside() -> None:
    text = page_of(change(), picture="https://example.org/a.jpg")
    page = seen(text)
    assert "img" not in page.tags
    assert "link" not in page.tags
    for _, name, value in page.attributes:
        assert name not in {"href", "onclick", "onerror", "onload"}
        if name == "src":
            assert value.startswith("data:image/")
    assert "http://" not in text
    assert "https://" not in text
    assert "default-src 'none'" in text


def test_every_picture_and_every_table_has_words_for_those_who_do_not_see() -> None:
    page = seen(page_of(change(), picture="data:image/jpeg;base64,AA"))
    alts = [value for tag, name, value in page.attributes if (tag, name) == ("img", "alt")]
    assert alts == ["Preview of Heilstätten/IMG_0412.CR3"]
    assert page.tags.count("th") == 5
    assert ("html", "lang", "en") in page.attributes


def test_an_empty_page_says_so() -> None:
    assert "No keyword changes." in page_of()


@given(name=hostile, label=hostile)
def test_no_name_can_add_a_tag_or_an_attribute(name: str, label: str) -> None:
    def made(name: str, label: str) -> Seen:
        reason = (Reason("s" + label, label, 0.5, label), Reason("x", label, 0.5, label))
        edit = Edit(EditKind.ADD, Keyword((name, name)), confidence=0.5, reasons=reason, hold=label)
        return seen(
            page_of(dataclasses.replace(change(), edits=(edit,), held=(edit,), notes=(label,)))
        )

    hostile_page, tame = made(name, label), made("a", "b")
    assert hostile_page.tags == tame.tags
    assert [one[:2] for one in hostile_page.attributes] == [one[:2] for one in tame.attributes]


def test_a_page_about_markup_shows_it_as_text() -> None:
    edit = Edit(EditKind.ADD, Keyword(("<script>alert(1)</script>",)), confidence=0.5)
    page = page_of(dataclasses.replace(change(), edits=(edit,)))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


# --- The summary ----------------------------------------------------------------------------


def summary(**fields: object) -> str:
    report = Report(command="sync", **fields)  # type: ignore[arg-type]
    return "\n".join(plain(line) for line in summary_lines(report))


def test_the_summary_counts_and_names_the_next_step_in_lightroom() -> None:
    problem = FileUnreadable("/photos/a.jpg", detail="Permission denied")
    told = summary(
        photos=1234, changed=20, unchanged=1200, held=13, problems=[problem], added=80, learned=2
    )
    assert "1,234 photos: 20 written, 1,200 unchanged, 13 waiting for you, 1 failed" in told
    assert "Permission denied" in told
    assert "2 keywords you took away or refused are not suggested there again" in told
    save, read = (
        told.index("Metadata > Save Metadata to Files"),
        told.index("Metadata > Read Metadata from Files"),
    )
    assert save < read


def test_a_dry_run_says_would_and_sends_nobody_to_lightroom() -> None:
    told = summary(photos=3, changed=2, unchanged=1, added=4, dry=True)
    assert "2 would be written" in told
    assert "4 would be added" in told
    assert "Nothing was written: a dry run." in told
    assert "Lightroom" not in told


def test_photos_whose_sidecars_lightroom_does_not_read_are_told_plainly() -> None:
    blind = Counter({"never": 3, "signed": 2})
    spared = blind + Counter({"raw": 1})
    told = summary(photos=6, changed=5, added=9, lightroom_blind=5, blind=blind, spared=spared)
    assert "Lightroom will not show the new keywords of 5 photos" in told
    assert '  3: the profile says embed = "never"' in told
    assert "  2: they carry Content Credentials" in told
    assert '1 JPEG beside a raw got no keywords: the profile says pairs = "raw".' in told
    assert "Read Metadata from Files" not in told


def test_a_packet_that_is_refused_is_named_by_its_reason() -> None:
    told = summary(
        photos=1, changed=1, added=1, lightroom_blind=1, blind=Counter({"two-packets": 1})
    )
    assert "new keywords of 1 photo," in told
    assert "  1: they cannot be edited safely (two-packets)" in told


def test_an_undo_says_what_it_did() -> None:
    report = Report(command="undo", photos=2, changed=2, removed=3, lightroom_blind=1)
    told = "\n".join(plain(line) for line in summary_lines(report))
    assert "2 photos: 2 taken back" in told
    assert "will not show" not in told
    assert "Read Metadata from Files" in told


def test_failures_are_told_by_what_was_wrong() -> None:
    problems = [FileUnreadable(f"/{n}.jpg", detail="Permission denied") for n in range(3)]
    told = summary(photos=4, problems=[*problems, FileUnreadable("/x", detail="I/O error")])
    assert "4 failed: cannot be read (Permission denied), and the like" in told
    assert "3 failed: cannot be read (Permission denied)\n" in summary(
        photos=4, problems=problems, held=1
    )


def test_what_a_person_wants_needs_no_other_reason() -> None:
    reason = (Reason("person", "A|B", None),)
    edit = Edit(EditKind.ADD, Keyword.parse("A|B"), Author.PERSON, reasons=reason)
    (row, *_) = rows(dataclasses.replace(change(), edits=(edit,)))
    assert (row.reasons, row.remark) == ((), "your own edit")


def test_nothing_to_do_is_said_in_one_line() -> None:
    assert summary(photos=0).startswith("0 photos: nothing to do")
    assert summary(photos=7, unchanged=7).count("\n") == 0


def test_an_interrupted_run_says_that_nothing_is_half_done() -> None:
    told = summary(photos=9, changed=2, interrupted=True)
    assert "9 photos: 2 written, 7 left for later" in told
    assert "Every photo is either finished or untouched" in told


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.04, "0.0 s"), (75, "1 min 15 s"), (3720, "1 h 02 min")]
)
def test_durations(seconds: float, told: str) -> None:
    assert f"({told})" in summary(photos=1, unchanged=1, seconds=seconds)


def test_rows_come_in_the_order_of_importance() -> None:
    assert [row.sign.value for row in rows(change())] == ["+", "-", "?+", "x", "=", "="]
    assert rows(change())[0].stages == ("place", "pixels")


@given(st.text(max_size=20))
def test_width_is_never_negative(text: str) -> None:
    assert 0 <= width(text) <= 2 * len(text)
