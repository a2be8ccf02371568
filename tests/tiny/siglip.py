"""Tiny SigLIP models of the true architecture, random, in the hub's own layout.

Two kinds: `v1` with SigLIP's SentencePiece vocabulary (lower case, no punctuation, `</s>` pads,
bicubic), `v2` with SigLIP 2's byte-fallback vocabulary (capitals kept, `<pad>` pads, bilinear).
"""

from __future__ import annotations

import io
import json
import string
import warnings
from pathlib import Path

TEXTS = (
    "a photo of the inside of a building",
    "a photo taken outdoors in front of an abandoned building",
    "a close-up photo of peeling paint and rusty machine parts",
    "an aerial photo of derelict factory roofs seen from high above",
    "a photo of an empty corridor in an old psychiatric hospital",
    "a photo of a doctor's chair, a children's ward and broken windows",
    "a photo of an overgrown church with pews and an organ",
    "detail of graffiti on a concrete wall with moss and water",
)
SIDE = 32
"""Pixels."""

SETTINGS = {"scale": 112.5, "bias": -12.5}
"""As in the checkpoint that `build` makes."""


def build(folder: Path, seed: int = 0, kind: str = "v2", *, base: bool = False) -> Path:
    """A checkpoint as its authors publish it, below `folder`; returns `folder`.

    With `base` its picture tower has the size of ViT-B/16 at 224 pixels (93 M parameters).
    """
    import math

    import torch
    from transformers import SiglipConfig, SiglipModel

    folder.mkdir(parents=True, exist_ok=True)
    words = _tokenizer_v1(folder) if kind == "v1" else _tokenizer_v2(folder)
    torch.manual_seed(seed)
    common = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    side = 224 if base else SIDE
    text = {**common, "vocab_size": words, "max_position_embeddings": 64}
    config = SiglipConfig(
        text_config={**text, "projection_size": 768} if base else text,
        vision_config={} if base else {**common, "image_size": SIDE, "patch_size": 8},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = SiglipModel(config).eval()
    with torch.no_grad():
        # As large as trained weights are, or every picture gets the same vector.
        for name, one in model.named_parameters():
            if one.ndim > 1 and "embedding" not in name:
                one.normal_(0, 1.6 / math.sqrt(one.shape[-1]))
            elif one.ndim > 1:
                one.normal_(0, 0.5 if "patch" not in name else 0.2)
        model.logit_scale.fill_(math.log(SETTINGS["scale"]))
        model.logit_bias.fill_(SETTINGS["bias"])
    model.save_pretrained(folder)
    _write_json(
        folder / "preprocessor_config.json",
        {
            "do_resize": True,
            "do_rescale": True,
            "do_normalize": True,
            "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.5, 0.5, 0.5],
            "image_processor_type": "SiglipImageProcessor",
            "processor_class": "SiglipProcessor",
            "resample": 3 if kind == "v1" else 2,
            "rescale_factor": 1 / 255,
            "size": {"height": side, "width": side},
        },
    )
    return folder


def build_onnx(
    folder: Path, checkpoint: Path, variants: tuple[str, ...] = ("fp32", "int8")
) -> Path:
    """The ONNX files of a checkpoint, below `folder`, as hub repositories lay them out."""
    from urbexmp.adapters.exporting.siglip_onnx import convert

    convert(checkpoint, folder, variants)
    return folder


def _tokenizer_v1(folder: Path) -> int:
    """SentencePiece's unigram, and the same as `tokenizer.json`. Returns the number of words."""
    import sentencepiece
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    plain = [text.lower().translate(str.maketrans("", "", string.punctuation)) for text in TEXTS]
    made = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(plain * 4),
        model_writer=made,
        model_type="unigram",
        vocab_size=90,
        hard_vocab_limit=False,
        normalization_rule_name="identity",
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        minloglevel=2,
    )
    (folder / "spiece.model").write_bytes(made.getvalue())
    pieces = sentencepiece.SentencePieceProcessor(model_proto=made.getvalue())
    vocabulary = [
        (pieces.id_to_piece(one), pieces.get_score(one)) for one in range(pieces.get_piece_size())
    ]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=2, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Lowercase(),
            normalizers.Replace(Regex(r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]"), ""),
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Strip(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "SiglipTokenizer",
            "pad_token": "</s>",
            "eos_token": {"content": "</s>", "__type": "AddedToken"},
            "unk_token": "<unk>",
            "model_max_length": 64,
            "do_lower_case": True,
        },
    )
    return len(vocabulary)


def _tokenizer_v2(folder: Path) -> int:
    """Gemma's way: byte pairs, bytes for what is unknown, no lower-casing; `<eos>` at the end."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from tokenizers.trainers import BpeTrainer

    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    trainer = BpeTrainer(
        vocab_size=420,
        show_progress=False,
        special_tokens=[*special, *(f"<0x{byte:02X}>" for byte in range(256))],
    )
    tokenizer.train_from_iterator([*TEXTS, *(text.upper() for text in TEXTS)], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A <eos>", special_tokens=[("<eos>", 1)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "GemmaTokenizer",
            "pad_token": "<pad>",
            "eos_token": "<eos>",
            "bos_token": "<bos>",
            "unk_token": "<unk>",
            "padding_side": "right",
            "model_max_length": 64,
            "add_bos_token": False,
            "add_eos_token": True,
        },
    )
    return tokenizer.get_vocab_size()


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2), encoding="utf-8")
