"""Many changes as one HTML page: one file, nothing loaded from outside, readable light or dark.

The page is made piece by piece, so that a hundred thousand photos need no more memory than one.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePath

from urbexmp.model.change import Change
from urbexmp.model.photo import Photo
from urbexmp.rules.render import (
    Row,
    Sign,
    TextRow,
    action,
    counted,
    printable,
    relative,
    rows,
    text_rows,
)
from urbexmp.rules.render_text import reason_text

Thumbnail = Callable[[Photo], str | None]
"""Gives a `data:` URI of a small picture, or None."""

_KINDS = {
    Sign.ADD: ("add", "added", "to be added"),
    Sign.REMOVE: ("remove", "removed", "to be removed"),
    Sign.CHANGE: ("add", "changed", "to be changed"),
    Sign.HELD_ADD: ("held", "held", "waits for you: add?"),
    Sign.HELD_REMOVE: ("held", "held", "waits for you: remove?"),
    Sign.LEARNED: ("learned", "not again", "not again"),
    Sign.KEEP: ("keep", "kept", "kept"),
}
"""Class of the row, and what is said of it once applied and before."""

_FILTERS = (
    ("add", "adds"),
    ("remove", "removes"),
    ("held", "held for you"),
    ("learned", "learned"),
    ("keep", "keeps"),
)


def head(root: Path | PurePath, title: str) -> str:
    """The page up to the first photo."""
    return _HEAD.format(title=_safe(title), root=_safe(root.as_posix()), filters=_filter_boxes())


def foot(photos: int, told: Iterable[str] = ()) -> str:
    """The page after the last photo; `told`: what there is to say of the run's stages."""
    empty = "" if photos else '<p class="empty">No keyword changes.</p>'
    said = "".join(f"<li>{_safe(sentence)}</li>" for sentence in told)
    if said:
        empty += f'<section aria-label="Stages"><ul class="notes">{said}</ul></section>'
    return empty + _FOOT.format(total=counted(photos, "photo"))


def page(
    changes: Iterable[Change],
    root: Path | PurePath,
    *,
    thumbnail: Thumbnail,
    title: str,
    applied: bool = False,
) -> Iterator[str]:
    """Yield the page in pieces. `applied` says that the changes were carried out."""
    yield head(root, title)
    number = 0
    for change in changes:
        number += 1
        yield article(change, root, number, thumbnail(change.photo), applied=applied)
    yield foot(number)


def _safe(text: str) -> str:
    return html.escape(printable(text))


def _filter_boxes() -> str:
    return "\n".join(
        f'<label class="{name}"><input type="checkbox" name="{name}" checked> {words}</label>'
        for name, words in _FILTERS
    )


def article(
    change: Change, root: Path | PurePath, number: int, picture: str | None, *, applied: bool
) -> str:
    """One photo; `number` counts from 1, `picture` is a `data:` URI."""
    table = rows(change)
    name = _safe(relative(change.photo.path, root))
    folder, slash, file = name.rpartition("/")
    shown = (
        f'<img src="{html.escape(picture)}" alt="Preview of {name}" loading="lazy">'
        if picture and picture.startswith("data:image/")
        else '<div class="nothing" role="img" aria-label="No preview"></div>'
    )
    texts = text_rows(change)
    signs = {row.sign for row in table} | {row.sign for row in texts}
    kinds = sorted({_KINDS[sign][0] for sign in signs})
    body = "".join(_row(row, applied=applied) for row in table)
    body += "".join(_text_row(row, applied=applied) for row in texts)
    keyword_table = (
        '<table><thead><tr><th scope="col">what</th><th scope="col">keyword</th>'
        '<th scope="col">score</th><th scope="col">stage</th><th scope="col">because of</th>'
        f"</tr></thead><tbody>{body}</tbody></table>"
        if body
        else "<p>No keyword changes.</p>"
    )
    notes = "".join(f"<li>{_safe(note)}</li>" for note in change.notes)
    return (
        f'<article id="p{number}" data-kinds="{" ".join(kinds)}" aria-labelledby="h{number}">'
        f"<figure>{shown}</figure><div>"
        f'<h2 id="h{number}"><small>{folder}{slash}</small>{file}</h2>'
        f"{_carriers(change, root, applied=applied)}"
        f"{keyword_table}" + (f'<ul class="notes">{notes}</ul>' if notes else "") + "</div>"
        "</article>\n"
    )


