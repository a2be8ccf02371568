"""Sentences made into vectors by a SigLIP text tower, once, and kept in a file.

The rules of the text side (all of them break silently, as cosines that are merely lower):
- Always 64 tokens, the padding included, and no mask: the vector is that of the last position.
- The padding token is the one that `tokenizer_config.json` names: `</s>` for SigLIP, `<pad>` for
  SigLIP 2. The vocabulary of SigLIP has a `<pad>` as well, and padding with that is wrong.
- All lower case: both were trained so, and the tokenizer published with SigLIP 2 does not do it.
- SigLIP was trained without punctuation; its own tokenizer class takes it out.

Vectors are kept under a key of everything they depend on, and the file repeats the key inside: a
model that changed never meets the vectors of the one before.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import string
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from urbexmp.adapters.stages.onnx_run import CPU, OnnxModel
from urbexmp.adapters.stages.tokens import Tokens
from urbexmp.model.stage_errors import StageMissing

VERSION = "lower|pad64|v1"
LENGTH = 64
"""Tokens of every sentence, padding included."""

BATCH = 16
TOKENIZER, TOKENIZER_CONFIG = "tokenizer.json", "tokenizer_config.json"
POOLED = ("pooler_output", "text_embeds", "image_embeds")
"""Names of the output that is the vector, by exporter."""

_PUNCTUATION = str.maketrans("", "", string.punctuation)

Vectors = NDArray[np.float32]
"""Rows of length 1."""


@dataclass(frozen=True, slots=True)
class TextKey:
    """All that the vector of a sentence depends on, beside the sentence."""

    repository: str
    revision: str
    text_file: str
    """Name of the text tower's file, which says its variant."""
    text_digest: str
    """SHA-256 of that file."""
    tokenizer_digest: str
    """SHA-256 of `tokenizer.json` and `tokenizer_config.json`."""
    template: str = "{}"
    """What each prompt is put into."""
    version: str = VERSION

    @property
    def text(self) -> str:
        """The key in full, as the file repeats it."""
        names = self.__slots__
        return json.dumps({name: getattr(self, name) for name in names}, sort_keys=True)

    @property
    def digest(self) -> str:
        """16 hex digits, for the name of the file."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]


def pooled_name(outputs: Mapping[str, Sequence[object]], path: Path, stage: str) -> str:
    """Name of the output that is the vector. Raises `StageMissing` when it cannot be told."""
    named = [name for name in POOLED if name in outputs]
    flat = [name for name, shape in outputs.items() if len(shape) == 2]
    if named or len(flat) == 1:
        return (named or flat)[0]
    raise StageMissing(
        path,
        stage=stage,
        detail=f"none of the model's outputs ({', '.join(outputs)}) is one vector a picture",
        advice="Use the model's own ONNX files, or make them with `urbexmp models convert`",
    )


def unit(vectors: NDArray[np.generic]) -> Vectors:
    """Rows brought to length 1; a row of zeros stays."""
    rows = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)


class Sentences:
    """Tokens of sentences, by the rules above."""

    def __init__(self, folder: Path, stage: str = "siglip") -> None:
        """Read the tokenizer's two files in `folder`. Raises `StageMissing`, `ExtraMissing`."""
        self._tokens = Tokens(folder / TOKENIZER, stage)
        path = folder / TOKENIZER_CONFIG
        try:
            said = json.loads(path.read_bytes())
            self._pad = self._number(said.get("pad_token"))
            self._end = self._number(said.get("eos_token"))
        except (OSError, ValueError, AttributeError) as error:
            raise StageMissing(
                path,
                stage=stage,
                detail=f"the padding of the model's sentences is not known ({error})",
                advice="Bring the file again with `urbexmp models pull`",
            ) from error
        self._plain = str(said.get("tokenizer_class", "")).startswith("SiglipTokenizer")

    def _number(self, said: object) -> int:
        """Number of a token in `tokenizer_config.json`: a text, or a table with its `content`."""
        token = said.get("content") if isinstance(said, dict) else said
        number = self._tokens.number(token) if isinstance(token, str) else None
        if number is None:
            raise ValueError(f"no token {token!r} is in the vocabulary")
        return number

    def encode(self, sentences: Sequence[str]) -> NDArray[np.int64]:
        """Sentences x 64 token numbers."""
        made = np.full((len(sentences), LENGTH), self._pad, dtype=np.int64)
        for row, sentence in enumerate(sentences):
            text = sentence.lower()
            if self._plain:
                text = " ".join(text.translate(_PUNCTUATION).split())
            ids = self._tokens.encode(text)
            if not ids or ids[-1] != self._end:
                ids.append(self._end)
            if len(ids) > LENGTH:
                ids = [*ids[: LENGTH - 1], self._end]
            made[row, : len(ids)] = ids
        return made


