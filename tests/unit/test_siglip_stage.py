"""The siglip stage on a tiny model of the true architecture: what it says, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from siglip_models import TERMS, VOCABULARY, Model, labels, model, picture, seen, stage, taxonomy
from urbexmp.adapters.stages import siglip_text
from urbexmp.adapters.stages.onnx_run import OnnxModel
from urbexmp.model.errors import ConfigProblem
from urbexmp.model.observation import ObservationKind, StageLook
from urbexmp.model.stage_errors import StageFailed, StageMissing, WeightsDamaged, WeightsMissing
from urbexmp.rules.normalise import normalise
from urbexmp.rules.vectors import without_vectors
from urbexmp.rules.zero_shot import VIEW_PROMPTS, Calibration, sigmoid, z_of

LABEL, VIEW, PRIOR = ObservationKind.LABEL, ObservationKind.VIEW, ObservationKind.PRIOR


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp()


@pytest.fixture
def tiny(base: Path, tmp_path: Path) -> Model:
    return model(base, tmp_path)


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
        others = labels(alone)
        for path, score in labels(said).items():
            assert score == pytest.approx(others[path], rel=0.1, abs=1e-4)


def test_a_kept_vector_says_the_same_without_the_picture(tiny: Model) -> None:
    first = stage(tiny, least=0.0)
    vector = first.embed(picture())
    kinds = (LABEL, VIEW, PRIOR)
    looked = tuple(one for one in first.look(seen(picture())) if one.kind in kinds)
    (tiny.folder / "onnx" / "vision_model.onnx").unlink()
    assert stage(tiny, least=0.0).rescore(vector) == looked


def test_the_vector_comes_with_the_look_under_the_name_of_what_made_it(tiny: Model) -> None:
    one = stage(tiny)
    look, vectors = without_vectors(StageLook(one.id, one.look(seen(picture()))))
    assert vectors == {one.picture_id: one.embed(picture())}
    assert one.rescore(vectors[one.picture_id]) == look.observations
    assert stage(tiny, least=0.5).picture_id == one.picture_id
    assert stage(tiny, variant="int8").picture_id != one.picture_id


def test_a_vector_of_another_model_is_no_vector_of_this_one(tiny: Model) -> None:
    with pytest.raises(StageFailed, match="does not fit"):
        stage(tiny).rescore(b"\0" * 6)


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


def test_a_variant_that_the_model_does_not_have_is_named(tiny: Model) -> None:
    with pytest.raises(ConfigProblem, match=r"'fp16' is not among .*int8"):
        stage(tiny.only("vision_model_quantized", "text_model"), variant="fp16")


@pytest.mark.parametrize(
    "settings",
    [{"variant": "fp8"}, {"threads": 0}, {"threads": True}, {"least": 2.0}, {"offset": 1e9}],
)
def test_a_senseless_setting_is_refused(tiny: Model, settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(settings))} must"):
        stage(tiny, **settings)


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
