"""The four parts of a Florence-2 as graphs: PyTorch, ONNX and ONNX Runtime for its conversion."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
import transformers
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from urbexmp.adapters.exporting.florence_modules import Encoder, Picture, Pictures, Step, Words

Given = Mapping[str, Any]

_LIMIT = 1_900_000_000
"""Bytes from which weights go into a file beside the graph: a protobuf message ends at 2 GiB."""


_NOISY = ("torch.onnx", "root")
"""Loggers by which exporter and quantiser talk to programmers."""


@contextmanager
def _silence() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in _NOISY]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # Of its own libraries' future: nothing to do with us.
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


class Parts:
    """A checkpoint in `folder`, as parts to write and to compare."""

    def __init__(self, folder: Path) -> None:
        """Raises whatever the library raises where it cannot load the model."""
        library: Any = transformers
        library.utils.logging.disable_progress_bar()
        library.utils.logging.set_verbosity_error()
        self.model: Any = library.Florence2ForConditionalGeneration.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            attn_implementation="eager",
            dtype=torch.float32,
        )
        self.model.eval()
        processor: Any = library.AutoProcessor.from_pretrained(folder, local_files_only=True)
        size = processor.image_processor.size
        self.side = (int(size["height"]), int(size["width"]))
        text = self.model.config.text_config
        self.layers = int(text.decoder_layers)
        self.heads = int(text.decoder_attention_heads)
        self.width = int(text.d_model)
        self.start = int(self.model.generation_config.decoder_start_token_id)

    def write(self, variants: Mapping[str, Mapping[str, Path]]) -> None:
        """Write the parts: by variant (`fp32`; `int8`: dynamic, weights per channel), by name.

        Exporting takes minutes for a model of true size, quantising seconds: it is done once.
        """
        folder = next(iter(variants.values()))["decoder_model_merged"].parent
        with tempfile.TemporaryDirectory(dir=folder) as made, _silence():
            done = self._export(Path(made))
            # Names of their own, because float32 may be wanted after int8.
            for variant, paths in variants.items():
                chosen = done
                if variant == "int8":
                    chosen = {
                        name: _quantised(path, path.with_name(f"{name}_int8.onnx"))
                        for name, path in done.items()
                    }
                parts = {name: onnx.load(path) for name, path in chosen.items()}
                merged = self._merge(parts.pop("step"), parts.pop("picture"))
                _save(merged, paths["decoder_model_merged"])
                for name, part in parts.items():
                    _save(part, paths[name])

    def _export(self, here: Path) -> dict[str, Path]:
        """float32 graphs of the parts; the decoder's two apart."""
        language = self.model.model.language_model
        embeds = torch.zeros(2, 3, self.width)
        mask = torch.ones(2, 3, dtype=torch.int64)
        batch, tokens = torch.export.Dim.DYNAMIC, torch.export.Dim.DYNAMIC
        done: dict[str, Path] = {}

        def export(
            name: str, module: nn.Module, given: Given, outputs: list[str], **axes: Any
        ) -> None:
            inputs = [
                inner
                for key, value in given.items()
                for inner in (self._kept_names() if isinstance(value, list) else [key])
            ]
            path = here / f"{name}.onnx"
            with torch.no_grad():
                torch.onnx.export(
                    module.eval(),
                    kwargs=dict(given),
                    f=path,
                    input_names=inputs,
                    output_names=outputs,
                    dynamic_shapes=axes,
                    dynamo=True,
                    external_data=False,
                    verbose=False,
                )
            done[name] = path

        export(
            "vision_encoder",
            Pictures(self.model),
            {"pixel_values": torch.zeros(2, 3, *self.side)},
            ["image_features"],
            pixel_values={0: batch},
        )
        export(
            "embed_tokens",
            Words(self.model),
            {"input_ids": torch.zeros(2, 3, dtype=torch.int64)},
            ["inputs_embeds"],
            input_ids={0: batch, 1: tokens},
        )
        export(
            "encoder_model",
            Encoder(language.encoder),
            {"attention_mask": mask, "inputs_embeds": embeds},
            ["last_hidden_state"],
            attention_mask={0: batch, 1: tokens},
            inputs_embeds={0: batch, 1: tokens},
        )
        export(
            "picture",
            Picture(language.decoder),
            {"encoder_hidden_states": embeds},
            [f"picture.{name}" for name in self._kept("encoder")],
            encoder_hidden_states={0: batch, 1: tokens},
        )
        # Each a tensor of its own: what is one object here becomes one input of the graph.
        kept = [
            torch.zeros(2, self.heads, tokens_before, self.width // self.heads)
            for _ in range(self.layers)
            for tokens_before in (4, 4, 3, 3)
        ]
        export(
            "step",
            Step(language.decoder, self.model.lm_head),
            {
                "encoder_attention_mask": mask,
                "inputs_embeds": torch.zeros(2, 1, self.width),
                "kept": kept,
            },
            ["logits", *(f"present.{name}" for name in self._kept("decoder"))],
            encoder_attention_mask={0: batch, 1: tokens},
            inputs_embeds={0: batch},
            kept=[{0: batch, 2: tokens}] * (4 * self.layers),
        )
        return done

    def _kept(self, side: str) -> list[str]:
        return [f"{n}.{side}.{what}" for n in range(self.layers) for what in ("key", "value")]

    def _kept_names(self) -> list[str]:
        return [
            f"past_key_values.{n}.{side}.{what}"
            for n in range(self.layers)
            for side in ("decoder", "encoder")
            for what in ("key", "value")
        ]

    def _merge(self, step: Any, picture: Any) -> Any:
        """One graph: `step`, with the picture's keys and values handed in or computed first."""
        outer, inner = step.graph, picture.graph
        _rename(inner, "picture/", keep={"encoder_hidden_states"})
        names = self._kept("encoder")
        float_type = onnx.TensorProto.FLOAT

        def shape(tokens: str) -> list[Any]:
            return ["batch", self.heads, tokens, self.width // self.heads]

        def values(prefix: str) -> list[Any]:
            make = onnx.helper.make_tensor_value_info
            return [make(prefix + name, float_type, shape("picture_tokens")) for name in names]

        handed = onnx.helper.make_graph(
            [
                onnx.helper.make_node("Identity", [f"past_key_values.{name}"], [f"handed.{name}"])
                for name in names
            ],
            "handed",
            [],
            values("handed."),
        )
        fresh = onnx.helper.make_graph(
            list(inner.node), "fresh", [], list(inner.output), list(inner.initializer)
        )
        # What the step calls the picture's inputs is from here on what the choice gives.
        chosen = {f"past_key_values.{name}": f"present.{name}" for name in names}
        for node in outer.node:
            node.input[:] = [chosen.get(name, name) for name in node.input]
        choice = onnx.helper.make_node(
            "If",
            ["use_cache_branch_scalar"],
            [f"present.{name}" for name in names],
            then_branch=handed,
            else_branch=fresh,
        )
        # The hub's files take the choice as a list of one.
        axes = onnx.helper.make_tensor("squeezed_axis", onnx.TensorProto.INT64, [1], [0])
        squeeze = onnx.helper.make_node(
            "Squeeze", ["use_cache_branch", "squeezed_axis"], ["use_cache_branch_scalar"]
        )
        nodes = [squeeze, choice, *outer.node]
        del outer.node[:]
        outer.node.extend(nodes)
        outer.initializer.append(axes)
        make = onnx.helper.make_tensor_value_info
        outer.input.append(
            make("encoder_hidden_states", float_type, ["batch", "encoder_tokens", self.width])
        )
        outer.input.append(make("use_cache_branch", onnx.TensorProto.BOOL, [1]))
        outer.output.extend(values("present."))
        del outer.value_info[:]
        known = {one.domain for one in step.opset_import}
        step.opset_import.extend(one for one in picture.opset_import if one.domain not in known)
        return step

    def compare(self, paths: Mapping[str, Path], steps: int) -> tuple[dict[str, float], bool]:
        """Greatest relative difference of each part, and whether greedy tokens are the same."""
        run = {name: _session(path) for name, path in paths.items()}
        chance = np.random.default_rng(7)
        pixels = chance.standard_normal((1, 3, *self.side), dtype=np.float32)
        asked = chance.integers(4, 200, (1, 7), dtype=np.int64)
        gaps: dict[str, float] = {}
        language = self.model.model.language_model
        with torch.no_grad():
            true = self.model.get_image_features(torch.from_numpy(pixels), return_dict=True)
            image = run["vision_encoder"].run(None, {"pixel_values": pixels})[0]
            gaps["vision_encoder"] = _gap(image, true.pooler_output)
            words = run["embed_tokens"].run(None, {"input_ids": asked})[0]
            true_words = self.model.get_input_embeddings()(torch.from_numpy(asked))
            gaps["embed_tokens"] = _gap(words, true_words)
            true_given = torch.cat((true.pooler_output, true_words), dim=1)
            given = np.concatenate((image, words), axis=1)
            mask = np.ones(given.shape[:2], dtype=np.int64)
            state = run["encoder_model"].run(
                None, {"attention_mask": mask, "inputs_embeds": given}
            )[0]
            true_state = language.encoder(inputs_embeds=true_given).last_hidden_state
            gaps["encoder_model"] = _gap(state, true_state)
            kept: dict[str, Any] = {}
            written = [self.start]
            same, worst = True, 0.0
            for step in range(steps):
                token = run["embed_tokens"].run(
                    None, {"input_ids": np.array([[written[-1]]], dtype=np.int64)}
                )[0]
                kept = _step(run["decoder_model_merged"], token, state, mask, kept, self)
                true_logits = self.model.lm_head(
                    language.decoder(
                        input_ids=torch.tensor([written]), encoder_hidden_states=true_state
                    ).last_hidden_state[:, -1]
                )
                worst = max(worst, _gap(kept["logits"][:, -1], true_logits))
                best = int(true_logits.argmax())
                same = same and int(kept["logits"][0, -1].argmax()) == best
                written.append(best)
                del step
            gaps["decoder_model_merged"] = worst
        return gaps, same


def _step(
    session: Any, token: Any, state: Any, mask: Any, kept: dict[str, Any], parts: Parts
) -> dict[str, Any]:
    given = {
        "encoder_attention_mask": mask,
        "encoder_hidden_states": state,
        "inputs_embeds": token,
        "use_cache_branch": np.array([bool(kept)]),
    }
    nothing = np.zeros((1, parts.heads, 0, parts.width // parts.heads), dtype=np.float32)
    for name in parts._kept_names():
        given[name] = kept.get(name.replace("past_key_values", "present"), nothing)
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(names, given), strict=True))


def _session(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _gap(found: Any, true: Tensor) -> float:
    wanted = true.numpy()
    return float(np.abs(found - wanted).max() / max(1e-9, np.abs(wanted).max()))


def _quantised(path: Path, out: Path) -> Path:
    """Weights of products to signed bytes, per channel. Not convolutions: slower so, on CPUs."""
    quantize_dynamic(
        path,
        out,
        weight_type=QuantType.QInt8,
        per_channel=True,
        op_types_to_quantize=["MatMul", "Gemm"],
        extra_options={"MatMulConstBOnly": True},
    )
    return out


def _rename(graph: Any, prefix: str, keep: set[str]) -> None:
    """Give every name of a graph that will stand inside another a prefix."""

    def new(name: str) -> str:
        return name if not name or name in keep or name.startswith("picture.") else prefix + name

    for node in graph.node:
        node.name = prefix + node.name
        node.input[:] = [new(name) for name in node.input]
        node.output[:] = [new(name) for name in node.output]
    for tensor in graph.initializer:
        tensor.name = new(tensor.name)


def _save(model: Any, path: Path) -> None:
    large = model.ByteSize() > _LIMIT
    beside = path.with_name(path.name + "_data")
    beside.unlink(missing_ok=True)
    onnx.save(
        model,
        path,
        save_as_external_data=large,
        all_tensors_to_one_file=True,
        location=beside.name if large else None,
    )
