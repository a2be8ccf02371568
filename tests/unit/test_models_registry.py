"""The registry of models: the shipped one, its mistakes, and the user's own over it."""

from __future__ import annotations

import dataclasses
import string
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urbexmp.adapters.model_registry import (
    local_weights,
    own_models,
    read_registry,
    store_entry,
)
from urbexmp.adapters.shipped import shipped_models, shipped_names
from urbexmp.adapters.toml import parse_toml, set_value
from urbexmp.model.errors import ConfigProblem
from urbexmp.model.weights import ModelEntry, WeightFile
from urbexmp.rules.model_list import entry_values, load_models, models_of, name_fault

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HASH = "ab" * 32

GOOD = f"""\
[model.mine]
role = "view"
stage = "siglip"
licence = "MIT"
repository = "org/name"
revision = "{COMMIT}"
files = [
  {{ name = "onnx/a.onnx", size = 5, sha256 = "{HASH}" }},
  {{ name = "tokenizer.json" }},
]
settings = {{ scale = 117.3 }}
"""


def loaded(text: str) -> dict[str, ModelEntry]:
    document = parse_toml(text, Path("models.toml"))
    return dict(load_models(document.values, document.line_of, "models.toml"))


def mistakes(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigProblem) as caught:
        loaded(text)
    return caught.value.mistakes


def test_an_entry_is_read_as_it_stands() -> None:
    entry = loaded(GOOD)["mine"]
    assert entry.files[0] == WeightFile("onnx/a.onnx", 5, HASH)
    assert entry.files[1] == WeightFile("tokenizer.json", 0, "")
    assert entry.settings == {"scale": 117.3}
    assert not entry.pinned


def test_an_entry_is_pinned_once_everything_is_known() -> None:
    entry = loaded(GOOD)["mine"]
    whole = dataclasses.replace(entry, files=entry.files[:1])
    assert whole.pinned
    assert not dataclasses.replace(whole, revision="").pinned
    assert dataclasses.replace(whole, revision="", repository="").pinned
    assert not dataclasses.replace(whole, files=()).pinned


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('role = "view"', 'role = "looker"', "line 2: mine: role must be one of view, tagger"),
        ('role = "view"', "", "mine: role is missing"),
        ('licence = "MIT"', 'license = "MIT"', "did you mean licence?"),
        ("org/name", "https://x/y", "repository is written organisation/name"),
        (COMMIT, "main", "line 6: mine: revision must be a commit of 40 hex digits"),
        (HASH, "AB" * 32, "sha256 of onnx/a.onnx must be 64 small hex digits"),
        ("size = 5, ", "", "onnx/a.onnx has a sha256 and no size"),
        ("size = 5", "size = -5", "size of onnx/a.onnx must be a number of bytes"),
        ("onnx/a.onnx", "../a.onnx", "../a.onnx must be a path inside the repository"),
        ("onnx/a.onnx", "/etc/a.onnx", "must be a path inside the repository"),
        ("onnx/a.onnx", "modeling.py", "modeling.py is none of .safetensors"),
        ("onnx/a.onnx", "pytorch_model.bin", "is none of .safetensors"),
        ("tokenizer.json", "model.pth", "is a pickle, which may only be named with its sha256"),
        ("onnx/a.onnx", "onnx/*.onnx", "has a sign that no file name should have"),
        ("tokenizer.json", "onnx/A.onnx", "onnx/A.onnx is named twice"),
        ("scale = 117.3", "scale = [1]", "settings.scale must be text, a number"),
        ("scale = 117.3", "scale = nan", "settings.scale must be text, a number"),
        ("[model.mine]", "[model.Mine]", "'Mine' is no id"),
        ("[model.mine]", "[models.mine]", "there is no key 'models' here"),
        ('{ name = "tokenizer.json" }', "3", "files must be a list"),
    ],
)
def test_each_mistake_is_told_with_its_line(old: str, new: str, said: str) -> None:
    assert old in GOOD
    found = mistakes(GOOD.replace(old, new))
    assert any(said in one for one in found), found
    assert all(one.startswith("line ") for one in found)


def test_all_mistakes_are_told_at_once() -> None:
    text = GOOD.replace('"view"', '"x"').replace(COMMIT, "main").replace("size = 5", "size = -1")
    assert len(mistakes(text)) == 3


def test_a_pickle_with_its_hash_may_be_named() -> None:
    assert loaded(GOOD.replace("onnx/a.onnx", "a.pth"))["mine"].files[0].name == "a.pth"


def test_the_shipped_registry_is_sound() -> None:
    entries = read_registry({"URBEXMP_CONFIG": "/nowhere"}).entries
    assert {"siglip2-base-224", "siglip-base-224", "ram-plus", "florence2-base-ft"} <= set(entries)
    assert entries["siglip2-base-224"].pinned
    assert entries["siglip2-base-224"].size == 412_402_716
    for entry in entries.values():
        assert entry.stage == "vlm" if entry.model else entry.stage in ("siglip", "florence", "ram")
        assert entry.licence in ("Apache-2.0", "MIT")
        other = entry.settings.get("reference")
        lists = entry.settings.get("lists")
        assert other is None or other in entries
        assert lists is None or lists in entries