_DEEDS = {
    "new": ("new sidecar", "new sidecar"),
    "edit": ("would be written", "written"),
    "restore": ("would get its former bytes back", "got its former bytes back"),
    "remove": ("would be removed again", "removed again"),
}


def _carriers(change: Change, root: Path | PurePath, *, applied: bool) -> str:
    told = "; ".join(
        f"{_safe(relative(write.carrier.path, root))} <em>{_DEEDS[action(write)][applied]}</em>"
        for write in change.writes
    )
    return f'<p class="carriers">{told or "nothing is written"}</p>'


def _row(row: Row, *, applied: bool) -> str:
    kind, done, planned = _KINDS[row.sign]
    *above, leaf = (_safe(name) for name in row.keyword.path)
    path = "".join(f"<i>{name}<b>|</b></i><wbr>" for name in above) + f"<strong>{leaf}</strong>"
    score = ""
    if row.confidence is not None:
        share = max(0.0, min(1.0, row.confidence))
        score = (
            f'<span class="bar" style="--share:{share:.2f}" aria-hidden="true"></span>'
            f"{row.confidence:.2f}"
        )
    many = len(row.reasons) > 1
    one_stage = len(row.stages) == 1
    why = "<br>".join(
        html.escape(reason_text(reason, with_score=many, with_stage=not one_stage))
        for reason in row.reasons
    )
    if row.remark:
        why += ("<br>" if why else "") + _safe(row.remark)
    stages = ", ".join(_safe(stage) for stage in row.stages)
    return (
        f'<tr class="{kind}"><td class="what">{done if applied else planned}</td>'
        f'<td class="keyword">{path}</td><td class="score">{score}</td>'
        f"<td>{stages}</td><td>{why}</td></tr>"
    )


def _text_row(row: TextRow, *, applied: bool) -> str:
    kind, done, planned = _KINDS[row.sign]
    before, after = (html.escape(text) for text in (row.before, row.after))
    return (
        f'<tr class="{kind}"><td class="what">{done if applied else planned}</td>'
        f'<td class="keyword"><strong>{row.called}</strong></td><td class="score"></td>'
        f"<td>{_safe(row.stage)}</td><td>{before} &rarr; {after}"
        f"{'<br>' + _safe(row.remark) if row.remark else ''}</td></tr>"
    )


