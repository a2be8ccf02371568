"""The siglip stage on a tiny model of the true architecture: what it says, and what it refuses."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from siglip_models import MODEL, TERMS, Model, model, picture, seen, taxonomy
from urbexmp.adapters.stages import siglip_text
from urbexmp.adapters.stages.onnx_run import OnnxModel
from urbexmp.adapters.stages.siglip import SiglipStage
from urbexmp.model.errors import ConfigProblem
from urbexmp.model.observation import Observation, ObservationKind, StageLook
from urbexmp.model.stage_errors import StageFailed, StageMissing, WeightsDamaged, WeightsMissing
from urbexmp.rules.normalise import normalise
from urbexmp.rules.zero_shot import VIEW_PROMPTS, Calibration, sigmoid, z_of

VOCABULARY = taxonomy(*TERMS)
LABEL, VIEW, PRIOR = ObservationKind.LABEL, ObservationKind.VIEW, ObservationKind.PRIOR


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp()


@pytest.fixture
def tiny(base: Path, tmp_path: Path) -> Model:
    return model(base, tmp_path)


def stage(tiny: Model, **settings: object) -> SiglipStage:
    given = {"model": MODEL, "variant": "fp32", "notes": tiny.notes, **settings}
    vocabulary = given.pop("vocabulary", VOCABULARY)
    return SiglipStage(vocabulary, tiny.weights(), **given)  # type: ignore[arg-type]


def labels(said: tuple[Observation, ...]) -> dict[str, float | None]:
    return {one.label: one.score for one in said if one.kind is LABEL}


def vector_of(tiny: Model, sentences: tuple[str, ...]) -> np.ndarray:
    tower = siglip_text.TextTower(tiny.folder, "onnx/text_model.onnx", threads=1)
    return tower.vectors(sentences)


def test_scores_are_the_models_own_sigmoid_of_the_mean_cosine(tiny: Model) -> None:
    one = stage(tiny, least=0.0)
    said = labels(one.look(seen(picture())))
    vision = OnnxModel(tiny.folder / "onnx" / "vision_model.onnx")
    from urbexmp.adapters.stages.siglip_pixels import prepare, read_recipe

    pixels = prepare([picture()], read_recipe(tiny.folder / "preprocessor_config.json"))
    image = siglip_text.unit(vision.run({"pixel_values": pixels})["pooler_output"])[0]
    assert set(said) == {path for path, _ in TERMS}
    for path, prompts in TERMS:
        cosine = float((vector_of(tiny, prompts) @ image).mean())
        expected = sigmoid(z_of(cosine, Calibration(112.5, -12.5)))
        assert said[path] == pytest.approx(expected, rel=0.1, abs=2e-6)


def test_the_view_is_said_once_or_left_open(tiny: Model) -> None:
    for floor, least in ((-1e9, 0.0), (1e9, 0.0)):
        one = stage(tiny.again(view_floor=floor, view_least=least, view_margin=0.0))
        said = one.look(seen(picture()))
        views = [one for one in said if one.kind is VIEW]
        priors = [one for one in said if one.kind is PRIOR]
        if floor < 0:
            assert [one.label in VIEW_PROMPTS for one in views] == [True]
            assert priors == []
        else:
            assert views == []
            assert {one.label for one in priors} == set(VIEW_PROMPTS)
            assert sum(one.score or 0 for one in priors) == pytest.approx(1, abs=1e-3)


def test_labels_are_paths_that_the_vocabulary_knows(tiny: Model) -> None:
    one = stage(tiny, least=0.0)
    heard = normalise((StageLook(one.id, one.look(seen(picture()))),), VOCABULARY)
    assert {str(said.keyword) for said in heard.evidence if "View" not in str(said.keyword)} == {
        path for path, _ in TERMS
    }
    assert heard.unknown == ()


def test_the_views_own_terms_are_no_labels(tiny: Model) -> None:
    tables = taxonomy(*TERMS, ("U|View|Interior|Cellar", ("a photo of a cellar",)))
    said = labels(stage(tiny, least=0.0, vocabulary=tables).look(seen(picture())))
    assert "U|View|Interior|Cellar" in said
    assert "U|View|Interior" not in said


def test_only_scores_above_the_floor_are_kept_with_their_z(tiny: Model) -> None:
    every = labels(stage(tiny, least=0.0).look(seen(picture())))
    middle = sorted(every.values(), key=lambda score: score or 0)[1] or 0.0
    said = stage(tiny, least=middle).look(seen(picture()))
    assert len(labels(said)) in (2, 1)
    for one in said:
        if one.kind is LABEL:
            assert isinstance(one.value, float)
            assert sigmoid(one.value) == pytest.approx(one.score, rel=0.01, abs=1e-5)
            assert one.source == "zero-shot"


def test_several_photos_at_once_say_what_each_says_alone(tiny: Model) -> None:
    one = stage(tiny, least=0.0)
    photos = [seen(picture(seed, 60 + seed, 50)) for seed in range(11)]
    together = one.look_many(photos)
    assert len(together) == 11
    for said, photo in zip(together, photos, strict=True):
        alone = one.look(photo)
        assert [item.label for item in said] == [item.label for item in alone]
        for a, b in zip(said, alone, strict=True):
            assert a.score == pytest.approx(b.score, rel=0.1, abs=1e-4)


def test_a_kept_vector_says_the_same_without_the_picture(tiny: Model) -> None:
    first = stage(tiny, least=0.0)
    vector = first.embed(picture())
    kinds = (LABEL, VIEW, PRIOR)
    looked = tuple(one for one in first.look(seen(picture())) if one.kind in kinds)
    (tiny.folder / "onnx" / "vision_model.onnx").unlink()
    assert stage(tiny, least=0.0).rescore(vector) == looked


def test_a_vector_of_another_model_is_no_vector_of_this_one(tiny: Model) -> None:
    with pytest.raises(StageFailed, match="does not fit"):
        stage(tiny).rescore("AAAA")


def test_sentences_are_computed_once(tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    right = siglip_text.TextTower.vectors

    def counted(self: siglip_text.TextTower, sentences: list[str]) -> siglip_text.Vectors:
        asked.extend(sentences)
        return right(self, sentences)

    monkeypatch.setattr(siglip_text.TextTower, "vectors", counted)
    first = stage(tiny, least=0.0).look(seen(picture()))
    number = len(asked)
    assert number == len(set(asked)) == 4 + 16
    assert stage(tiny, least=0.0).look(seen(picture())) == first
    assert len(asked) == number
    more = taxonomy(*TERMS, ("U|Organ", ("a photo of an organ",)))
    stage(tiny, vocabulary=more).look(seen(picture()))
    assert asked[number:] == ["a photo of an organ"]


def test_the_text_tower_is_not_loaded_for_known_sentences(tiny: Model) -> None:
    first = stage(tiny, least=0.0)
    vector = first.embed(picture())
    said = first.rescore(vector)
    (tiny.folder / "onnx" / "text_model.onnx").unlink()
    assert stage(tiny, least=0.0).rescore(vector) == said


@pytest.mark.parametrize(
    "change", ["revision", "tokenizer.json", "tokenizer_config.json", "text_model"]
)
def test_a_changed_model_never_meets_old_sentences(tiny: Model, change: str) -> None:
    from dataclasses import replace

    stage(tiny).look(seen(picture()))
    before = {path: path.read_bytes() for path in tiny.notes.glob("siglip-texts-*.npz")}
    assert len(before) == 1
    if change == "revision":
        other = replace(tiny, entry=replace(tiny.entry, revision="f" * 40))
    elif change == "text_model":
        from onnx import load, save

        path = tiny.folder / "onnx" / "text_model.onnx"
        graph = load(path)
        graph.doc_string = "another"
        save(graph, path)
        other = tiny.again()
    else:
        path = tiny.folder / change
        path.write_bytes(path.read_bytes() + b"\n")
        other = tiny.again()
    stage(other).look(seen(picture()))
    after = set(tiny.notes.glob("siglip-texts-*.npz"))
    assert len(after - set(before)) == 1
    assert all(path.read_bytes() == content for path, content in before.items())


def test_a_file_of_sentences_under_a_wrong_name_is_not_believed(tmp_path: Path) -> None:
    keys = [
        siglip_text.TextKey("a/b", "0" * 40, "text_model.onnx", digest, "t")
        for digest in ("one", "two")
    ]
    ones, twos = np.ones((1, 4), np.float32), np.full((1, 4), 2, np.float32)
    first, second = (siglip_text.TextCache(tmp_path, key) for key in keys)
    first.vectors(["x"], lambda _: ones)
    assert first.path is not None
    assert second.path is not None
    second.path.write_bytes(first.path.read_bytes())
    assert second.vectors(["x"], lambda _: twos)["x"].tolist() == [2, 2, 2, 2]
    assert first.vectors(["x"], lambda _: twos)["x"].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("damage", [b"", b"PK junk", None])
def test_a_damaged_file_of_sentences_is_made_again(tmp_path: Path, damage: bytes | None) -> None:
    key = siglip_text.TextKey("a/b", "0" * 40, "text_model.onnx", "d", "t")
    cache = siglip_text.TextCache(tmp_path, key)
    cache.vectors(["x"], lambda _: np.ones((1, 4), np.float32))
    assert cache.path is not None
    content = cache.path.read_bytes()
    cache.path.write_bytes(content[: len(content) // 2] if damage is None else damage)
    fresh = np.full((1, 4), 3, np.float32)
    assert cache.vectors(["x"], lambda _: fresh)["x"].tolist() == [3, 3, 3, 3]
    assert cache.vectors(["x"], lambda _: fresh[:, :0])["x"].tolist() == [3, 3, 3, 3]


def test_the_template_belongs_to_the_key(tmp_path: Path) -> None:
    key = siglip_text.TextKey("a/b", "0" * 40, "text_model.onnx", "d", "t")
    told = siglip_text.TextKey("a/b", "0" * 40, "text_model.onnx", "d", "t", "this is {}")
    assert key.digest != told.digest
    asked: list[str] = []

    def compute(sentences: object) -> siglip_text.Vectors:
        asked.extend(sentences)  # type: ignore[call-overload]
        return np.ones((1, 4), np.float32)

    siglip_text.TextCache(tmp_path, told).vectors(["rust"], compute)
    assert asked == ["this is rust"]


def test_the_id_changes_with_prompts_and_nothing_else_of_the_vocabulary(tiny: Model) -> None:
    same = taxonomy(*TERMS, ("U|No Prompts", ()))
    other = taxonomy(*TERMS[:2], ("U|Graffiti", ("a wall",)))
    assert stage(tiny, vocabulary=same).id == stage(tiny).id
    assert stage(tiny, vocabulary=other).id != stage(tiny).id
    assert stage(tiny, vocabulary=other).picture_id == stage(tiny).picture_id
    assert stage(tiny, threads=2).id == stage(tiny).id


@pytest.mark.parametrize("settings", [{"least": 0.1}, {"offset": 1.0}, {"variant": "int8"}])
def test_the_id_changes_with_what_an_answer_depends_on(
    tiny: Model, settings: dict[str, object]
) -> None:
    assert stage(tiny, **settings).id != stage(tiny).id


def test_the_id_names_what_computes(tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    from urbexmp.adapters.stages import onnx_run

    before = stage(tiny)
    monkeypatch.setattr(onnx_run, "runtime", lambda: "onnxruntime-gpu 1.31.1 CUDA")
    assert stage(tiny).id != before.id
    assert stage(tiny).picture_id != before.picture_id


@pytest.mark.parametrize("variant", ["int8", "fp16"])
def test_a_variant_that_agrees_is_used_and_checked_once(
    tiny: Model, variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from urbexmp.adapters.stages import siglip_check

    right = labels(stage(tiny, least=0.0).look(seen(picture())))
    said = labels(stage(tiny, variant=variant, least=0.0).look(seen(picture())))
    assert set(said) == set(right)
    assert (tiny.notes / siglip_check.NOTES).is_file()

    def never(*_: object, **__: object) -> None:
        raise AssertionError("checked again")

    monkeypatch.setattr(siglip_check, "agreement", never)
    assert labels(stage(tiny, variant=variant, least=0.0).look(seen(picture()))) == said


def wrongly_quantised(path: Path, name_part: str = "scale") -> None:
    """The scales of its weights mixed up: a legal graph that computes something else."""
    from onnx import load, numpy_helper, save

    graph = load(path)
    chance = np.random.default_rng(0)
    for one in graph.graph.initializer:
        if one.name.endswith(name_part):
            value = numpy_helper.to_array(one)
            wrong = (value * chance.choice([-1.0, 6.0], value.shape)).astype(value.dtype)
            one.CopyFrom(numpy_helper.from_array(wrong, one.name))
    save(graph, path)


def test_a_wrongly_quantised_model_is_refused_and_stays_refused(tiny: Model) -> None:
    wrongly_quantised(tiny.folder / "onnx" / "vision_model_quantized.onnx")
    broken = tiny.again()
    for _ in range(2):
        with pytest.raises(StageMissing, match=r"int8 .* disagrees with full precision") as caught:
            stage(broken, variant="int8").look(seen(picture()))
        assert 'variant = "fp32"' in str(caught.value)
    assert labels(stage(broken, least=0.0).look(seen(picture())))


def test_what_was_refused_is_taken_when_the_file_is_right_again(tiny: Model) -> None:
    path = tiny.folder / "onnx" / "vision_model_quantized.onnx"
    content = path.read_bytes()
    wrongly_quantised(path)
    with pytest.raises(StageMissing, match="disagrees"):
        stage(tiny.again(), variant="int8").look(seen(picture()))
    path.write_bytes(content)
    assert stage(tiny.again(), variant="int8", least=0.0).look(seen(picture()))


def test_a_wrongly_quantised_text_tower_is_refused_too(tiny: Model) -> None:
    wrongly_quantised(tiny.folder / "onnx" / "text_model_quantized.onnx")
    small = tiny.again()
    whole = model_reference(small)
    small = small.again(reference=whole.id).only("vision_model_quantized", "text_model_quantized")
    one = SiglipStage(VOCABULARY, small.weights(whole), model=MODEL, notes=small.notes)
    with pytest.raises(StageMissing, match="disagrees"):
        one.look(seen(picture()))
    assert not list(small.notes.glob("siglip-texts-*"))


def model_reference(tiny: Model) -> object:
    """A second entry with the files in full precision, in a folder of its own."""
    from dataclasses import replace

    entry = tiny.only("vision_model", "text_model").entry
    (tiny.folder.parent / "whole").symlink_to(tiny.folder, target_is_directory=True)
    return replace(entry, id="whole")


def test_the_reference_of_another_entry_is_used_where_it_is_here(tiny: Model) -> None:
    wrongly_quantised(tiny.folder / "onnx" / "vision_model_quantized.onnx")
    fresh = tiny.again()
    whole = model_reference(fresh)
    small = fresh.again(reference="whole").only("vision_model_quantized", "text_model")
    one = SiglipStage(VOCABULARY, small.weights(whole), model=MODEL, notes=small.notes)
    with pytest.raises(StageMissing, match="disagrees with full precision"):
        one.look(seen(picture()))


def test_without_a_reference_a_variant_is_held_against_itself_and_that_is_said(
    tiny: Model, caplog: pytest.LogCaptureFixture
) -> None:
    small = tiny.only("vision_model_quantized", "text_model_quantized")
    with caplog.at_level(logging.WARNING, "urbexmp.stages"):
        said = stage(small, variant="auto", least=0.0).look(seen(picture()))
    assert set(labels(said)) == {path for path, _ in TERMS}
    assert "checked against itself only" in caplog.text


def test_a_runtime_that_computes_a_variant_wrongly_is_found_without_a_reference(
    tiny: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    from urbexmp.adapters.stages import siglip_check

    right = siglip_check._right_vectors

    def otherwise(*given: object, **named: object) -> np.ndarray:
        return right(*given, **named)[:, ::-1]  # type: ignore[arg-type]

    monkeypatch.setattr(siglip_check, "_right_vectors", otherwise)
    small = tiny.only("vision_model_quantized", "text_model_quantized")
    with pytest.raises(StageMissing, match="disagrees with itself"):
        stage(small, variant="auto").look(seen(picture()))


def test_a_variant_that_gives_no_numbers_is_refused(tiny: Model) -> None:
    from urbexmp.adapters.stages.siglip_check import agreement

    good = np.eye(3, dtype=np.float32)
    bad = good.copy()
    bad[0, 0] = np.nan
    assert agreement(good, good).fits("int8")
    assert not agreement(bad, good).fits("int8")
    assert not agreement(good[:, :2], good).fits("int8")


def test_vectors_that_all_became_one_are_refused() -> None:
    """Each lies near the right one, and nothing can be told apart any more."""
    from urbexmp.adapters.stages.siglip_check import agreement

    middle = np.ones((4, 16), np.float32)
    right = middle + 0.3 * np.random.default_rng(0).standard_normal((4, 16)).astype(np.float32)
    found = np.tile(right.mean(axis=0), (4, 1))
    result = agreement(found, right)
    assert result.cosine > 0.85
    assert not result.fits("int8")


@pytest.mark.parametrize("missing", ["scale", "bias"])
def test_unknown_scale_or_bias_is_refused_not_guessed(tiny: Model, missing: str) -> None:
    one = stage(tiny.without(missing))
    assert "does not know scale and bias" in str(one.ready())
    with pytest.raises(StageMissing, match=r"does not know scale and bias of siglip-tiny"):
        one.look(seen(picture()))


@pytest.mark.parametrize("scale", ["unknown", 0, -1, True, float("nan")])
def test_a_senseless_scale_is_refused(tiny: Model, scale: object) -> None:
    one = stage(tiny.again(scale=scale))  # type: ignore[arg-type]
    assert isinstance(one.ready(), StageMissing)


def test_missing_weights_are_named_before_a_run(tiny: Model) -> None:
    one = stage(tiny)
    assert one.ready() is None
    (tiny.folder / "onnx" / "vision_model.onnx").unlink()
    assert isinstance(one.ready(), WeightsMissing)
    with pytest.raises(WeightsMissing, match="urbexmp models pull siglip-tiny"):
        one.look(seen(picture()))


def test_a_damaged_file_is_not_loaded(tiny: Model) -> None:
    path = tiny.folder / "onnx" / "vision_model.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsDamaged):
        stage(tiny).look(seen(picture()))


@pytest.mark.parametrize("variant", ["int4", "fp8"])
def test_a_variant_that_the_model_does_not_have_is_named(tiny: Model, variant: str) -> None:
    with pytest.raises(ConfigProblem, match=variant):
        stage(tiny, variant=variant)


def test_a_model_of_another_stage_is_refused(tiny: Model) -> None:
    from dataclasses import replace

    other = replace(tiny, entry=replace(tiny.entry, stage="ram"))
    with pytest.raises(ConfigProblem, match="a model of the stage ram"):
        stage(other)


def test_making_the_stage_imports_nothing_heavy() -> None:
    asked = (
        "import sys\n"
        "from urbexmp.adapters.stages.siglip import SiglipStage\n"
        "from urbexmp.adapters.weights import LocalWeights\n"
        "from urbexmp.model.weights import ModelEntry, WeightFile\n"
        "from urbexmp.rules.taxonomy import load_taxonomy\n"
        "from pathlib import Path\n"
        "files = tuple(WeightFile(f'onnx/{n}_model.onnx', 1, n * 8) for n in ('vision', 'text'))\n"
        "entry = ModelEntry('m', 'view', 'siglip', '', '', '', files,\n"
        "    settings={'scale': 100.0, 'bias': -10.0})\n"
        "tables = {'term': [{'path': 'U', 'prompts': ['a photo']}]}\n"
        "made = SiglipStage(load_taxonomy(tables, lambda *_: 0, 't'),\n"
        "    LocalWeights({'m': entry}, Path('none'), Path('none')), model='m')\n"
        "print(made.id, made.ready() is not None)\n"
        "print([one for one in ('numpy', 'onnxruntime', 'tokenizers', 'torch', 'PIL')\n"
        "    if one in sys.modules])\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert said[0].startswith("siglip@")
    assert said[0].endswith("True")
    assert said[1] == "[]"