class TextTower:
    """A text tower, loaded. On the CPU in any case: it runs once, and its vectors are kept."""

    def __init__(self, folder: Path, text_file: str, threads: int, stage: str = "siglip") -> None:
        self.sentences = Sentences(folder, stage)
        path = folder / text_file
        self.model = OnnxModel(path, providers=(CPU,), threads=threads, stage=stage)
        self._output = pooled_name(self.model.outputs, path, stage)

    def vectors(self, sentences: Sequence[str]) -> Vectors:
        """One row a sentence."""
        rows = []
        for first in range(0, len(sentences), BATCH):
            ids = self.sentences.encode(sentences[first : first + BATCH])
            rows.append(self.model.run({"input_ids": ids}, [self._output])[self._output])
        return unit(np.concatenate(rows))


class TextCache:
    """Vectors of sentences in one file a key: `siglip-texts-KEY.npz`. None: not kept."""

    def __init__(self, folder: Path | None, key: TextKey) -> None:
        self._key = key
        self.path = None if folder is None else folder / f"siglip-texts-{key.digest}.npz"

    def vectors(
        self, prompts: Iterable[str], compute: Callable[[Sequence[str]], Vectors]
    ) -> dict[str, Vectors]:
        """The vector of each prompt. `compute` is asked for those the file does not hold, if any;
        the sentences it gets are the prompts put into the key's template."""
        wanted = tuple(dict.fromkeys(prompts))
        filled = {prompt: self._key.template.format(prompt) for prompt in wanted}
        known = self._read()
        lacking = tuple(dict.fromkeys(text for text in filled.values() if _hash(text) not in known))
        if lacking:
            fresh = compute(lacking)
            known |= {_hash(text): row for text, row in zip(lacking, fresh, strict=True)}
            self._write(known)
        return {prompt: known[_hash(filled[prompt])] for prompt in wanted}

    def _read(self) -> dict[str, Vectors]:
        """Vectors by hash of the sentence; empty where the file is absent, damaged or another's."""
        if self.path is None:
            return {}
        try:
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                if str(kept["key"]) != self._key.text:
                    return {}
                hashes, rows = kept["hashes"], kept["vectors"].astype(np.float32)
        except Exception:  # a cache: whatever is wrong with it, the vectors are made again
            return {}
        if rows.ndim != 2 or len(hashes) != len(rows) or not np.isfinite(rows).all():
            return {}
        return {str(one): row for one, row in zip(hashes, rows, strict=True)}

    def _write(self, known: Mapping[str, Vectors]) -> None:
        """Replace the file whole. One that cannot be written costs only the time to compute."""
        if self.path is None:
            return
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            number, name = tempfile.mkstemp(dir=self.path.parent, prefix=".siglip-texts-")
            try:
                with os.fdopen(number, "wb") as file:
                    np.savez(
                        file,
                        key=np.array(self._key.text),
                        hashes=np.array(list(known)),
                        vectors=np.stack(list(known.values())),
                    )
                Path(name).replace(self.path)
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
