"""What each objective is known for, shown: the same network, data, steps and seed under each of them.

``python benchmarks/objectives.py [STEPS]`` (2,000; minutes on one core). A line each, over all images of the data set:
distortion and rate (nats per image), total correlation (nats; the aggregate posterior summed over every image, at 512
samples), the mean squared covariance of two means, MMD² of aggregate posterior and prior at 2,000 samples, and how many
dimensions have a rate above 0.1 nats.
"""

import math
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch.distributions import Normal

from latentlab.data import Dataset, load
from latentlab.models import load_model
from latentlab.system.machine import processor
from latentlab.system.memory import keep_freed_memory
from latentlab.training.objectives import gaussian_rate
from latentlab.training.objectives.beta_tcvae import log_aggregate
from latentlab.training.objectives.dip_vae_i import covariance
from latentlab.training.objectives.info_vae import mmd
from latentlab.training.train import train

DATA, D = "dsprites:size=32,grid=3x4x8x16x16", 10
SAMPLES, CHUNK = 512, 32


def plan(steps: int) -> list[tuple[str, dict[str, Any]]]:
    """The settings that are compared."""
    half = steps // 2
    return [
        ("vae", {}),
        ("beta-vae", {"beta": 4}),
        ("beta-vae", {"beta": 16}),
        ("beta-vae", {"beta": 16, "warmup_steps": half}),
        ("beta-vae", {"beta": 16, "free_bits": 0.25}),
        ("annealed-vae", {"gamma": 100, "capacity": 12, "anneal_steps": half}),
        ("beta-tcvae", {"beta": 6}),
        ("beta-tcvae", {"beta": 6, "sampling": "weighted"}),
        ("factor-vae", {"gamma": 10, "width": 256}),
        ("dip-vae-i", {"lambda_od": 10, "lambda_d": 1}),
        ("dip-vae-ii", {"lambda_od": 10, "lambda_d": 10}),
        ("info-vae", {"alpha": 0, "scale": 1000}),
    ]


def total_correlation(posterior: Normal) -> float:
    """KL(q(z) ‖ Π q(z_j)) at samples of q(z), each density summed over all images."""
    rows = torch.randperm(len(posterior.mean))[:SAMPLES]
    weights = torch.full((1, len(posterior.mean)), -math.log(len(posterior.mean)))
    found = []
    for part in rows.split(CHUNK):
        z = Normal(posterior.mean[part], posterior.stddev[part]).sample()
        joint, marginals = log_aggregate(posterior, z, weights)
        found.append(joint - marginals.sum(dim=1))
    return torch.cat(found).mean().item()


def measured(data: Dataset, out: Path, objective: str, settings: dict[str, Any], steps: int) -> dict[str, float]:
    """Train one model; what is known of it afterwards."""
    options = {"network": "mlp", "latent_dim": D, "steps": steps, "threads": 1, "log_every": steps}
    run = train(data, out, objective=objective, settings=settings, **options)
    model = load_model(run)
    torch.manual_seed(0)
    means, scales, distortions = [], [], []
    with torch.inference_mode():
        for start in range(0, len(data), 1024):
            x = torch.from_numpy(data[start : start + 1024]).float() / 255
            q = model.encode(x)
            distortions.append(-model.decode(q.rsample()).log_prob(x))
            means.append(q.mean)
            scales.append(q.stddev)
        posterior = Normal(torch.cat(means), torch.cat(scales))
        rate = gaussian_rate(posterior)[0].mean(dim=0)
        among = covariance(posterior.mean)
        some = posterior.sample()[torch.randperm(len(data))[:2000]]
        return {
            "distortion": torch.cat(distortions).mean().item(),
            "rate": rate.sum().item(),
            "TC": total_correlation(posterior),
            "cov2": (among - among.diagonal().diag()).square().sum().item() / (D * (D - 1)),
            "MMD2": mmd(some, torch.randn_like(some)).item(),
            "active": (rate > 0.1).sum().item(),
        }


if __name__ == "__main__":
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    keep_freed_memory()
    images = load(DATA)
    print(f"{DATA}, {len(images):,} images, {total:,} steps of 64; {processor()}, torch {torch.__version__}")
    for name, chosen in plan(total):
        with tempfile.TemporaryDirectory() as folder:
            found = measured(images, Path(folder) / "run", name, chosen, total)
        told = ", ".join(f"{key}={value}" for key, value in chosen.items())
        print(f"{name} {told}: " + ", ".join(f"{key} {value:.4g}" for key, value in found.items()), flush=True)
