"""A tiny Florence-2 that answers every picture with the same real words, by training it on them.

Random weights say random syllables, of which no taxonomy knows one; from a few seconds of training
on noise come a caption and objects that can be followed to a keyword in a file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

ANSWERS = {
    "Describe in detail what is shown in the image.": (
        "an empty room with a broken window and a rusty radiator"
    ),
    "Locate the objects with category name in the image.": (
        "wheelchair<loc_100><loc_200><loc_500><loc_800>"
    ),
    "What is the text in the image, with regions?": (
        "WARD 7<loc_10><loc_10><loc_90><loc_10><loc_90><loc_40><loc_10><loc_40>"
    ),
}


def teach(folder: Path, steps: int = 400, enough: float = 0.02) -> Path:
    """Train the checkpoint in `folder` until it gives `ANSWERS`, and save it there.

    Raises `RuntimeError` where it does not learn them.
    """
    import torch
    from PIL import Image
    from transformers import AutoProcessor, Florence2ForConditionalGeneration

    torch.manual_seed(0)
    processor: Any = AutoProcessor.from_pretrained(folder, local_files_only=True)
    model: Any = Florence2ForConditionalGeneration.from_pretrained(folder)
    tokenizer = processor.tokenizer
    side = int(processor.image_processor.size["height"])
    pictures = [Image.new("RGB", (side, side))] * len(ANSWERS)
    inputs = processor(images=pictures, text=list(ANSWERS), return_tensors="pt", padding=True)
    labels = tokenizer(list(ANSWERS.values()), return_tensors="pt", padding=True).input_ids
    labels[labels == tokenizer.pad_token_id] = -100
    # The picture must not matter, so its tower stays as it is and only the words are learned;
    # from small weights, because those of `florence.build` are too wild to learn from.
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("vision_tower" not in name)
        if "language_model" in name and parameter.ndim > 1:
            parameter.data.normal_(0, 0.1)
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(learned, lr=1e-2)
    model.eval()
    for _ in range(steps):
        noise = torch.randn(inputs["pixel_values"].shape)
        loss = model(**{**inputs, "pixel_values": noise}, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss.item() < enough:
            break
    else:
        raise RuntimeError(f"not learned: {loss.item():.3f}")
    model.save_pretrained(folder)
    return folder
