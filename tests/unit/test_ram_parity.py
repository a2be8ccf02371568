"""The port of RAM++ against a second build of it, from the parts of another library."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tiny import ram as tiny
from urbexmp.adapters.stages.ram_torch import load
from urbexmp.model.stage_errors import StageFailed

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from transformers import BertConfig, SwinConfig, SwinModel
    from transformers.models.bert.modeling_bert import BertAttention, BertIntermediate, BertOutput


class Reference(nn.Module):
    """RAM++ as its paper describes it, one tag's descriptions after the other."""

    def __init__(self) -> None:
        super().__init__()
        swin = SwinConfig(
            image_size=tiny.SIDE,
            patch_size=tiny.PATCH,
            embed_dim=tiny.WIDTH,
            depths=list(tiny.DEPTHS),
            num_heads=list(tiny.HEADS),
            window_size=tiny.WINDOW,
        )
        bert = BertConfig(
            hidden_size=tiny.HIDDEN,
            num_attention_heads=4,
            intermediate_size=tiny.INNER,
            layer_norm_eps=1e-12,
            hidden_act="gelu",
        )
        bert._attn_implementation = "eager"
        self.swin = SwinModel(swin, add_pooling_layer=False)
        self.attention = nn.ModuleList()
        for _ in range(tiny.LAYERS):
            one = BertAttention(bert, is_cross_attention=True)
            one.self.key = nn.Linear(tiny.TEXT, tiny.HIDDEN)
            one.self.value = nn.Linear(tiny.TEXT, tiny.HIDDEN)
            self.attention.append(one)
        self.inside = nn.ModuleList(BertIntermediate(bert) for _ in range(tiny.LAYERS))
        self.outside = nn.ModuleList(BertOutput(bert) for _ in range(tiny.LAYERS))
        last = tiny.WIDTH << (len(tiny.DEPTHS) - 1)
        self.image_proj = nn.Linear(last, tiny.TEXT)
        self.wordvec_proj = nn.Linear(tiny.TEXT, tiny.HIDDEN)
        self.fc = nn.Linear(tiny.HIDDEN, 1)
        self.label_embed = nn.Parameter(torch.empty(0))
        self.reweight_scale = nn.Parameter(torch.empty(0))

    def forward(self, picture: Tensor) -> Tensor:
        tokens = self.swin(picture).last_hidden_state
        tokens = torch.cat([tokens.mean(dim=1, keepdim=True), tokens], dim=1)
        seen = self.image_proj(tokens)
        whole = functional.normalize(seen[0, 0], dim=0)
        labels = []
        for tag in self.label_embed.reshape(len(tiny.WORDS), tiny.DESCRIPTIONS, tiny.TEXT):
            share = torch.softmax(self.reweight_scale.exp() * (tag @ whole), dim=0)
            labels.append((share[:, None] * tag).sum(dim=0))
        x = functional.relu(self.wordvec_proj(torch.stack(labels)))[None]
        for attention, inside, outside in zip(
            self.attention, self.inside, self.outside, strict=True
        ):
            x = attention(x, encoder_hidden_states=seen)[0]
            x = outside(inside(x), x)
        return self.fc(x)[0, :, 0]


def renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The authors' names as that library's."""
    made: dict[str, Tensor] = {}
    for key, value in state.items():
        if key.endswith(("relative_position_index", "attn_mask")):
            continue
        name = (
            key.replace("visual_encoder.patch_embed.", "swin.embeddings.")
            .replace("embeddings.proj.", "embeddings.patch_embeddings.projection.")
            .replace("visual_encoder.layers", "swin.encoder.layers")
            .replace("visual_encoder.norm", "swin.layernorm")
            .replace(".norm1.", ".layernorm_before.")
            .replace(".norm2.", ".layernorm_after.")
            .replace("attn.relative", "attention.relative_position_bias.relative")
            .replace("attn.proj", "attention.o_proj")
        )  # fmt: skip
        parts = name.split(".")
        if "tagging_head" in name:
            rest = ".".join(parts[4:])
            part = (
                "attention"
                if "crossattention" in rest
                else "inside"
                if "inter" in rest
                else "outside"
            )
            rest = rest.removeprefix("crossattention.")
            rest = rest if part != "outside" else rest.removeprefix("output.")
            rest = rest.removeprefix("intermediate.")
            name = f"{part}.{parts[3]}.{rest}"
        if "attn.qkv" in name:
            for one, piece in zip("qkv", value.chunk(3), strict=True):
                made[name.replace("attn.qkv", f"attention.{one}_proj")] = piece
        else:
            made[name] = value
    return made


@pytest.mark.parametrize("seed", [0, 1])
def test_the_port_gives_what_a_second_build_gives(seed: int, tmp_path: Path) -> None:
    folder = tiny.build_checkpoint(tmp_path, seed)
    port = load(folder / tiny.CHECKPOINT, tiny.SIDE, len(tiny.WORDS))
    reference = Reference().eval()
    state = tiny.state(seed)
    reference.label_embed = nn.Parameter(state["label_embed"])
    reference.reweight_scale = nn.Parameter(state["reweight_scale"])
    outcome = reference.load_state_dict(renamed(state), strict=False)
    assert not outcome.unexpected_keys
    assert all("relative_position_index" in key for key in outcome.missing_keys)
    pictures = torch.randn(3, 3, tiny.SIDE, tiny.SIDE, generator=torch.Generator().manual_seed(7))
    with torch.inference_mode():
        ours = port(pictures)
        theirs = torch.stack([reference(one[None]) for one in pictures])
        exact = port.double()(pictures.double())
        right = torch.stack([reference.double()(one[None].double()) for one in pictures])
    assert theirs.std(dim=0).max() > 0.1  # the pictures matter
    assert theirs.std(dim=1).min() > 0.1  # and so do the tags
    assert float((ours.sigmoid() - theirs.sigmoid()).abs().max()) < 1e-5
    assert float((exact - right).abs().max()) < 1e-10


def test_pictures_looked_at_together_get_what_each_gets_alone(tmp_path: Path) -> None:
    folder = tiny.build_checkpoint(tmp_path)
    port = load(folder / tiny.CHECKPOINT, tiny.SIDE, len(tiny.WORDS))
    pictures = torch.randn(4, 3, tiny.SIDE, tiny.SIDE, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        together = port(pictures)
        alone = torch.cat([port(one[None]) for one in pictures])
    assert float((together - alone).abs().max()) < 1e-5


def saved(path: Path, state: dict[str, Tensor]) -> Path:
    torch.save({"model": state}, path)
    return path


def test_older_names_and_parts_for_training_only_are_no_trouble(tmp_path: Path) -> None:
    state = tiny.state()
    old = {key.replace("tagging_head.", "vision_multi."): value for key, value in state.items()}
    old["vision_multi.embeddings.word_embeddings.weight"] = torch.zeros(3, 3)
    old["vision_multi.encoder.layer.0.attention.self.query.weight"] = torch.zeros(3, 3)
    old["text_decoder.bert.embeddings.word_embeddings.weight"] = torch.zeros(3, 3)
    today = load(saved(tmp_path / "today.pth", state), tiny.SIDE, len(tiny.WORDS))
    before = load(saved(tmp_path / "old.pth", old), tiny.SIDE, len(tiny.WORDS))
    picture = torch.randn(1, 3, tiny.SIDE, tiny.SIDE)
    with torch.inference_mode():
        assert torch.equal(today(picture), before(picture))


def test_a_checkpoint_that_does_not_fit_is_refused_by_name(tmp_path: Path) -> None:
    lacking = tiny.state()
    del lacking["visual_encoder.layers.1.blocks.0.norm1.weight"]
    with pytest.raises(StageFailed, match=r"1 missing \(visual_encoder.layers.1.blocks.0.norm1"):
        load(saved(tmp_path / "a.pth", lacking), tiny.SIDE, len(tiny.WORDS))
    more = tiny.state() | {"visual_encoder.absolute_pos_embed": torch.zeros(1)}
    with pytest.raises(StageFailed, match=r"1 unexpected \(visual_encoder.absolute_pos_embed"):
        load(saved(tmp_path / "b.pth", more), tiny.SIDE, len(tiny.WORDS))
    wide = tiny.state() | {"fc.weight": torch.zeros(1, 7)}
    with pytest.raises(StageFailed, match=r"fc.weight is \(1, 7\), not \(1, 32\)"):
        load(saved(tmp_path / "c.pth", wide), tiny.SIDE, len(tiny.WORDS))
    with pytest.raises(StageFailed, match="do not divide"):
        load(saved(tmp_path / "d.pth", tiny.state()), tiny.SIDE, len(tiny.WORDS) + 1)


def test_a_checkpoint_never_runs_code(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "exploded",)  # type: ignore[return-value]

    torch.save({"model": Bomb()}, tmp_path / "bomb.pth")
    with pytest.raises(StageFailed, match="cannot be read"):
        load(tmp_path / "bomb.pth", tiny.SIDE, len(tiny.WORDS))
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("held", [b"", b"no checkpoint at all", None])
def test_a_file_that_is_no_checkpoint_is_named(held: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    if held is None:
        torch.save({"weights": {}}, path)
    else:
        path.write_bytes(held)
    with pytest.raises(StageFailed, match=r"x\.pth"):
        load(path, tiny.SIDE, len(tiny.WORDS))
