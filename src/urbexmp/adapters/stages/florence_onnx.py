"""Florence-2 on ONNX Runtime, without PyTorch: two to four times as fast on CPUs without AMX.

On those with it PyTorch is as fast, and in bfloat16 faster (measured: docs/stages.md).

The graphs are those of the hub (`onnx-community/Florence-2-*`), or our own conversion. Answers
are greedy and token for token those of the library's `generate` (tested), with its two rules on
tokens that the published models ask for: a forced first token, and no trigram twice.

One question at a time. Answers of a dynamically quantised model depend on all that is in a batch,
because ranges are taken over it: a photo's answer must not depend on its neighbours.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from urbexmp.adapters.stages.onnx_run import CPU, OnnxModel
from urbexmp.adapters.stages.tokens import Tokens
from urbexmp.model.stage_errors import StageMissing
from urbexmp.rules.florence_files import Variant
from urbexmp.rules.florence_text import Said

STAGE = "florence"

Array = NDArray[Any]

_KINDS = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class OnnxFlorence:
    """One Florence-2, loaded. For one thread at a time."""

    def __init__(
        self, folder: Path, variant: Variant, *, threads: int = 1, optimise: bool = True
    ) -> None:
        """Load the graphs of `variant`; without `optimise` they are computed node by node, on
        the processor. Raises `ExtraMissing`, `StageMissing`, `MemoryError`."""
        self._pictures, self._words, self._encoder, self._decoder = (
            OnnxModel(
                folder / name,
                providers=None if optimise else (CPU,),
                threads=threads,
                stage=STAGE,
                optimise=optimise,
            )
            for name in variant.files
        )
        self._tokens = Tokens(folder / "tokenizer.json", STAGE)
        try:
            self._rules = _Rules(folder)
            self._pieces = _pieces(folder / "tokenizer.json")
            self._nothing = _empty_cache(self._decoder, self._rules)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StageMissing(
                folder,
                stage=STAGE,
                detail=f"its files do not say how the model is to be used ({error!r})",
                advice="Bring them again with `urbexmp models pull`, or choose another model",
            ) from error
        self.provider = self._decoder.provider

    def features(self, pixels: NDArray[np.float32]) -> Array:
        """Features of pictures (n, 3, side, side), for `answer`. Raises `MemoryError`."""
        made = [
            self._run(self._pictures, {"pixel_values": picture[None]})["image_features"][0]
            for picture in pixels
        ]
        return np.stack(made)

    def together(self, features: Sequence[Array]) -> Array:
        """Features of single pictures as one batch."""
        return np.stack(features)

    def answer(
        self, features: Array, asked: Sequence[tuple[int, str]], *, beams: int, max_tokens: int
    ) -> list[Said]:
        """Answer questions: which picture of `features`, and the task's sentence.

        `beams` is 1: only greedy answers are made here. Raises `MemoryError`, `StageFailed`.
        """
        if beams != 1:
            raise ValueError("ONNX answers are greedy: beams is 1")
        return [self._answer(features[picture], prompt, max_tokens) for picture, prompt in asked]

    def release(self) -> None:
        """Nothing is cached between questions."""

    def follow(
        self, seen: Array, prompt: str, words: Sequence[int] | None, most: int
    ) -> tuple[list[int], NDArray[np.float32]]:
        """Numbers of an answer's `words`, and the logits from which each would be chosen.

        `words` are fed to the model whatever it would say; None: its own, at most `most`.
        """
        written: list[int] = []
        rows: list[NDArray[np.float32]] = []
        steps = self._steps(seen, prompt)
        logits = next(steps)
        for number in range(most if words is None else len(words)):
            rows.append(logits.copy())
            own = self._rules.next(logits, [self._rules.start, *written])[0]
            written.append(own if words is None else words[number])
            if words is None and own == self._rules.eos:
                break
            logits = steps.send(written[-1])
        return written, np.stack(rows)

    def _answer(self, seen: Array, prompt: str, max_tokens: int) -> Said:
        rules = self._rules
        written = [rules.start]
        logs: list[float] = []
        steps = self._steps(seen, prompt)
        logits = next(steps)
        while True:
            number, log = rules.next(logits, written)
            written.append(number)
            logs.append(log)
            if number == rules.eos or len(logs) >= max_tokens:
                break
            logits = steps.send(number)
        return Said(tuple(self._pieces[number] for number in written[1:]), tuple(logs))

    def _steps(self, seen: Array, prompt: str) -> Generator[NDArray[np.float32], int, None]:
        """Logits of the next word of an answer; the word that is taken is sent in."""
        rules = self._rules
        numbers = [rules.bos, *self._tokens.encode(prompt, special=False), rules.eos]
        words = self._embed(numbers)
        given = np.concatenate((seen[None].astype(words.dtype), words), axis=1)
        mask = np.ones(given.shape[:2], dtype=np.int64)
        state = self._run(self._encoder, {"attention_mask": mask, "inputs_embeds": given})[
            "last_hidden_state"
        ]
        kept: dict[str, Array] = dict(self._nothing)
        own = [name for name in self._decoder.outputs if ".encoder." not in name]
        last, first = rules.start, True
        while True:
            found = self._run(
                self._decoder,
                {
                    "encoder_attention_mask": mask,
                    "encoder_hidden_states": state,
                    "inputs_embeds": self._embed([last]),
                    "use_cache_branch": np.array([not first]),
                    **kept,
                },
                # The picture's keys and values stay what the first step made of them.
                None if first else own,
            )
            for name, array in found.items():
                if name != "logits":
                    kept[name.replace("present", "past_key_values")] = array
            first = False
            last = yield found["logits"][0, -1].astype(np.float32)

    def _embed(self, numbers: Sequence[int]) -> Array:
        given = {"input_ids": np.array([numbers], dtype=np.int64)}
        return self._words.run(given)["inputs_embeds"]

    def _run(
        self, model: OnnxModel, given: Mapping[str, Array], outputs: Sequence[str] | None = None
    ) -> dict[str, Array]:
        """Run with what the graph takes, in the precision that it takes it in."""
        return model.run(
            {
                name: array.astype(_KINDS.get(model.types[name], array.dtype), copy=False)
                for name, array in given.items()
                if name in model.inputs
            },
            outputs,
        )


class _Rules:
    """How the published models choose tokens, from `generation_config.json` and `config.json`."""

    def __init__(self, folder: Path) -> None:
        text = json.loads((folder / "config.json").read_bytes()).get("text_config", {})
        path = folder / "generation_config.json"
        said = json.loads(path.read_bytes()) if path.is_file() else {}

        def number(name: str, usual: int) -> int:
            value = said.get(name, text.get(name))
            return usual if value is None else int(value)

        # BART's numbers, which Florence-2 uses.
        self.bos = number("bos_token_id", 0)
        self.eos = number("eos_token_id", 2)
        self.start = number("decoder_start_token_id", 2)
        self.forced_first = number("forced_bos_token_id", -1)
        self.no_repeat = number("no_repeat_ngram_size", 0)
        self.heads = int(text["decoder_attention_heads"])
        self.head_width = int(text["d_model"]) // self.heads

    def next(self, logits: NDArray[np.float32], written: Sequence[int]) -> tuple[int, float]:
        """The likeliest token that may follow, and the logarithm of its probability."""
        if len(written) == 1 and self.forced_first >= 0:
            return self.forced_first, 0.0
        for banned in self._banned(written):
            logits[banned] = -np.inf
        number = int(logits.argmax())
        top = logits[number]
        return number, float(-np.log(np.exp(logits - top).sum(dtype=np.float64)))

    def _banned(self, written: Sequence[int]) -> list[int]:
        """Tokens that would write a run of `no_repeat` tokens a second time."""
        length = self.no_repeat
        if length < 1 or len(written) + 1 < length:
            return []
        last = list(written[len(written) - length + 1 :])
        return [
            written[start + length - 1]
            for start in range(len(written) - length + 1)
            if list(written[start : start + length - 1]) == last
        ]


def _pieces(path: Path) -> dict[int, str]:
    """Tokens as the vocabulary spells them, by number."""
    said = json.loads(path.read_bytes())
    pieces = {int(number): str(token) for token, number in said["model"]["vocab"].items()}
    pieces |= {int(one["id"]): str(one["content"]) for one in said["added_tokens"]}
    return pieces


def _empty_cache(decoder: OnnxModel, rules: _Rules) -> dict[str, Array]:
    """Keys and values before the first token: of length 0."""
    shape = (1, rules.heads, 0, rules.head_width)
    names = [name for name in decoder.inputs if name.startswith("past_key_values.")]
    return {name: np.zeros(shape, dtype=np.float32) for name in names}
