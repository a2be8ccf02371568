"""A tiny Florence-2 with random weights, of the true architecture, in the hub's own layout.

Nothing is shrunk but widths, depths and the picture's side: tasks, tokens for places, forced
tokens, the ban on repeated trigrams and the processor are those of the published models.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

SIDE = 64
"""Pixels. 64 / 32 = 2, so 4 places and their mean: 5 image tokens (768: 577)."""

WORDS = (
    "The image shows an abandoned hospital with a broken window and peeling paint on the wall.",
    "A rusty radiator stands beside a wheelchair in a long corridor with graffiti on the walls.",
    "an empty room with wooden floor and a staircase, the ceiling has collapsed",
    "NO TRESPASSING WARD 7 DANGER ASBESTOS Krankenhaus Köln szpital święty hôpital",
    "What is the text in the image, with regions? Locate the objects with category name in the",
    "Describe in detail what is shown in the image. Locate the phrases in the caption:",
)

OTHER_TOKENS = (
    *("<od>", "</od>", "<ocr>", "</ocr>"),
    *(f"<loc_{place}>" for place in range(1000)),
    *("<cap>", "</cap>", "<ncap>", "</ncap>", "<dcap>", "</dcap>", "<grounding>", "</grounding>"),
    *("<seg>", "</seg>", "<sep>", "<region_cap>", "</region_cap>", "<region_to_desciption>"),
    *("</region_to_desciption>", "<proposal>", "</proposal>", "<poly>", "</poly>", "<and>"),
)
"""The 1,024 tokens that Florence-2 adds to BART's, in its order (and with its spelling)."""


def build(folder: Path, seed: int = 0, *, side: int = SIDE) -> Path:
    """Save model, tokenizer and processor below `folder`; the same `seed`, the same files."""
    import torch
    from transformers import (
        Florence2Config,
        Florence2ForConditionalGeneration,
        GenerationConfig,
    )

    folder.mkdir(parents=True, exist_ok=True)
    tokens = _tokenizer()
    torch.manual_seed(seed)
    width = 32
    config = Florence2Config(
        text_config={
            "model_type": "bart",
            "vocab_size": len(tokens),
            "d_model": width,
            "encoder_layers": 2,
            "decoder_layers": 2,
            "encoder_attention_heads": 2,
            "decoder_attention_heads": 2,
            "encoder_ffn_dim": 64,
            "decoder_ffn_dim": 64,
            "max_position_embeddings": 256,
            "init_std": 0.4,
            "forced_bos_token_id": None,
            "forced_eos_token_id": None,
        },
        vision_config={
            "embed_dim": (8, 16, 16, 32),
            "num_heads": (2, 2, 2, 4),
            "num_groups": (2, 2, 2, 4),
            "depths": (1, 1, 1, 1),
            "window_size": 4,
            "projection_dim": width,
            "initializer_range": 0.3,
        },
        image_token_id=tokens.image_token_id,
    )
    model = Florence2ForConditionalGeneration(config).eval()
    with torch.no_grad():  # or no answer would ever come to its end
        model.model.language_model.shared.weight[2] *= 2
    model.generation_config = GenerationConfig(
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=2,
        forced_bos_token_id=0,
        forced_eos_token_id=2,
        no_repeat_ngram_size=3,
        num_beams=3,
        early_stopping=True,
        max_length=48,
    )
    model.save_pretrained(folder)
    _processor(tokens, side).save_pretrained(folder)
    return folder


def true_size(name: str) -> object:
    """The configuration of `base` (236M parameters) or `large` (777M), for benchmarks."""
    from transformers import Florence2Config

    wide = name == "large"
    return Florence2Config(
        text_config={
            "model_type": "bart",
            "vocab_size": 51290,
            "d_model": 1024 if wide else 768,
            "encoder_layers": 12 if wide else 6,
            "decoder_layers": 12 if wide else 6,
            "encoder_attention_heads": 16 if wide else 12,
            "decoder_attention_heads": 16 if wide else 12,
            "encoder_ffn_dim": 4096 if wide else 3072,
            "decoder_ffn_dim": 4096 if wide else 3072,
            "max_position_embeddings": 4096 if wide else 1024,
        },
        vision_config={
            "embed_dim": (256, 512, 1024, 2048) if wide else (128, 256, 512, 1024),
            "num_heads": (8, 16, 32, 64) if wide else (4, 8, 16, 32),
            "num_groups": (8, 16, 32, 64) if wide else (4, 8, 16, 32),
            "depths": (1, 1, 9, 1),
            "projection_dim": 1024 if wide else 768,
        },
        image_token_id=51289,
    )


def _tokenizer():  # type: ignore[no-untyped-def]
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import BartTokenizerFast

    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    learner.decoder = decoders.ByteLevel()
    learner.train_from_iterator(
        WORDS,
        trainers.BpeTrainer(
            vocab_size=500,
            special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    made = json.loads(learner.to_str())["model"]
    merges = [tuple(pair) for pair in made["merges"]]
    vocabulary = dict(made["vocab"])
    for token in ("<mask>", *OTHER_TOKENS, "<image>"):
        vocabulary[token] = len(vocabulary)
    tokens = BartTokenizerFast(
        vocab=vocabulary, merges=merges, extra_special_tokens={"image_token": "<image>"}
    )
    tokens.add_special_tokens({"extra_special_tokens": list(OTHER_TOKENS)})
    return tokens


def _processor(tokens, side: int):  # type: ignore[no-untyped-def]
    from transformers import CLIPImageProcessorPil, Florence2Processor

    pictures = CLIPImageProcessorPil(
        size={"height": side, "width": side},
        do_center_crop=False,
        resample=3,
        image_mean=[0.485, 0.456, 0.406],
        image_std=[0.229, 0.224, 0.225],
    )
    pictures.image_seq_length = (side // 32) ** 2 + 1
    parsing = {"ocr": {"AREA_THRESHOLD": 0.0}, "phrase_grounding": {"banned_grounding_tokens": []}}
    parsing |= {kind: {} for kind in ("pure_text", "description_with_bboxes", "bboxes")}
    return Florence2Processor(
        image_processor=pictures, tokenizer=tokens, post_processor_config=parsing
    )


if __name__ == "__main__":
    import sys

    logging.basicConfig(level=logging.INFO)
    logging.info("built in %s", build(Path(sys.argv[1])))
