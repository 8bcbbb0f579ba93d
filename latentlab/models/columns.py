"""The likelihood of a table's row: each column its own, and what is missing counts for nothing."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Categorical, Distribution, Normal, kl_divergence, register_kl
from torch.types import _size

from latentlab.data.kinds import Form


class Columns(Distribution):
    """p(x|z) of rows (n, d): Gaussian columns, binary columns, and groups of columns that are one category's levels.

    ``outputs`` (n, d) are the means of numeric columns, the logits of the others; ``log_sigma`` (d,). A value that is
    missing (NaN) adds nothing to the log-probability; of a category all levels are missing together.
    """

    has_rsample = False

    def __init__(self, outputs: Tensor, log_sigma: Tensor, kinds: Kinds) -> None:
        super().__init__(outputs.shape[:-1], outputs.shape[-1:], validate_args=False)
        self.outputs, self.log_sigma, self.kinds = outputs, log_sigma, kinds

    @property
    def mean(self) -> Tensor:
        """Means of numeric columns, probabilities of the others (n, d)."""
        return self._joined(
            self.outputs[..., self.kinds.numeric],
            torch.sigmoid(self.outputs[..., self.kinds.binary]),
            [torch.softmax(self.outputs[..., group], dim=-1) for group in self.kinds.groups],
        )

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-probability (n,) of the values that are known."""
        numeric, binary = self.kinds.numeric, self.kinds.binary
        known = ~torch.isnan(value)
        x = torch.nan_to_num(value)
        log_sigma = self.log_sigma[numeric]
        scaled = (x[..., numeric] - self.outputs[..., numeric]) * torch.exp(-log_sigma)
        gaussian = -0.5 * scaled**2 - log_sigma - 0.5 * math.log(2 * math.pi)
        total = (gaussian * known[..., numeric]).sum(dim=-1)
        logits = self.outputs[..., binary]
        bernoulli = x[..., binary] * logits - nn.functional.softplus(logits)
        total = total + (bernoulli * known[..., binary]).sum(dim=-1)
        for group in self.kinds.groups:
            logs = torch.log_softmax(self.outputs[..., group], dim=-1)
            total = total + (logs * x[..., group] * known[..., group]).sum(dim=-1)
        return total

    def sample(self, sample_shape: _size = ()) -> Tensor:
        """Draws (*sample_shape, n, d)."""
        shape = (*sample_shape, *self.outputs.shape)
        outputs = self.outputs.expand(shape)
        with torch.no_grad():
            numeric = torch.normal(
                outputs[..., self.kinds.numeric],
                self.log_sigma[self.kinds.numeric].exp().expand_as(outputs[..., self.kinds.numeric]),
            )
            binary = torch.bernoulli(torch.sigmoid(outputs[..., self.kinds.binary]))
            levels = [
                torch.distributions.OneHotCategorical(logits=outputs[..., group], validate_args=False).sample()
                for group in self.kinds.groups
            ]
        return self._joined(numeric, binary, levels)

    def _joined(self, numeric: Tensor, binary: Tensor, groups: list[Tensor]) -> Tensor:
        """Parts by kind as rows in the order of the columns."""
        return torch.cat([numeric, binary, *groups], dim=-1)[..., self.kinds.order]


class Kinds:
    """Where the columns of each kind are: index tensors, and the order that puts parts by kind back into place."""

    def __init__(self, form: Form) -> None:
        columns = form.columns or ("numeric",) * form.shape[0]
        self.numeric = torch.tensor([i for i, kind in enumerate(columns) if kind == "numeric"], dtype=torch.long)
        self.binary = torch.tensor([i for i, kind in enumerate(columns) if kind == "binary"], dtype=torch.long)
        named = dict.fromkeys(kind for kind in columns if kind not in ("numeric", "binary"))
        self.groups = [torch.tensor([i for i, k in enumerate(columns) if k == name]) for name in named]
        self.order = torch.cat([self.numeric, self.binary, *self.groups]).argsort()


@register_kl(Columns, Columns)
def _kl(p: Columns, q: Columns) -> Tensor:
    """KL(p ‖ q) (n,) of rows whose columns are of the same kinds."""
    numeric, binary = p.kinds.numeric, p.kinds.binary
    pairs = [(each.outputs, each.log_sigma.exp()) for each in (p, q)]
    gaussian = kl_divergence(*(Normal(x[..., numeric], s[numeric], validate_args=False) for x, s in pairs))
    bits = kl_divergence(*(Bernoulli(logits=x[..., binary], validate_args=False) for x, _ in pairs))
    total = gaussian.sum(dim=-1) + bits.sum(dim=-1)
    for group in p.kinds.groups:
        total = total + kl_divergence(*(Categorical(logits=x[..., group], validate_args=False) for x, _ in pairs))
    return total


class PerColumn(nn.Module):
    """Each column's own likelihood; a numeric one is Gaussian with a σ of its own, which is learned."""

    def __init__(self, form: Form, sigma: float) -> None:
        super().__init__()
        self.kinds = Kinds(form)
        self.log_sigma = nn.Parameter(torch.full((form.shape[0],), math.log(sigma)))

    def forward(self, outputs: Tensor) -> Distribution:
        """p(x|z) with the row as one event."""
        return Columns(outputs, self.log_sigma, self.kinds)
