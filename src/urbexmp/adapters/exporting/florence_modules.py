"""The parts of a Florence-2 as modules that can be exported: BART written out, the rest wrapped."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class Pictures(nn.Module):
    """The picture tower.

    The model is a submodule, or its weights would become constants that no one can quantise.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model: Any = model

    def forward(self, pixel_values: Tensor) -> Any:
        """Batch x 3 x side x side -> batch x picture tokens x width."""
        return self.model.get_image_features(pixel_values, return_dict=True).pooler_output


class Words(nn.Module):
    """The table of words."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.table: Any = model.get_input_embeddings()

    def forward(self, input_ids: Tensor) -> Any:
        """Batch x tokens -> batch x tokens x width."""
        return self.table(input_ids)


class Encoder(nn.Module):
    """BART's encoder: embeddings with places and norm, then layers, each normed after its sum."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder: Any = encoder

    def forward(self, attention_mask: Tensor, inputs_embeds: Tensor) -> Any:
        """Batch x tokens (1: a token, 0: padding) and their embeddings -> states."""
        encoder = self.encoder
        places = torch.arange(inputs_embeds.shape[1]) + encoder.embed_positions.offset
        state: Any = inputs_embeds + encoder.embed_positions.weight[places]
        state = encoder.layernorm_embedding(state)
        mask = _mask(attention_mask, state)
        for layer in encoder.layers:
            look = layer.self_attn
            mixed = _attend(look, state, look.k_proj(state), look.v_proj(state), mask)
            state = layer.self_attn_layer_norm(state + mixed)
            state = _feed(layer, state)
        return state


class Picture(nn.Module):
    """Keys and values of the encoder's answer, for every layer of the decoder."""

    def __init__(self, decoder: Any) -> None:
        super().__init__()
        self.looks: Any = nn.ModuleList(layer.encoder_attn for layer in decoder.layers)

    def forward(self, encoder_hidden_states: Tensor) -> tuple[Tensor, ...]:
        """States -> keys, values of the first layer, of the second, ..."""
        made: list[Tensor] = []
        for look in self.looks:
            made.append(_heads(look, look.k_proj(encoder_hidden_states)))
            made.append(_heads(look, look.v_proj(encoder_hidden_states)))
        return tuple(made)


class Step(nn.Module):
    """One token of the decoder. `kept` holds, layer by layer, the keys and values of the tokens
    before it, and those of the picture."""

    def __init__(self, decoder: Any, head: Any) -> None:
        super().__init__()
        self.decoder: Any = decoder
        self.head: Any = head

    def forward(
        self, encoder_attention_mask: Tensor, inputs_embeds: Tensor, kept: list[Tensor]
    ) -> tuple[Tensor, ...]:
        """Logits of the next token, then keys and values with this one's, layer by layer."""
        decoder = self.decoder
        here = torch.arange(kept[0].shape[2], kept[0].shape[2] + 1)
        places = decoder.embed_positions.weight[here + decoder.embed_positions.offset]
        state = decoder.layernorm_embedding(inputs_embeds + places)
        mask = _mask(encoder_attention_mask, state)
        made: list[Tensor] = []
        for index, layer in enumerate(decoder.layers):
            keys, values, picture_keys, picture_values = kept[4 * index : 4 * index + 4]
            look = layer.self_attn
            keys = torch.cat((keys, _heads(look, look.k_proj(state))), dim=2)
            values = torch.cat((values, _heads(look, look.v_proj(state))), dim=2)
            made += [keys, values]
            state = layer.self_attn_layer_norm(state + _weigh(look, state, keys, values, None))
            look = layer.encoder_attn
            seen = _weigh(look, state, picture_keys, picture_values, mask)
            state = layer.encoder_attn_layer_norm(state + seen)
            state = _feed(layer, state)
        return (self.head(state), *made)


def _heads(look: Any, state: Any) -> Any:
    """Batch x tokens x width -> batch x heads x tokens x width of a head."""
    return state.unflatten(2, (look.num_heads, look.head_dim)).transpose(1, 2)


def _attend(look: Any, state: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
    return _weigh(look, state, _heads(look, keys), _heads(look, values), mask)


def _weigh(look: Any, state: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
    asked = _heads(look, look.q_proj(state)) * look.scaling
    weights = asked @ keys.transpose(2, 3)
    if mask is not None:
        weights = weights + mask
    mixed: Tensor = look.out_proj((weights.softmax(dim=-1) @ values).transpose(1, 2).flatten(2))
    return mixed


def _feed(layer: Any, state: Tensor) -> Tensor:
    fed: Tensor = layer.final_layer_norm(state + layer.fc2(layer.activation_fn(layer.fc1(state))))
    return fed


def _mask(given: Tensor, like: Tensor) -> Tensor:
    """What is added to attention's weights: 0 where there is a token, -1e9 where there is none."""
    return (1.0 - given[:, None, None, :].to(like.dtype)) * -1e9
