"""The network of RAM++ in torch, a port of our own with the names of the authors' checkpoint.

Written from the architecture (Huang et al., Open-Set Image Tagging with Multi-Grained Text
Supervision, arXiv:2310.15200; Swin: Liu et al., ICCV 2021, arXiv:2103.14030):

1. Swin sees the picture: patches of 4 x 4, four levels, each halving the sides and doubling the
   width, attention inside windows, every second block with windows shifted by half. Its last
   level's tokens, their mean before them, are projected to the width of the text (512).
2. Each tag has 51 descriptions as vectors. The picture's mean token weighs them by a softmax of
   their products with it (only the picture's side is normalised), and their sum is the tag.
3. Each tag asks the picture's tokens in two layers of cross-attention, without looking at the
   other tags; one number a tag comes out.

Attention is written out, not torch's fused
one: the ONNX exporter cannot take that apart. Parameters keep the checkpoint's names, so a file
fits or it does not; positions and masks, which follow from the sizes, are computed.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

PATCH = 4
HEADS = 4
"""Heads of the cross-attention; no shape tells them."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of one RAM++."""

    side: int
    """Pixels."""
    width: int
    """Of Swin's first level."""
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    window: int
    """Patches."""
    text: int
    hidden: int
    inner: int
    layers: int
    tags: int
    descriptions: int