_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
:root {{ --paper:#fbfaf7; --card:#fff; --ink:#1d1c1a; --soft:#615c55; --line:#e2ddd4;
  --add:#146c2e; --remove:#b3261e; --held:#8a5300; --learned:#6a3fa0; --keep:#615c55; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --paper:#161513; --card:#201f1c; --ink:#ece8e1; --soft:#aaa399; --line:#37342f;
    --add:#6fd08c; --remove:#ff9088; --held:#f0b65a; --learned:#c7a6f2; --keep:#aaa399; }} }}
* {{ box-sizing:border-box }}
body {{ margin:0 auto; max-width:78rem; padding:1.5rem; background:var(--paper); color:var(--ink);
  font:15px/1.45 system-ui, "Segoe UI", sans-serif }}
h1 {{ font-size:1.4rem; margin:0 }} h2 {{ font-size:1.05rem; margin:0; overflow-wrap:anywhere }}
h2 small {{ font-weight:400; color:var(--soft) }}
header p {{ margin:.2rem 0 1rem; color:var(--soft); overflow-wrap:anywhere }}
form {{ position:sticky; top:0; z-index:1; display:flex; flex-wrap:wrap; gap:.4rem 1.1rem;
  align-items:center; padding:.7rem 0; margin-bottom:1rem; background:var(--paper);
  border-bottom:1px solid var(--line) }}
input[type=search] {{ flex:1 1 16rem; padding:.4rem .6rem; font:inherit; color:inherit;
  background:var(--card); border:1px solid var(--soft); border-radius:.4rem }}
:focus-visible {{ outline:2px solid var(--held); outline-offset:2px }}
article {{ display:grid; grid-template-columns:15rem minmax(0,1fr); gap:1.2rem; padding:1rem;
  margin-bottom:1rem; background:var(--card); border:1px solid var(--line); border-radius:.6rem;
  content-visibility:auto; contain-intrinsic-size:auto 16rem }}
figure {{ margin:0 }} img {{ display:block; width:100%; max-height:15rem; object-fit:contain }}
.nothing {{ height:8rem; border:1px dashed var(--line); border-radius:.4rem }}
.carriers, .notes {{ margin:.15rem 0 .6rem; color:var(--soft); overflow-wrap:anywhere }}
.carriers em {{ font-style:normal; opacity:.85 }} .carriers em::before {{ content:"– " }}
table {{ width:100%; border-collapse:collapse; table-layout:fixed }}
th:nth-child(1) {{ width:9.4rem }} th:nth-child(3) {{ width:6.6rem }}
th:nth-child(4) {{ width:6rem }} th:nth-child(2) {{ width:33% }}
th {{ text-align:left; font-weight:400; font-size:.8rem; color:var(--soft) }}
td, th {{ padding:.22rem .7rem .22rem 0; vertical-align:top; border-top:1px solid var(--line) }}
thead th {{ border-top:0 }} td {{ overflow-wrap:break-word }}
.what {{ white-space:nowrap; color:var(--kind) }}
.keyword i {{ font-style:normal; color:var(--soft) }}
.keyword b {{ font-weight:400; opacity:.6; margin:0 .15em }}
.keyword strong {{ font-weight:600; color:var(--kind) }}
.score {{ white-space:nowrap; font-variant-numeric:tabular-nums }}
.bar {{ display:inline-block; width:3rem; height:.5rem; margin-right:.4rem; border-radius:.25rem;
  background:linear-gradient(to right, var(--kind) calc(var(--share) * 100%), var(--line) 0) }}
.add {{ --kind:var(--add) }} .remove {{ --kind:var(--remove) }} .held {{ --kind:var(--held) }}
.learned {{ --kind:var(--learned) }} .keep {{ --kind:var(--keep) }}
.keep strong {{ font-weight:400 }}
form label {{ color:var(--kind); white-space:nowrap }}
[hidden] {{ display:none }}
footer {{ color:var(--soft) }}
.notes {{ margin-top:.6rem }}
@media (max-width:60rem) {{ article {{ grid-template-columns:1fr }} img {{ max-height:10rem;
  object-position:left }} figure:has(.nothing) {{ display:none }} }}
@media (max-width:40rem) {{ body {{ padding:.8rem }} thead {{ display:none }}
  tr {{ display:flex; flex-wrap:wrap; gap:0 .8rem; padding:.3rem 0;
    border-top:1px solid var(--line) }}
  td {{ border:0; padding:0 }} .keyword {{ flex:1 0 100%; order:-1 }} td:empty {{ display:none }} }}
@media print {{ form {{ display:none }} article {{ break-inside:avoid }} }}
</style>
</head>
<body>
<header><h1>{title}</h1><p>{root}</p></header>
<form role="search" aria-label="Filter the photos" hidden>
<input type="search" name="words" placeholder="Photo or keyword" aria-label="Photo or keyword">
{filters}
<output aria-live="polite"></output>
</form>
<main>
"""

_FOOT = """</main>
<footer><p>{total}</p></footer>
<script>
"use strict";
const form = document.querySelector("form"), photos = [...document.querySelectorAll("article")];
const said = new Map(photos.map(photo => [photo, photo.textContent.toLowerCase()]));
function filter() {{
  const words = form.words.value.toLowerCase().split(/\\s+/).filter(Boolean);
  const kinds = [...form.querySelectorAll("input[type=checkbox]")]
    .filter(box => box.checked).map(box => box.name);
  let shown = 0;
  for (const photo of photos) {{
    const any = photo.dataset.kinds === "" ||
      photo.dataset.kinds.split(" ").some(kind => kinds.includes(kind));
    photo.hidden = !(any && words.every(word => said.get(photo).includes(word)));
    shown += !photo.hidden;
    for (const row of photo.querySelectorAll("tbody tr"))
      row.hidden = !kinds.includes(row.className);
  }}
  form.querySelector("output").textContent = shown + " of " + photos.length + " shown";
}}
form.hidden = false;
form.addEventListener("input", filter);
form.addEventListener("submit", event => event.preventDefault());
filter();
</script>
</body>
</html>
"""
