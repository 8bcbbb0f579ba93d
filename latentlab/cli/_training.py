"""The options that ``train`` and ``sweep`` share."""

from typing import Annotated

import typer

from latentlab.system.registry import names

Objective = Annotated[str, typer.Option(help=f"{', '.join(names('training/objectives')).replace('_', '-')}.")]
Network = Annotated[str, typer.Option(help=f"{', '.join(names('models/networks'))}, or auto (by kind and size).")]
Condition = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMN", help="Categorical column given to the decoder, such as batch; may be repeated."),
]
Sigma = Annotated[float | None, typer.Option(help="Standard deviation σ of the Gaussian likelihood; 1 by default.")]
BatchSize = Annotated[int, typer.Option(help="Samples per step.")]
LearningRate = Annotated[float | None, typer.Option(help="Learning rate of Adam; by default the network's own.")]
Decay = Annotated[
    float | None,
    typer.Option(help="Final fraction of the steps over which the learning rate falls to 0; 0.2 by default."),
]
Device = Annotated[str, typer.Option(help="Device: auto, cpu, cuda or mps.")]
