"""ONNX Runtime behind one door: what it answers, what is said when it cannot."""

from __future__ import annotations

import importlib.util
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from urbexmp.adapters.stages import onnx_run
from urbexmp.adapters.stages.onnx_run import CPU, OnnxModel
from urbexmp.model.stage_errors import ExtraMissing, StageFailed, StageMissing


@pytest.fixture(scope="module")
def sums(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from onnx import TensorProto, helper, save

    ends = {
        name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"])
        for name in ("a", "b", "sum", "product")
    }
    nodes = [
        helper.make_node("Add", ["a", "b"], ["sum"]),
        helper.make_node("Mul", ["a", "b"], ["product"]),
    ]
    graph = helper.make_graph(nodes, "sums", [ends["a"], ends["b"]], [ends["sum"], ends["product"]])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path = tmp_path_factory.mktemp("onnx") / "sums.onnx"
    save(made, path)
    return path


def of(*numbers: float) -> np.ndarray:
    return np.array(numbers, dtype=np.float32)


def test_outputs_come_by_name_and_only_those_asked_for(sums: Path) -> None:
    model = OnnxModel(sums)
    given = {"a": of(2, 3), "b": of(4, 5)}
    assert {name: list(one) for name, one in model.run(given).items()} == {
        "sum": [6, 8],
        "product": [8, 15],
    }
    assert list(model.run(given, ["product"])) == ["product"]
    assert model.inputs == {"a": ("n",), "b": ("n",)}
    assert set(model.outputs) == {"sum", "product"}
    assert model.types["a"] == "tensor(float)"


def test_without_optimisations_the_answer_is_the_same(sums: Path) -> None:
    plain = OnnxModel(sums, optimise=False)
    assert list(plain.run({"a": of(2), "b": of(4)})["sum"]) == [6]


def test_a_provider_that_is_not_there_is_said_and_the_cpu_computes(
    sums: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "urbexmp.stages"):
        model = OnnxModel(sums, providers=["NoSuchExecutionProvider"], stage="siglip")
    assert model.provider == CPU
    assert "NoSuchExecutionProvider" in model.notice
    assert "siglip" in caplog.text
    assert "NoSuchExecutionProvider" in caplog.text
    assert list(model.run({"a": of(1), "b": of(1)})["sum"]) == [2]


def test_a_provider_that_breaks_while_loading_is_said_and_the_cpu_computes(
    sums: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    right = onnxruntime.InferenceSession

    def session(path: str, options: object, providers: list[str]) -> object:
        if "CUDAExecutionProvider" in providers:
            raise RuntimeError("libcudnn.so.9: cannot open shared object file\nmore lines")
        return right(path, options, providers=providers)

    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", CPU]
    )
    model = OnnxModel(sums, providers=["CUDAExecutionProvider"])
    assert model.provider == CPU
    assert model.notice == ("CUDAExecutionProvider: libcudnn.so.9: cannot open shared object file")


def test_nothing_is_said_where_all_is_well(sums: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert OnnxModel(sums).notice == ""
    assert not caplog.records


@pytest.mark.parametrize("content", [b"junk", b"", None])
def test_a_file_that_is_no_model_is_a_problem_in_words(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "bad.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StageMissing, match=r"bad\.onnx.*cannot load the model"):
        OnnxModel(path)


def test_an_input_that_does_not_fit_fails_the_photo_only(sums: Path) -> None:
    model = OnnxModel(sums, stage="ram")
    with pytest.raises(StageFailed, match="stage ram failed"):
        model.run({"a": of(1, 2), "b": of(1, 2, 3)})
    assert list(model.run({"a": of(1), "b": of(1)})["sum"]) == [2]


def test_running_out_of_memory_is_told_apart(sums: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def run(self, *_: object) -> None:
            raise RuntimeError("BFCArena: Failed to allocate memory for requested buffer of size 1")

    model = OnnxModel(sums)
    monkeypatch.setattr(model, "_session", Full())
    with pytest.raises(MemoryError):
        model.run({"a": of(1), "b": of(1)})


def test_the_runtime_is_named_without_loading_it() -> None:
    asked = (
        "import sys; from urbexmp.adapters.stages import onnx_run; print(onnx_run.runtime());"
        "print([one for one in ('onnxruntime', 'numpy') if one in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert said[0].startswith("onnxruntime")
    assert said[1] == "[]"


def test_a_missing_package_is_one_sentence_with_the_command(
    sums: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert onnx_run.runtime() == ""
    with pytest.raises(ExtraMissing, match=r"pip install 'urbexmp\[onnx\]'"):
        OnnxModel(sums)
