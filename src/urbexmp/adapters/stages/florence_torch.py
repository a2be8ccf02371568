"""Florence-2 on PyTorch, by the library's own class: the only file of this room that knows either.

Never code from a model's folder, never the network. A picture goes through the vision tower once
for all its tasks: `generate` takes the features in place of pixels, and answers bit for bit the
same (tested). Questions are padded to one length and answered together; that changes no answer
in float32 (tested).
"""

from __future__ import annotations

import importlib
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from urbexmp.model.errors import Problem
from urbexmp.model.stage_errors import StageFailed, StageMissing
from urbexmp.rules.florence_text import Said

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STAGE = "florence"
AUTO = "auto"
DEVICES = (AUTO, "cpu", "cuda", "mps")
DTYPES = (AUTO, "float32", "bfloat16", "float16")

WORTH = 0.8
"""bfloat16 is taken on a CPU where it needs at most this share of float32's time: emulated, as on
processors without the instructions, it is slower."""

_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "cannot allocate")

_log = logging.getLogger("urbexmp.stages")


class TorchFlorence:
    """One Florence-2, loaded. For one thread at a time."""

    def __init__(
        self, folder: Path, *, device: str = AUTO, dtype: str = AUTO, threads: int = 0
    ) -> None:
        """Load the model in `folder`.

        `threads` of the CPU, 0 for the library's own choice. Raises `StageMissing` (no such
        device; the folder is in another layout, as the first release's, whose code would have to
        be run), `MemoryError`.
        """

        # Both as Any: what they annotate of themselves is less than what they do.
        torch: Any = importlib.import_module("torch")
        transformers: Any = importlib.import_module("transformers")
        if threads:
            torch.set_num_threads(threads)
        self.device = _device(torch, device)
        self.dtype = _dtype(torch, self.device, dtype)
        # Progress bars and advice to programmers are not for the person at the terminal.
        transformers.utils.logging.disable_progress_bar()
        transformers.utils.logging.set_verbosity_error()
        try:
            with _memory():
                self._processor: Any = transformers.AutoProcessor.from_pretrained(
                    folder, local_files_only=True, trust_remote_code=False
                )
                self._model: Any = transformers.AutoModelForImageTextToText.from_pretrained(
                    folder,
                    local_files_only=True,
                    trust_remote_code=False,
                    use_safetensors=True,
                    attn_implementation="sdpa",
                    dtype=getattr(torch, self.dtype),
                )
                self._model.to(self.device).eval()
                # An end that is forced makes what is cut off look whole. It must go from the
                # model: what a call leaves out is filled in from here.
                self._model.generation_config.forced_eos_token_id = None
                self._model.generation_config.max_length = None
        except (MemoryError, Problem):
            raise
        except Exception as error:
            raise _unloadable(folder, error) from error
        self._torch = torch
        _log.info("florence: %s, %s", self.device, self.dtype)

    def features(self, pixels: NDArray[np.float32]) -> Any:
        """Features of pictures (n, 3, side, side), for `answer`. Raises `MemoryError`."""
        with _memory(), self._torch.inference_mode():
            given = self._torch.from_numpy(pixels).to(self.device, self._model.dtype)
            return self._model.get_image_features(given, return_dict=True).pooler_output

    def together(self, features: Sequence[Any]) -> Any:
        """Features of single pictures as one batch. Raises `MemoryError`."""
        with _memory():
            return self._torch.stack(list(features))

    def answer(
        self,
        features: Any,
        asked: Sequence[tuple[int, str]],
        *,
        beams: int,
        max_tokens: int,
    ) -> list[Said]:
        """Answer questions: which picture of `features`, and the task's sentence.

        Raises `MemoryError`, `StageFailed`.
        """
        from transformers.modeling_outputs import BaseModelOutputWithPooling

        tokens = self._processor.tokenizer
        marks = self._processor.image_token * self._processor.num_image_tokens
        texts = [f"{marks}{tokens.bos_token}{prompt}{tokens.eos_token}" for _, prompt in asked]
        inputs = tokens(texts, add_special_tokens=False, padding=True, return_tensors="pt")
        inputs = inputs.to(self.device)
        with _memory(), self._torch.inference_mode():
            chosen = features[[picture for picture, _ in asked]]
            written = self._model.generate(
                input_ids=inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
                mm_encoder_outputs={"image": BaseModelOutputWithPooling(pooler_output=chosen)},
                generation_config=self._generation(beams, max_tokens),
            )
            logs = self._model.compute_transition_scores(
                written.sequences,
                written.scores,
                getattr(written, "beam_indices", None),
                normalize_logits=True,
            )
        return [
            self._said(line, line_logs)
            for line, line_logs in zip(
                # The first is the mark that sets the decoder off.
                written.sequences[:, 1:].tolist(),
                logs.float().tolist(),
                strict=True,
            )
        ]

    def release(self) -> None:
        """Give cached memory of the device back, before trying again with less."""
        if self.device == "cuda":
            self._torch.cuda.empty_cache()
        elif self.device == "mps":
            self._torch.mps.empty_cache()

    def _generation(self, beams: int, max_tokens: int) -> Any:
        import copy

        settings = copy.deepcopy(self._model.generation_config)
        settings.num_beams = beams
        settings.do_sample = False
        settings.early_stopping = beams > 1 and settings.early_stopping
        settings.max_length = None
        settings.max_new_tokens = max_tokens
        settings.return_dict_in_generate = True
        settings.output_scores = True
        return settings

    def _said(self, numbers: list[int], logs: list[float]) -> Said:
        ending = self._processor.tokenizer.eos_token_id
        length = numbers.index(ending) + 1 if ending in numbers else len(numbers)
        pieces = self._processor.tokenizer.convert_ids_to_tokens(numbers[:length])
        return Said(tuple(pieces), tuple(logs[:length]))


