"""Standard normal draws from elsewhere: what code within would draw itself is handed to it.

An objective draws its noise where it needs it. Where many members share one pass, or several processes one batch, the
draws must still be those of training alone, a function of seed and step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

Draw = Callable[[Tensor], Tensor]
DRAWS = (torch.Tensor.normal_, torch.randn_like)  # what `Normal.rsample` and objectives call


class Handed(TorchFunctionMode):
    """Within it, ``draw(like)`` gives what ``torch.randn_like(like)`` and ``like.normal_()`` would.

    >>> with Handed(torch.zeros_like):
    ...     torch.distributions.Normal(torch.ones(2), torch.ones(2)).rsample()
    tensor([1., 1.])
    """

    def __init__(self, draw: Draw) -> None:
        super().__init__()
        self.draw = draw

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Hand over a draw; call anything else as it is."""
        return self.draw(args[0]) if func in DRAWS else func(*args, **(kwargs or {}))
