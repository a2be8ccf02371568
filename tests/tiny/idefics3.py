"""A tiny Idefics3 (the class of SmolVLM) of the true architecture, random, in the hub's own layout.

`transformers serve FOLDER` serves it. It says nonsense as long as it is let; `teach` has it say one
thing, whatever it is shown: it attends to a few bytes only, so no prompt and no picture reach it.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

SIDE, PATCH, SCALE = 32, 8, 2
"""Pixels of a tile, of a patch, and how many patches are folded into one token, both ways."""

WINDOW = 12
"""Bytes that a layer of the text model sees."""

SPECIAL = (
    *("<unk>", "<pad>", "<|im_start|>", "<end_of_utterance>", "<image>"),
    *("<fake_token_around_image>", "<global-img>"),
    *(f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)),
)

CHAT = (
    "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}:"
    "{% if message['content'] is string %} {{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] in ('image', 'image_url') %}<image>{% else %} {{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)


def build(folder: Path, seed: int = 0) -> Path:
    """A checkpoint with its processor, below `folder`; returns `folder`."""
    import torch
    from transformers import (
        Idefics3Config,
        Idefics3ForConditionalGeneration,
        Idefics3ImageProcessorPil,
        Idefics3Processor,
    )

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer()
    torch.manual_seed(seed)
    words = len(tokenizer)
    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in SPECIAL[:5]}
    config = Idefics3Config(
        image_token_id=ids["<image>"],
        scale_factor=SCALE,
        pad_token_id=ids["<pad>"],
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": SIDE,
            "patch_size": PATCH,
        },
        text_config={
            "model_type": "mistral",
            "sliding_window": WINDOW,
            "vocab_size": words,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "max_position_embeddings": 8192,
            "bos_token_id": ids["<|im_start|>"],
            "eos_token_id": ids["<end_of_utterance>"],
            "pad_token_id": ids["<pad>"],
        },
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = Idefics3ForConditionalGeneration(config).eval()
        model.generation_config.eos_token_id = ids["<end_of_utterance>"]
        model.generation_config.pad_token_id = ids["<pad>"]
        model.save_pretrained(folder)
        images = Idefics3ImageProcessorPil(
            size={"longest_edge": SIDE * 2}, max_image_size={"longest_edge": SIDE}
        )
        processor = Idefics3Processor(
            images,
            tokenizer,
            image_seq_len=(SIDE // PATCH // SCALE) ** 2,
            chat_template=CHAT,
        )
        processor.save_pretrained(folder)
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": CHAT}))
    return folder


def teach(folder: Path, says: str, steps: int = 220) -> Path:
    """Have the checkpoint in `folder` answer every question with `says`; returns `folder`."""
    import torch
    from transformers import AutoTokenizer, Idefics3ForConditionalGeneration

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = Idefics3ForConditionalGeneration.from_pretrained(folder)
    asked = tokenizer("<end_of_utterance>\nAssistant:", add_special_tokens=False).input_ids
    said = tokenizer(f" {says}<end_of_utterance>", add_special_tokens=False).input_ids
    end, length = torch.tensor([*asked, *said]), len(said)
    optimizer = torch.optim.AdamW(model.parameters(), lr=6e-3)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, total_steps=steps)
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # it is so small that threads only wait for each other
    for _ in range(steps):
        before = torch.randint(len(SPECIAL), len(tokenizer), (4, 2 * WINDOW))
        ids = torch.cat([before, end.expand(4, -1)], 1)
        hidden = model.model.text_model(input_ids=ids, use_cache=False).last_hidden_state
        guessed = model.lm_head(hidden[:, -length - 1 : -1]).flatten(0, 1)
        loss = torch.nn.functional.cross_entropy(guessed, ids[:, -length:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        pace.step()
    torch.set_num_threads(threads)
    model.save_pretrained(folder)
    return folder


def _tokenizer():  # type: ignore[no-untyped-def]
    """Bytes as words, so that any text goes in and out."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {word: place for place, word in enumerate((*SPECIAL, *alphabet))}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(word, special=True) for word in SPECIAL])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        pad_token="<pad>",
        bos_token="<|im_start|>",
        eos_token="<end_of_utterance>",
        additional_special_tokens=list(SPECIAL[4:]),
        model_max_length=8192,
    )
