"""Adam without torch's compiler: its optimizers load that to tell it where not to compile.

Loading it takes as long as loading torch itself, in each process that trains, and here nothing is compiled.
"""

from __future__ import annotations

from inspect import unwrap

import torch


class Adam(torch.optim.Adam):
    """Torch's own, whose methods are called as they stand beneath what speaks to the compiler."""

    add_param_group = unwrap(torch.optim.Adam.add_param_group)
    load_state_dict = unwrap(torch.optim.Adam.load_state_dict)
    state_dict = unwrap(torch.optim.Adam.state_dict)
    step = torch.no_grad()(unwrap(torch.optim.Adam.step))
    zero_grad = unwrap(torch.optim.Adam.zero_grad)
