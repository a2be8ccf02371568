"""The stage `vlm`: what it asks of a photo, what it makes of the reply, and what is kept."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from unit.words_examples import labels, urbex, view
from urbexmp.adapters.stages.registry import make_stages
from urbexmp.model.errors import ConfigProblem
from urbexmp.model.observation import Context, Observation, ObservationKind, StageLook
from urbexmp.model.profile import Profile
from urbexmp.model.stage_errors import StageFailed
from urbexmp.rules.vlm_question import MOST_TERMS, Offering, question, unsure
from vlm_server import GOOD, GOOD_REPLY, VlmDouble, said, shown, words_of
from vlm_talk import Talk, photo, stage_of

HOSPITAL = Context(name="St Agnes Hospital", place_type="hospital", era="1890s", city="Leeds")
LABEL = ObservationKind.LABEL


def test_what_a_reply_says_becomes_observations(tmp_path: Path) -> None:
    with VlmDouble() as double:
        seen = stage_of(Talk(double, tmp_path)).look(photo(HOSPITAL))
    found = {one.label: one for one in seen}
    assert found["corridor"].score == 0.9
    assert found["condition"].value == 30
    assert found["text"].value == "WARD 7"
    assert str(found["description"].value).startswith("A long corridor")
    assert found["alt text"].value == "Corridor with a wheelchair."


def test_the_prompt_holds_what_is_known(tmp_path: Path) -> None:
    earlier = (
        view("siglip@1", interior=0.9),
        labels("siglip@1", corridor=0.9, wheelchair=0.6),
        StageLook("ocr@1", (Observation(ObservationKind.TEXT, "text", value="WARD 7"),)),
    )
    with VlmDouble() as double:
        stage = stage_of(Talk(double, tmp_path))
        stage.look(photo(HOSPITAL, earlier))
        stage.look(photo())
    told, bare = (words_of(one) for one in double.requests)
    for word in ("St Agnes Hospital", "1890s", "Leeds", "interior", "corridor, wheelchair"):
        assert word in told
    assert "WARD 7" in told
    assert "None" not in bare
    assert "an abandoned building" in bare
    assert "called" not in bare


def test_the_picture_is_small_upright_and_bare(tmp_path: Path) -> None:
    with VlmDouble() as double:
        stage_of(Talk(double, tmp_path), size=320).look(photo(size=(512, 768)))
    picture = shown(double.requests[0])
    assert picture.size == (213, 320)
    assert picture.format == "JPEG"
    assert not picture.getexif()
    assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_words_that_are_offered_bound_the_schema(tmp_path: Path) -> None:
    with VlmDouble() as double:
        stage_of(Talk(double, tmp_path)).look(photo(HOSPITAL, (view("siglip@1", interior=0.9),)))
    form = double.requests[0]["response_format"]["json_schema"]["schema"]
    terms = form["properties"]["labels"]["items"]["properties"]["term"]["enum"]
    assert 50 < len(terms) < 300
    assert "corridor" in terms
    assert ", ".join(terms) in words_of(double.requests[0])


def test_offered_words_fit_the_view_and_the_place() -> None:
    taxonomy = urbex()
    offering = Offering(taxonomy)
    inside = offering.terms("interior")
    above = offering.terms("aerial")
    assert "corridor" in inside
    assert "corridor" not in above
    known = offering.terms("interior", placed=True)
    assert not {"paper mill", "brewery", "chapel"} & set(known)
    assert offering.terms(None, ("wheelchair",))[0] == "wheelchair"
    for words in (inside, above, known):
        assert len(words) <= MOST_TERMS
        assert len(set(words)) == len(words)
        assert all(len(taxonomy.lookup(word)) == 1 for word in words)
        assert not {"interior", "exterior", "aerial", "detail"} & set(words)


def test_earlier_labels_are_told_the_surest_first_and_the_place_is_no_witness() -> None:
    earlier = (
        labels("place@1", hospital=0.9),
        labels("siglip@1", wheelchair=0.4, corridor=0.8, gibberishword=0.99),
    )
    assert question(Context(), earlier, urbex(), Offering(urbex())).seen == (
        "corridor",
        "wheelchair",
    )


# --- Replies that are no use --------------------------------------------------------------------


def test_a_cut_reply_is_asked_for_once_more_with_more_room(tmp_path: Path) -> None:
    cut = said('{"description": "A long', finish="length")
    with VlmDouble(lambda _, number: cut if number == 0 else GOOD_REPLY) as double:
        seen = stage_of(Talk(double, tmp_path), max_tokens=500).look(photo())
    assert any(one.label == "corridor" for one in seen)
    assert [one["max_tokens"] for one in double.requests] == [500, 1000]
    assert "response_format" in double.requests[1]


def test_an_answer_lost_under_a_schema_is_asked_for_as_text(tmp_path: Path) -> None:
    thoughts = said(None, reasoning="Let me see what there is.")
    with VlmDouble(lambda _, number: thoughts if number == 0 else GOOD_REPLY) as double:
        assert stage_of(Talk(double, tmp_path)).look(photo())
    assert "response_format" not in double.requests[1]


def test_an_answer_among_the_thoughts_is_found(tmp_path: Path) -> None:
    with VlmDouble(lambda *_: said("", reasoning=json.dumps(GOOD))) as double:
        assert stage_of(Talk(double, tmp_path)).look(photo())
    assert len(double.requests) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [("I'm sorry, I cannot help with that.", "refused"), ("Nice weather.", "prose"), ("", "empty")],
)
def test_what_cannot_be_understood_fails_and_is_kept(
    content: str, reason: str, tmp_path: Path
) -> None:
    with (
        VlmDouble(lambda *_: said(content)) as double,
        pytest.raises(StageFailed, match=reason) as caught,
    ):
        stage_of(Talk(double, tmp_path)).look(photo())
    assert len(double.requests) == 2
    kept = list((tmp_path / "replies").glob("*.txt"))
    assert [one.read_text() for one in kept] == ([content] if content else [])
    assert all(str(one) in str(caught.value) for one in kept)


def test_every_reply_is_in_the_journal(tmp_path: Path) -> None:
    with VlmDouble(lambda _, number: said("Hm.") if number == 0 else GOOD_REPLY) as double:
        stage_of(Talk(double, tmp_path)).look(photo())
    lines = (tmp_path / "replies" / "replies.jsonl").read_text().splitlines()
    first, second = (json.loads(line) for line in lines)
    assert (first["outcome"], first["reply"]) == ("prose", "Hm.")
    assert (second["outcome"], second["labels"][:1]) == ("heard", ["corridor"])
    assert second["model"] == "eyes"
    assert second["prompt"].startswith("urbex@")
    assert (second["tokens_in"], second["tokens_out"]) == (700, 50)


def test_probabilities_of_tokens_stand_in_for_the_models_own_word(tmp_path: Path) -> None:
    pieces = [{"token": '{"term": "', "logprob": 0.0}, {"token": "corridor", "logprob": -0.7}]
    pieces.append({"token": '"}', "logprob": 0.0})
    reply = said(json.dumps(GOOD), logprobs={"content": pieces})
    with VlmDouble(lambda *_: reply) as double:
        seen = stage_of(Talk(double, tmp_path)).look(photo())
    found = {one.label: one for one in seen if one.kind is LABEL}
    assert found["corridor"].score == pytest.approx(0.4966, abs=1e-3)
    assert found["wheelchair"].score == 0.8


# --- When ---------------------------------------------------------------------------------------


def test_unsure_looks_only_where_a_question_is_open(tmp_path: Path) -> None:
    sure = (view("siglip@1", interior=0.9), labels("siglip@1", corridor=0.9))
    with VlmDouble() as double:
        stage = stage_of(Talk(double, tmp_path), when="unsure")
        assert stage.look(photo(earlier=sure)) == ()
        assert double.requests == []
        assert stage.look(photo())
    taxonomy = urbex()
    assert unsure(sure[1:], taxonomy)  # no view
    assert unsure((sure[0], labels("siglip@1", corridor=0.2)), taxonomy)
    assert unsure((sure[0], labels("place@1", hospital=0.9)), taxonomy)


# --- Its id and its settings --------------------------------------------------------------------


def ids(tmp_path: Path, **settings: object) -> str:
    with VlmDouble() as double:
        return stage_of(Talk(double, tmp_path), **settings).id


def test_an_id_is_of_prompt_and_model_and_not_of_the_server(tmp_path: Path) -> None:
    usual = ids(tmp_path)
    assert usual.startswith("vlm@")
    for same in ({"timeout": 9.0}, {"in_flight": 2}, {"budget_requests": 5}, {"when": "manual"}):
        assert ids(tmp_path, **same) == usual  # and each double has an address of its own
    other = ({"size": 512}, {"temperature": 0.4}, {"prompt": "generic"}, {"max_tokens": 90})
    assert len({usual, *(ids(tmp_path, **one) for one in other)}) == 1 + len(other)
    own = tmp_path / "urbex.toml"
    own.write_text('user = "What is here? Use {fields}."\nanswers = ["labels"]\n')
    assert ids(tmp_path, prompt=str(own)) != usual


def profile(**settings: str | float | int | bool) -> Profile:
    return replace(Profile(), stages=("vlm",), stage_settings={"vlm": settings})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"url": "http://gpu.example/v1"}, "allow_upload = true"),
        ({"size": 4000}, "stage.vlm.size"),
        ({"when": "often"}, "always, idle, manual, unsure"),
        ({"api_key": "sk-1"}, "unknown setting"),
        ({"workers": 3}, "unknown setting"),
    ],
)
def test_mistakes_in_a_profile_are_named(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigProblem, match=words.replace(".", r"\.")):
        make_stages(profile(**settings), urbex())  # type: ignore[arg-type]


def test_a_prompt_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem, match="competition, generic, social, urbex"):
        ids(tmp_path, prompt="nonsense")


def test_making_the_stage_loads_nothing_heavy() -> None:
    code = (
        "import sys; from urbexmp.model.profile import Profile;"
        "from urbexmp.wiring_stages import open_stages, open_taxonomy, unready;"
        "from dataclasses import replace; p = replace(Profile(), stages=('vlm',));"
        "s = open_stages(p, open_taxonomy(p)); print(s[0].id, unready(s[0]));"
        "print(sorted({'openai', 'httpx', 'PIL', 'numpy', 'keyring'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1] == "[]"
    assert done.stdout.startswith("vlm@")