def test_the_registry_is_no_profile() -> None:
    assert shipped_models().is_file()
    assert "models" not in shipped_names("profiles")


def test_own_entries_take_the_place_of_shipped_ones(tmp_path: Path) -> None:
    own = tmp_path / "mine.toml"
    own.write_text(GOOD + GOOD.replace("model.mine", "model.ram-plus"))
    registry = read_registry({"URBEXMP_MODELS": str(own)})
    assert registry.own == {"mine", "ram-plus"}
    assert registry.entries["ram-plus"].stage == "siglip"
    assert registry.entries["siglip2-base-224"].pinned


def test_mistakes_in_the_own_registry_name_its_file(tmp_path: Path) -> None:
    own = tmp_path / "models.toml"
    own.write_text(GOOD.replace("view", "x"))
    with pytest.raises(ConfigProblem) as caught:
        read_registry({"URBEXMP_CONFIG": str(tmp_path)})
    assert str(own) in str(caught.value)


def test_a_stored_entry_comes_back_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "config" / "models.toml"
    path.parent.mkdir()
    path.write_text("# mine, and dear to me\n" + GOOD)
    entry = loaded(GOOD)["mine"]
    other = dataclasses.replace(entry, id="other-1.2", about='odd "name" \\ ü')
    store_entry(other, path)
    store_entry(dataclasses.replace(other, revision=COMMIT[::-1]), path)
    text = path.read_text()
    assert text.startswith("# mine, and dear to me\n" + GOOD)
    assert loaded(text) == {
        "mine": entry,
        "other-1.2": dataclasses.replace(other, revision=COMMIT[::-1]),
    }
    assert [one.name for one in path.parent.iterdir()] == ["models.toml"]


def test_the_first_stored_entry_makes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "models.toml"
    store_entry(loaded(GOOD)["mine"], path)
    assert loaded(path.read_text()) == loaded(GOOD)


NAMES = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)
TEXTS = st.text(st.characters(exclude_categories=("C",)), max_size=20)
FILES = st.lists(
    st.builds(
        lambda name, size, digit: WeightFile(f"{name}.onnx", size, digit * 64),
        NAMES,
        st.integers(1, 10**12),
        st.sampled_from("0123456789abcdef"),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda file: file.name,
)


@given(NAMES, FILES, TEXTS, st.dictionaries(NAMES, st.floats(-9, 9) | TEXTS | st.booleans()))
def test_writing_and_reading_an_entry_changes_nothing(
    name: str, files: list[WeightFile], about: str, settings: dict[str, float | str | bool]
) -> None:
    entry = ModelEntry(
        name, "view", "siglip", "o/n", COMMIT, "MIT", tuple(files), about,
        MappingProxyType(settings),
    )  # fmt: skip
    text = set_value("", ("model", name), entry_values(entry))
    again = loaded(text)[name]
    assert again == entry
    assert again.digest == entry.digest


@given(st.text(max_size=30), st.booleans())
def test_no_name_leads_out_of_a_folder(name: str, hashed: bool) -> None:
    if name_fault(name, hashed=hashed) == "":
        inside = Path("/models/x") / name
        assert inside.is_relative_to("/models/x")
        assert ".." not in inside.parts


def test_a_profile_names_its_models_or_takes_the_first() -> None:
    entries = read_registry({"URBEXMP_CONFIG": "/nowhere"}).entries
    stages = ("camera", "siglip", "ram")
    assert models_of(stages, {}, entries) == ("siglip2-base-224", "ram-plus")
    assert models_of(("ram",), {}, entries, {"ram": "ram-plus-torch"}) == (
        "ram-plus-torch",
        "ram-plus-lists",
    )
    settings = {"siglip": {"model": "siglip-base-224"}}
    assert models_of(stages, settings, entries) == ("siglip-base-224", "ram-plus")


class Looking:
    """A stage that names the model it takes where nobody says another."""

    def __init__(self, taxonomy: object, weights: object, model: str = "siglip-base-224") -> None:
        raise AssertionError("only asked for its defaults")


def test_a_stage_says_which_model_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    from urbexmp.adapters.stages import registry
    from urbexmp.cli.models import _defaults

    stages = {"siglip": f"{__name__}:Looking", "camera": registry.STAGES["camera"]}
    monkeypatch.setattr(registry, "STAGES", stages)
    assert dict(_defaults(("camera", "siglip", "none"))) == {"siglip": "siglip-base-224"}


def test_weights_live_in_the_state_folder(tmp_path: Path) -> None:
    environ = {"URBEXMP_STATE": str(tmp_path / "a"), "URBEXMP_CONFIG": str(tmp_path)}
    assert own_models(environ) == tmp_path / "a" / "models"
    assert local_weights(environ, tmp_path / "b").own == tmp_path / "b" / "models"
