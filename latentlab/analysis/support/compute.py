"""What a decoder does on the way between codes: the pictures, and how far each is from the next in nats."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.distributions import kl_divergence

from latentlab.data.dataset import Samples
from latentlab.errors import InputError
from latentlab.models import Model
from latentlab.models.autoencoder import device_of, form_of


def along(model: Model, codes: NDArray[np.float32]) -> tuple[Samples, NDArray[np.float64]]:
    """Decode ways (p, s, d) point by point: samples (p, s, *shape) and information (p, s − 1) in nats.

    The information of a step is KL(p(x|z) ‖ p(x|z')) from a point's likelihood to the next one's: what one picture
    tells about not being the other. Raises `InputError` where the likelihood is of a kind whose KL is not known.
    """
    device = device_of(model)
    images, information = [], []
    with torch.inference_mode():
        for way in codes:
            z = torch.from_numpy(np.ascontiguousarray(way, np.float32)).to(device)
            mean = model.decode(z).mean.float().numpy(force=True)
            images.append(form_of(model, mean.shape[1:]).from_model(mean))
            try:
                step = kl_divergence(model.decode(z[:-1]), model.decode(z[1:]))
            except NotImplementedError as error:
                kind = type(model.decode(z)).__name__
                raise InputError(f"the KL between two likelihoods of kind {kind} is not known to torch") from error
            information.append(step.double().numpy(force=True))
    return np.stack(images), np.stack(information)
