"""Profiles as a person meets them: what wins, what is told, what is named."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from urbexmp.adapters.shipped import shipped, shipped_names
from urbexmp.adapters.toml import parse_toml, read_toml
from urbexmp.model.errors import ConfigProblem
from urbexmp.model.profile import Profile, Settings
from urbexmp.rules.profile import load_settings
from urbexmp.rules.profile_keys import KEYS, as_toml, env_mistakes, parse_value, reference
from urbexmp.rules.profile_show import shown_values
from urbexmp.rules.standing_in import stand_ins
from urbexmp.rules.vlm_settings import NAMES, VlmSettings, vlm_settings


def loaded(
    text: str,
    environ: dict[str, str] | None = None,
    flags: dict[str, object] | None = None,
    name: str = "mine.toml",
) -> Settings:
    document = parse_toml(text, Path(name))
    return load_settings(document.values, document.line_of, name, environ or {}, flags or {})


def mistakes(text: str, environ: dict[str, str] | None = None, **flags: object) -> tuple[str, ...]:
    with pytest.raises(ConfigProblem) as caught:
        loaded(text, environ, flags)
    return caught.value.mistakes


def test_an_empty_file_is_the_default_profile_under_its_own_name() -> None:
    settings = loaded("")
    assert settings.profile == Profile(name="mine")
    assert set(settings.origins.values()) == {"default"}


def test_the_table_of_keys_covers_every_choice_of_a_profile() -> None:
    fields = set(Profile.__dataclass_fields__) - {"name", "stage_settings"}
    assert {key.name for key in KEYS} == fields
    assert len(KEYS) == len(fields)


def test_flags_go_before_environment_before_file_before_default() -> None:
    text = "threshold = 0.6\nmax_keywords = 10\nworkers = 2\n"
    environ = {"URBEXMP_MAX_KEYWORDS": "11", "URBEXMP_WORKERS": "3"}
    settings = loaded(text, environ, {"workers": "4", "flat": None})
    assert settings.profile.threshold == 0.6
    assert settings.profile.max_keywords == 11
    assert settings.profile.workers == 4
    assert settings.profile.flat == "leaf+ancestors"
    assert settings.origins["threshold"] == "profile mine.toml:1"
    assert settings.origins["max_keywords"] == "environment URBEXMP_MAX_KEYWORDS"
    assert settings.origins["workers"] == "flag --workers"
    assert settings.origins["flat"] == "default"


def test_every_mistake_is_told_at_once_with_its_line_and_a_guess() -> None:
    told = mistakes(
        'treshold = 1\nstages = ["pixles"]\nthreshold = 2\nask_from = true\nflat = "leafs"\n'
        "[stage.pixel]\nsize = 1\n[stage.pixels]\nsize = []\n[thresholds]\nplace = 7\n",
        {"URBEXMP_WORKERS": "many"},
        max_keywords=0,
    )
    joined = "\n".join(told)
    assert "line 1: treshold: no such key; did you mean threshold?" in joined
    assert "line 2: stages: 'pixles': no such stage; did you mean pixels?" in joined
    assert "line 3: threshold: 2 is not a number from 0 to 1" in joined
    assert "line 4: ask_from: true is not a number" in joined
    assert "line 5: flat:" in joined
    assert "did you mean leaf?" in joined
    assert "line 6: stage.pixel: no such stage; did you mean pixels?" in joined
    assert "line 9: stage.pixels.size: a list is not" in joined or "[] is not" in joined
    assert "line 11: thresholds.place: 7 is not a number from 0 to 1" in joined
    assert "URBEXMP_WORKERS: 'many' is not a whole number" in joined
    assert "--max-keywords: 0 is not a whole number from 1 to 500" in joined
    assert len(told) == 10


def test_the_problem_prints_each_mistake_on_its_own_line() -> None:
    with pytest.raises(ConfigProblem) as caught:
        loaded("a = 1\nb = 2\n")
    lines = str(caught.value).splitlines()
    assert lines[0] == "mine.toml: 2 mistakes:"
    assert len(lines) == 4
    assert lines[-1].startswith("Nothing was done.")
    assert caught.value.code == 2


def test_stage_tables_and_thresholds_come_from_all_three_places() -> None:
    settings = loaded(
        "[stage.pixels]\nsize = 512\nfast = true\n[thresholds]\npixels = 0.6\nplace = 0.7\n",
        {"URBEXMP_STAGE_PIXELS_SIZE": "256", "URBEXMP_THRESHOLDS": "camera=0.8, place=0.9"},
        {"thresholds.place": "0.4", "stage.camera.mode": "strict"},
    )
    assert settings.profile.stage_settings == {
        "camera": {"mode": "strict"},
        "pixels": {"size": 256, "fast": True},
    }
    assert settings.profile.thresholds == {"camera": 0.8, "pixels": 0.6, "place": 0.4}
    assert settings.origins["stage.pixels.fast"] == "profile mine.toml:3"
    assert settings.origins["stage.pixels.size"] == "environment URBEXMP_STAGE_PIXELS_SIZE"
    assert settings.origins["thresholds.place"] == "flag --set thresholds.place"
    assert {origin for _, _, origin in shown_values(settings)} >= {"default"}


@pytest.mark.parametrize("text", ["nan", "inf", "-0.1", "1.01", "", "a"])
def test_a_threshold_outside_0_to_1_is_refused(text: str) -> None:
    assert mistakes("", {"URBEXMP_THRESHOLD": text})


@pytest.mark.parametrize(("text", "meant"), [("yes", True), ("OFF", False), ("1", True)])
def test_switches_in_the_environment(text: str, meant: bool) -> None:
    assert loaded("", {"URBEXMP_RETRACT": text}).profile.retract is meant


def test_asking_from_above_the_threshold_is_a_mistake_of_whoever_says_so() -> None:
    assert "ask_from" in mistakes("ask_from = 0.8\n")[0]
    assert "ask_from" in mistakes("threshold = 0.5\n", ask_from="0.6")[0]
    # A lower threshold for one run must not trip over what the file says.
    assert loaded("ask_from = 0.35\n", None, {"threshold": "0.2"}).profile.threshold == 0.2


def test_a_stage_listed_twice_or_none_is_a_mistake() -> None:
    assert "twice" in mistakes('stages = ["camera", "camera"]\n')[0]
    assert "at least one" in mistakes("stages = []\n")[0]


def test_a_profile_name_must_fit_into_our_block() -> None:
    with pytest.raises(ConfigProblem, match="named after its file"):
        loaded("", name="a;b.toml")


def test_variables_that_mean_nothing_are_told_with_a_guess() -> None:
    environ = {"URBEXMP_TRESHOLD": "1", "URBEXMP_STATE": "x", "URBEXMP_STAGE_PIXELS_A": "1"}
    (told,) = env_mistakes(environ, ("URBEXMP_STATE",))
    assert told == "URBEXMP_TRESHOLD: no such variable; did you mean URBEXMP_THRESHOLD?"


def test_the_shipped_profile_is_the_default_and_its_comments_tell_the_truth() -> None:
    assert shipped_names("profiles") == ("full", "offline", "standard")
    path = shipped("profiles", "offline")
    document = read_toml(path)
    settings = load_settings(document.values, document.line_of, path, {}, {})
    assert settings.profile == Profile()
    text = path.read_text(encoding="utf-8")
    commented = re.findall(r"^# (\w+) = (.+)$", text, re.MULTILINE)
    told = {name: tomllib.loads(f"x = {value}")["x"] for name, value in commented}
    for example in ("pixels", "timeout", "load_timeout"):  # inside [thresholds], [stage.ocr]
        told.pop(example)
    for name, value in told.items():
        default = getattr(Profile(), name)
        assert value == (list(default) if isinstance(default, tuple) else default), name
    shown = set(told) | set(document.values) | {"thresholds"}
    assert shown == {key.name for key in KEYS}


def test_the_profile_with_models_reads_and_names_its_fallback() -> None:
    path = shipped("profiles", "standard")
    document = read_toml(path)
    profile = load_settings(document.values, document.line_of, path, {}, {}).profile
    assert dict(stand_ins(profile)) == {"ram": "florence"}
    assert set(profile.optional) < set(profile.stages)
    assert profile.without == "stop"


def test_the_profile_with_a_server_reads_and_its_comments_tell_the_truth() -> None:
    path = shipped("profiles", "full")
    document = read_toml(path)
    profile = load_settings(document.values, document.line_of, path, {}, {}).profile
    standard = read_toml(shipped("profiles", "standard")).values["stages"]
    assert profile.stages == (*standard, "vlm")
    assert profile.without == "stop"
    table = path.read_text(encoding="utf-8").partition("[stage.vlm]")[2]
    commented = re.findall(r"^# (\w+) = (.+)$", table, re.MULTILINE)
    told = {name: tomllib.loads(f"x = {value}")["x"] for name, value in commented}
    assert vlm_settings({**profile.stage_settings["vlm"], **told}) == VlmSettings()
    assert {*told, *profile.stage_settings["vlm"], "unscored"} == NAMES


def test_an_unknown_shipped_name_is_told_with_a_guess() -> None:
    with pytest.raises(ConfigProblem, match="did you mean offline"):
        shipped("profiles", "oflin")


def test_the_reference_names_every_key_with_a_default_that_reads_back() -> None:
    for key, default in reference():
        assert key.help.endswith(".")
        assert key.env.startswith("URBEXMP_")
        if key.kind != "numbers by stage":
            assert loaded(f"{key.name} = {default}\n").profile == Profile(name="mine")


names = st.sampled_from([key.name for key in KEYS])


@given(name=names, value=st.one_of(st.text(), st.integers(), st.floats(), st.booleans()))
def test_whatever_is_given_is_taken_or_told(name: str, value: object) -> None:
    digests = set()
    told = 0
    for _ in range(2):
        try:
            digests.add(loaded("", None, {name: value}).profile.digest)
        except ConfigProblem as problem:
            told += len(problem.mistakes)
    assert (len(digests), told) == (1, 0) or (not digests and told >= 2)


@given(st.floats(0, 1), st.integers(0, 256), st.booleans(), st.text())
def test_values_shown_read_back(threshold: float, workers: int, retract: bool, text: str) -> None:
    for name, value in (("threshold", threshold), ("workers", workers), ("retract", retract)):
        assert parse_value(name, as_toml(value))[0] == (name,)
    if "\x00" not in text and text.isprintable():
        assert tomllib.loads(f"x = {as_toml(text)}")["x"] == text