def _device(torch: Any, wanted: str) -> str:
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted == AUTO:
        return next(name for name, usable in there.items() if usable)
    if not there.get(wanted):
        raise StageMissing(
            f"stage {STAGE}",
            stage=STAGE,
            detail=f"PyTorch finds no {wanted} device here",
            advice='Set device = "auto" in [stage.florence], or install a PyTorch for the device',
        )
    return wanted


def _dtype(torch: Any, device: str, wanted: str) -> str:
    if wanted != AUTO:
        return wanted
    if device == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
    if device == "mps":
        return "float32"
    return (
        "bfloat16"
        if _seconds(torch, "bfloat16") <= WORTH * _seconds(torch, "float32")
        else ("float32")
    )


def _seconds(torch: Any, dtype: str) -> float:
    """Least of five runs of one product of the base model's size; a few milliseconds in all."""
    kind = getattr(torch, dtype)
    left, right = torch.ones(577, 768, dtype=kind), torch.ones(768, 3072, dtype=kind)
    least = float("inf")
    with torch.inference_mode():
        for _ in range(5):
            began = time.perf_counter()
            torch.mm(left, right)
            least = min(least, time.perf_counter() - began)
    return least


@contextmanager
def _memory() -> Iterator[None]:
    """Turn every library's own way of running out of memory into `MemoryError`."""
    try:
        yield
    except (MemoryError, Problem):
        raise
    except RuntimeError as error:
        if any(words in str(error).lower() for words in _NO_MEMORY):
            raise MemoryError(_first_line(error)) from None
        raise StageFailed(f"stage {STAGE}", stage=STAGE, detail=_first_line(error)) from error


def _unloadable(folder: Path, error: Exception) -> StageMissing:
    return StageMissing(
        folder,
        stage=STAGE,
        detail=f"the model cannot be loaded ({_first_line(error)})",
        advice="Models published with code of their own are not loaded; take a native checkpoint,"
        " such as florence-community/Florence-2-base-ft",
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