class Attention(nn.Module):
    """Attention inside windows, with a learned bias for each relative position."""

    bias: Tensor

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.relative_position_bias_table = nn.Parameter(torch.empty((2 * window - 1) ** 2, heads))

    def settle(self) -> None:
        """Look the biases up, once for all pictures."""
        table = self.relative_position_bias_table
        n = self.window**2
        found = table[_relative(self.window).to(table.device).reshape(-1)]
        bias = found.reshape(n, n, -1).permute(2, 0, 1).contiguous()
        self.register_buffer("bias", bias, persistent=False)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """`x`: windows x patches x width, all windows of a picture in a row."""
        count, n, width = x.shape
        q, k, v = self.qkv(x).reshape(count, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        near = (q * (width // self.heads) ** -0.5) @ k.transpose(-2, -1) + self.bias
        if mask is not None:
            windows = mask.shape[0]
            near = near.reshape(-1, windows, self.heads, n, n) + mask[None, :, None]
            near = near.reshape(count, self.heads, n, n)
        mixed = near.softmax(dim=-1) @ v
        out: Tensor = self.proj(mixed.transpose(1, 2).reshape(count, n, width))
        return out


class Mlp(nn.Module):
    """Two layers with an exact GELU between them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Each position by itself."""
        out: Tensor = self.fc2(functional.gelu(self.fc1(x)))
        return out


class Block(nn.Module):
    """One block of Swin on a square of `grid` x `grid` patches."""

    mask: Tensor | None

    def __init__(self, width: int, heads: int, grid: int, window: int, *, shifted: bool) -> None:
        super().__init__()
        self.grid, self.window = grid, window
        # A level that one window covers has nothing to shift.
        self.shift = window // 2 if shifted and grid > window else 0
        self.norm1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads, window)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Mlp(width)

    def settle(self) -> None:
        """Compute what follows from the sizes."""
        self.attn.settle()
        mask = _foreign(self.grid, self.window, self.shift) if self.shift else None
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """`x`: pictures x patches x width, row by row."""
        batch, _, width = x.shape
        g, w, s = self.grid, self.window, self.shift
        y = self.norm1(x).reshape(batch, g, g, width)
        if s:
            y = torch.roll(y, (-s, -s), (1, 2))
        y = y.reshape(batch, g // w, w, g // w, w, width).transpose(2, 3)
        y = self.attn(y.reshape(-1, w * w, width), self.mask)
        y = y.reshape(batch, g // w, g // w, w, w, width).transpose(2, 3)
        y = y.reshape(batch, g, g, width)
        if s:
            y = torch.roll(y, (s, s), (1, 2))
        x = x + y.reshape(batch, g * g, width)
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class Merging(nn.Module):
    """Four neighbours become one patch of twice the width."""

    def __init__(self, width: int, grid: int) -> None:
        super().__init__()
        self.grid = grid
        self.norm = nn.LayerNorm(4 * width)
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Down the column first: that is the order that the weights were learned in."""
        batch, _, width = x.shape
        x = x.reshape(batch, self.grid, self.grid, width)
        parts = [x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        out: Tensor = self.reduction(self.norm(torch.cat(parts, -1).flatten(1, 2)))
        return out


class Level(nn.Module):
    """Blocks of one size, and the way to the next."""

    def __init__(
        self, width: int, depth: int, heads: int, grid: int, window: int, *, last: bool
    ) -> None:
        super().__init__()
        window = min(window, grid)
        self.blocks = nn.ModuleList(
            Block(width, heads, grid, window, shifted=bool(n % 2)) for n in range(depth)
        )
        self.downsample = None if last else Merging(width, grid)

    def forward(self, x: Tensor) -> Tensor:
        """All blocks in turn."""
        for block in self.blocks:
            x = block(x)
        return x if self.downsample is None else self.downsample(x)


class Patches(nn.Module):
    """The picture in patches."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, PATCH, PATCH)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """Pictures x patches x width."""
        out: Tensor = self.norm(self.proj(x).flatten(2).transpose(1, 2))
        return out


class Swin(nn.Module):
    """The eye of RAM++."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        last = len(sizes.depths) - 1
        self.patch_embed = Patches(sizes.width)
        self.layers = nn.ModuleList(
            Level(
                sizes.width << n,
                depth,
                heads,
                (sizes.side // PATCH) >> n,
                sizes.window,
                last=n == last,
            )
            for n, (depth, heads) in enumerate(zip(sizes.depths, sizes.heads, strict=True))
        )
        self.norm = nn.LayerNorm(sizes.width << last)

    def forward(self, x: Tensor) -> Tensor:
        """The tokens of the last level, their mean before them."""
        x = self.patch_embed(x)
        for level in self.layers:
            x = level(x)
        x = self.norm(x)
        return torch.cat((x.mean(1, keepdim=True), x), 1)


class Asking(nn.Module):
    """The three projections of cross-attention: a tag asks, the picture answers."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.query = nn.Linear(sizes.hidden, sizes.hidden)
        self.key = nn.Linear(sizes.text, sizes.hidden)
        self.value = nn.Linear(sizes.text, sizes.hidden)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """`x`: pictures x tags x hidden; `seen`: pictures x tokens x text."""
        q, k, v = (
            one.unflatten(-1, (HEADS, -1)).transpose(1, 2)
            for one in (self.query(x), self.key(seen), self.value(seen))
        )
        near = (q @ k.transpose(-2, -1)) * q.shape[-1] ** -0.5
        out: Tensor = (near.softmax(dim=-1) @ v).transpose(1, 2).flatten(2)
        return out


class Adding(nn.Module):
    """A projection, added to what was there before, normalised."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, hidden)
        self.LayerNorm = nn.LayerNorm(hidden, eps=1e-12)

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        """`x` may be wider than `before`."""
        out: Tensor = self.LayerNorm(self.dense(x) + before)
        return out


class TagLayer(nn.Module):
    """One layer of the tagging head."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        output = Adding(sizes.hidden, sizes.hidden)
        self.crossattention = nn.ModuleDict({"self": Asking(sizes), "output": output})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(sizes.hidden, sizes.inner)})
        self.output = Adding(sizes.inner, sizes.hidden)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """Ask, then think."""
        asked = self.crossattention["output"](self.crossattention["self"](x, seen), x)
        out: Tensor = self.output(functional.gelu(self.intermediate["dense"](asked)), asked)
        return out


class RamPlus(nn.Module):
    """RAM++: pictures to logits of all tags."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.visual_encoder = Swin(sizes)
        self.image_proj = nn.Linear(sizes.width << (len(sizes.depths) - 1), sizes.text)
        self.label_embed = nn.Parameter(torch.empty(sizes.tags * sizes.descriptions, sizes.text))
        self.reweight_scale = nn.Parameter(torch.empty(()))
        self.wordvec_proj = nn.Linear(sizes.text, sizes.hidden)
        layers = nn.ModuleList(TagLayer(sizes) for _ in range(sizes.layers))
        self.tagging_head = nn.ModuleDict({"encoder": nn.ModuleDict({"layer": layers})})
        self.fc = nn.Linear(sizes.hidden, 1)

    def settle(self) -> RamPlus:
        """Compute what no checkpoint needs to hold. To be called once the parameters are there."""
        with torch.no_grad():
            for module in self.modules():
                if isinstance(module, Block):
                    module.settle()
        return self.eval()

    def forward(self, pictures: Tensor) -> Tensor:
        """`pictures`: n x 3 x side x side, normalised. Returns n x tags."""
        seen = self.image_proj(self.visual_encoder(pictures))
        whole = seen[:, 0]
        whole = whole / whole.norm(dim=-1, keepdim=True)
        described = self.label_embed.reshape(self.sizes.tags, self.sizes.descriptions, -1)
        fitting = (self.reweight_scale.exp() * whole) @ self.label_embed.t()
        share = fitting.unflatten(1, (self.sizes.tags, -1)).softmax(dim=-1)
        # As a product of matrices: weighing all descriptions one by one takes 0.5 GB a picture.
        tags = (share.transpose(0, 1) @ described).transpose(0, 1)
        x = functional.relu(self.wordvec_proj(tags))
        for layer in self.tagging_head["encoder"]["layer"]:  # type: ignore[index]
            x = layer(x, seen)
        out: Tensor = self.fc(x).squeeze(-1)
        return out


def _relative(window: int) -> Tensor:
    """Row of the table of biases for each pair of patches in a window."""
    along = torch.arange(window)
    rows, columns = (one.reshape(-1) for one in torch.meshgrid(along, along, indexing="ij"))
    down = rows[:, None] - rows[None, :] + window - 1
    across = columns[:, None] - columns[None, :] + window - 1
    return down * (2 * window - 1) + across


def _foreign(grid: int, window: int, shift: int) -> Tensor:
    """For each shifted window, -100 between patches that are no neighbours in the picture.

    Rolling brings the upper and left edges to the other side; a window there holds up to four
    pieces, and each piece looks at itself only.
    """
    piece = torch.zeros(grid, dtype=torch.long)
    piece[grid - window : grid - shift] = 1
    piece[grid - shift :] = 2
    both = piece[:, None] * 3 + piece[None, :]
    n = grid // window
    of = both.reshape(n, window, n, window).transpose(1, 2).reshape(n * n, window * window)
    return torch.where(of[:, :, None] == of[:, None, :], 0.0, -100.0)
