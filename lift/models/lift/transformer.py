"""Stage 2: the temporal transformer that turns all frames into one context map.

Source: specification section 3.2.

Legend: B samples, T frames in time order (`present` tells which exist), D model width, L = h·w patches, W
frames per window.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from lift.config.schema import Model
from lift.models.blocks import conv
from lift.models.lift.options import GROUPS


class TemporalTransformer(nn.Module):
    """Patches, layers of temporal attention, and a learnt weighting of the frames.

    Attributes:
        recompute: Keep no more than each layer's input for the backward pass and compute the rest anew in it,
            with the same dropout: less memory for more time, and the same gradients.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        width, patch = model.widths[4], model.patch
        self.embed = nn.Conv2d(width, width, patch, stride=patch)
        self.layers = nn.ModuleList(Layer(model) for _ in range(model.layers))
        hidden = max(1, width // model.score_reduction)
        # No last bias: the softmax over frames does not see what is added to all scores alike.
        self.score = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, 1, bias=False))
        self.recompute = False
        self.unpatch = nn.ConvTranspose2d(width, width, patch, stride=patch)

    def forward(self, features: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Gather what all frames know, from s16 with positions, (B, T, D, H/16, W/16).

        Returns:
            F_ctx (B, D, H/16, W/16), and α (B, T) in float32 or wider: 0 where absent, summing to 1.
        """
        samples, frames = present.shape
        patches = self.embed(features.flatten(0, 1))  # (B·T, D, h, w)
        tokens = patches.permute(0, 2, 3, 1).unflatten(0, (samples, frames))  # (B, T, h, w, D)
        for layer in self.layers:
            if self.recompute and torch.is_grad_enabled():
                tokens = checkpoint(layer, tokens, present, use_reentrant=False)
            else:
                tokens = layer(tokens, present)
        # Adaptive aggregation: g_k = mean over space, α = softmax(MLP(g)), F = Σ α_k · tokens_k.
        score = self.score(tokens.mean(dim=(2, 3))).squeeze(-1)  # (B, T)
        score = score.to(torch.promote_types(score.dtype, torch.float32))
        alpha = score.masked_fill(~present, -torch.inf).softmax(dim=1)
        gathered = torch.einsum("bt,bthwd->bdhw", alpha.to(tokens.dtype), tokens)
        context: Tensor = self.unpatch(gathered)
        return context, alpha


class Layer(nn.Module):
    """Attention over time, convolution over space, feed-forward network: each added to its input."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        width = model.widths[4]
        self.attention = TemporalAttention(model)
        self.space = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, groups=width),
            conv(width, width, kernel=1),
            nn.GroupNorm(GROUPS, width),
        )
        self.forward_network = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, width * model.expansion),
            nn.GELU(),
            nn.Linear(width * model.expansion, width),
            nn.Dropout(model.dropout),
        )

    def forward(self, tokens: Tensor, present: Tensor) -> Tensor:
        """Map tokens (B, T, h, w, D) to the same shape; `present` (B, T)."""
        # 1. temporal self-attention of each patch
        flat = tokens.flatten(2, 3)  # (B, T, L, D)
        tokens = (flat + self.attention(flat, present)).view_as(tokens)
        # 2. depthwise + pointwise convolution over each frame's patch grid
        grid = tokens.flatten(0, 1).permute(0, 3, 1, 2)  # (B·T, D, h, w), channels last in memory
        tokens = (grid + self.space(grid)).permute(0, 2, 3, 1).view_as(tokens)
        # 3. feed-forward network of each token
        result: Tensor = tokens + self.forward_network(tokens)
        return result


class TemporalAttention(nn.Module):
    """Pre-norm multi-head attention among the frames of one patch, over all frames or within windows of W.

    Windows are blocks of W consecutive present frames; with W >= T they are full attention.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        width = model.widths[4]
        self.heads = model.heads
        self.window = model.window if model.attention == "windowed" else None
        self.norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)

    def forward(self, tokens: Tensor, present: Tensor) -> Tensor:
        """Attend over time; tokens and result (B, T, L, D), `present` (B, T)."""
        samples, frames = present.shape
        if self.window is None or self.window >= frames:
            return self._attend(tokens, present)
        patches, width = tokens.shape[2:]
        extra = -frames % self.window  # empty slots that fill the last window
        tokens = F.pad(tokens, (0, 0, 0, 0, 0, extra)).reshape(-1, self.window, patches, width)
        present = F.pad(present, (0, extra)).reshape(-1, self.window)  # (B·windows, W)
        attended = self._attend(tokens, present)
        return attended.reshape(samples, -1, patches, width)[:, :frames]

    def _attend(self, tokens: Tensor, present: Tensor) -> Tensor:
        samples, frames, patches, width = tokens.shape
        qkv = self.query_key_value(self.norm(tokens)).view(
            samples, frames, patches, 3, self.heads, width // self.heads
        )
        q, k, v = qkv.permute(3, 0, 2, 4, 1, 5).flatten(1, 2)  # each (B·L, heads, T, D/heads)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=_mask(present, patches))
        attended = attended.view(samples, patches, self.heads, frames, -1).permute(0, 3, 1, 2, 4)
        result: Tensor = self.project(attended.flatten(3))
        return result


def _mask(present: Tensor, patches: int) -> Tensor:
    """Return which frame may attend to which, (B·L, 1, T, T).

    Present frames can be looked at; an absent frame also sees itself, since a softmax over nothing is NaN.
    """
    frames = present.shape[1]
    itself = torch.eye(frames, dtype=torch.bool, device=present.device)
    return (present[:, None, :] | itself).repeat_interleave(patches, dim=0)[:, None]


class MeanContext(nn.Module):
    """The ablation "mean context": the average over frames in the transformer's place; no parameters."""

    def forward(self, features: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Average s16 features (B, T, D, H/16, W/16) over present frames: F_ctx, and equal weights (B, T)."""
        alpha = present / present.sum(dim=1, keepdim=True)  # float32
        return torch.einsum("bt,btdhw->bdhw", alpha.to(features.dtype), features), alpha
