"""The resolved configuration of a run: frozen, validated, written next to what it made."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import (
    Field,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_serializer,
    model_validator,
)

from latentlab.system.files import read_record
from latentlab.system.stamps import remembered
from latentlab.system.validation import Frozen, validate

if TYPE_CHECKING:
    from latentlab.data.kinds import Form
else:
    Form = Any

FORMAT = 2
LARGEST_BETA = 1e9
FORM_KEYS = ("form", "image_shape")  # where the form stands in a record; the second in format 1
NO_NETWORK = "none"  # of a run that holds codes alone


class Hardware(Frozen):
    """What a run computes with: chosen once, written down, and kept by a resume or a worker.

    ``precision`` is that of training: ``float32``; ``mixed``, where convolutions compute in bfloat16 and all else in
    float32; or ``bfloat16`` throughout. Weights, codes and what is measured on them are float32 in each.
    """

    device: str = Field("cpu", pattern=r"^(cpu|cuda(:\d+)?|mps)$")
    threads: int = Field(1, ge=1, le=1024)
    precision: Literal["float32", "mixed", "bfloat16"] = "float32"
    memory_format: Literal["contiguous", "channels_last"] = "contiguous"


class Adapter(Frozen):
    """The file of a user's own that builds a model: recorded and never run; a verb that needs the model is given it.

    ``file`` is its name and ``sha256`` its hash; both are empty where the model was handed over in Python. ``name`` is
    what in it makes the model. ``modules`` are the hashes of the files beside it that it imports, by their paths.
    """

    file: str = Field("", max_length=255)
    sha256: str = Field("", max_length=64)
    name: str = Field(min_length=1, max_length=255)
    encodes: bool = True
    decodes: bool = True
    modules: dict[str, str] = Field(default_factory=dict, max_length=1000)

    @field_validator("modules")
    @classmethod
    def _beside(cls, modules: dict[str, str]) -> dict[str, str]:
        if any(Path(each).is_absolute() or ".." in Path(each).parts or "\0" in each for each in modules):
            raise ValueError("expected paths of files beside the adapter")
        return modules

    @model_serializer(mode="wrap")
    def _without_modules(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """An adapter that imports nothing of its own says nothing of it."""
        content: dict[str, Any] = write(self)
        if not self.modules:
            del content["modules"]
        return content


class Condition(Frozen):
    """A categorical column that a model is told; ``usual`` is the level that most of its training rows have."""

    name: str = Field(min_length=1, max_length=255)
    levels: tuple[str, ...] = Field(min_length=2)
    usual: str

    @field_validator("usual")
    @classmethod
    def _one_of_them(cls, usual: str, given: ValidationInfo) -> str:
        if usual not in given.data.get("levels", ()):
            raise ValueError("expected one of the levels")
        return usual


class Conditions(Frozen):
    """What a decoder is told beside the code, and with ``encoder`` the encoder as well."""

    columns: tuple[Condition, ...] = Field(min_length=1)
    encoder: bool = False

    @property
    def width(self) -> int:
        """How many ones and zeros they are."""
        return sum(len(column.levels) for column in self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(column.name for column in self.columns)

    @property
    def described(self) -> str:
        """Columns and their numbers of levels: ``batch (3 levels)``."""
        return ", ".join(f"{column.name} ({len(column.levels)} levels)" for column in self.columns)


class RunConfig(Frozen):
    """Everything that determines a run's weights, resolved: no value is left to be chosen later.

    ``objective`` holds the objective's name and its settings, as in ``{"name": "beta-vae", "beta": 4.0}``.
    ``stochastic`` says whether the encoder gives a posterior variance as well as a mean. ``form`` is what one sample
    is, and how its values become the model's input and back (`Form`); format 1 had ``image_shape`` instead, of images
    in bytes. ``data`` is the SPEC the run was trained on, ``split`` the part of it, ``rows`` how many rows that
    is, ``source`` where the images came from, ``fingerprint`` the SHA-256 of what they are (`Dataset.fingerprint`;
    empty in runs older than it, and where a model was trained elsewhere). ``weights`` is the SHA-256 of the weights
    that rows were drawn by, empty where each was drawn once an epoch; ``correlate`` names two factors and σ where those
    weights follow from them. ``decay`` is the last part of the steps over which the learning rate falls linearly to
    zero. ``conditions`` are columns that the decoder is told beside the code.

    A model that was trained elsewhere says so in ``imported`` (the format, the checkpoint's hash, what its library
    recorded) or ``adapter``; ``rows``, ``steps`` and ``learning_rate`` are 0 where that is not known. A run that holds
    imported codes without a model has the network and likelihood ``none``, and None as ``form``.
    """

    format: Literal[2] = 2
    data: str = Field(min_length=1, max_length=4096)
    split: str = "all"
    imported: dict[str, Any] | None = None
    adapter: Adapter | None = None
    rows: int = Field(ge=0)
    source: dict[str, Any] = Field(default_factory=dict)
    fingerprint: str = Field("", max_length=64)
    weights: str = Field("", max_length=64)
    correlate: str = Field("", max_length=512)
    form: Form
    network: str
    latent_dim: int = Field(10, ge=1, le=4096)
    likelihood: Literal[
        "bernoulli", "gaussian", "gaussian-learned", "gaussian-channels", "gaussian-sigmoid", "laplace-sigmoid",
        "per-column", "negative-binomial", "poisson", "own", "none",
    ] = "bernoulli"  # fmt: skip
    sigma: float = Field(1.0, gt=0, le=1e3)
    objective: dict[str, Any]
    stochastic: bool = True
    batch_size: int = Field(64, ge=1, le=65536)
    steps: int = Field(ge=0, le=10**9)
    learning_rate: float = Field(ge=0, le=10)
    decay: float = Field(0.0, ge=0, le=1)
    seed: int = Field(0, ge=0, lt=2**31)
    log_every: int = Field(100, ge=1, le=10**9)
    checkpoint_every: int = Field(1000, ge=1, le=10**9)
    conditions: Conditions | None = None
    hardware: Hardware = Hardware()

    @model_serializer(mode="wrap")
    def _without_nothing(self, write: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        """As JSON, a run that is told nothing says nothing of it."""
        content: dict[str, Any] = write(self)
        if info.mode == "json" and self.conditions is None:
            del content["conditions"]
        return content

    @model_validator(mode="before")
    @classmethod
    def _of_format_1(cls, content: Any) -> Any:
        """A configuration of format 1 as one of format 2."""
        if not isinstance(content, dict):
            return content
        content = {**content, "format": FORMAT} if content.get("format") == 1 else content
        if "image_shape" not in content or "form" in content:
            return content
        shape = content["image_shape"]
        if not isinstance(shape, list | tuple) or not all(type(size) is int for size in shape):
            raise ValueError("expected image_shape as three whole numbers")
        rest = {key: value for key, value in content.items() if key != "image_shape"}
        return {**rest, "format": 2, "form": {"kind": "image", "shape": shape, "stored": "uint8", "scale": [255.0]}}

    @field_validator("form", mode="before")
    @classmethod
    def _form(cls, form: Any) -> Form | None:
        from latentlab.data.kinds import Form, form_from

        return form if form is None or isinstance(form, Form) else form_from(form)

    @field_serializer("form")
    def _brief(self, form: Form | None) -> dict[str, Any] | None:
        return None if form is None else form.to_json()

    @field_validator("rows", "steps", "learning_rate")
    @classmethod
    def _known(cls, value: float, given: ValidationInfo) -> float:
        if value == 0 and not given.data.get("imported") and not given.data.get("adapter"):
            raise ValueError("input should be greater than 0")
        return value

    @field_validator("data")
    @classmethod
    def _path(cls, data: str) -> str:
        if "\0" in data:
            raise ValueError("a path cannot contain a zero byte")
        return data

    @field_validator("likelihood")
    @classmethod
    def _built(cls, likelihood: str, given: ValidationInfo) -> str:
        if likelihood == "own" and not given.data.get("adapter"):
            raise ValueError("expected the adapter that it belongs to")
        return likelihood

    @field_validator("objective")
    @classmethod
    def _named(cls, objective: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(objective.get("name"), str):
            raise ValueError("expected a name and its settings")
        beta = objective.get("beta", 0.0)
        if isinstance(beta, bool) or not isinstance(beta, int | float) or not abs(beta) <= LARGEST_BETA:
            raise ValueError(f"expected a number as beta, {LARGEST_BETA:g} at most")
        return objective

    @model_validator(mode="after")
    def _suits(self) -> Self:
        """The likelihood suits the samples; codes without a model have neither."""
        if not self.has_model:
            if self.form is not None or self.adapter or self.likelihood != "none" or not self.imported:
                raise ValueError("expected no form, adapter or likelihood: the network 'none' stands for no model")
            return self
        if self.form is None:
            raise ValueError("expected a form: only codes without a model have none")
        from latentlab.data.kinds import kind_of

        known = kind_of(self.form).likelihoods(self.form)
        if self.likelihood not in (*known, "own"):
            raise ValueError(
                f"the likelihood {self.likelihood} is not for {self.form.plural}; choose {', '.join(known)}"
            )
        return self

    @property
    def has_model(self) -> bool:
        """Whether there is a model; without one the run holds codes that were computed elsewhere."""
        return self.network != NO_NETWORK

    @property
    def data_name(self) -> str:
        """How pages call the data: by the name of a data set that latentlab knows, else by their file or folder."""
        from latentlab.data import names

        name, file = (str(self.source.get(key) or "") for key in ("name", "file"))
        known = any(name == each or name.startswith(f"{each}-") for each in names())  # "dsprites-rendered"
        return (name if known else file or Path(self.data.partition(":")[0]).name) or name

    @property
    def noun(self) -> str:
        """What one sample is called; a row where only its code is known."""
        return "row" if self.form is None else self.form.noun

    @property
    def plural(self) -> str:
        """What several samples are called."""
        return "rows" if self.form is None else self.form.plural

    @property
    def beta(self) -> float | None:
        """β, the weight of the rate in the loss (of TC in a β-TCVAE); None for an objective without one."""
        return self.objective.get("beta")

    @property
    def label(self) -> str:
        """How tables and figures call this setting: ``AE``, ``β = 4``, ``factor-vae, gamma = 10``."""
        return self.label_by(self.objective)

    def label_by(self, options: Collection[str]) -> str:
        """The label with only these options of the objective besides its first, which weighs it against others.

        What a β-VAE adds to the rate is always said where it is added.
        """
        name = self.objective["name"]
        if name == "ae":
            return "AE"
        if name in ("vae", "beta-vae") and self.beta is not None:
            more = {key: value for key, value in self.objective.items() if key not in ("name", "beta") and value}
            return ", ".join([f"β = {brief(self.beta)}", *(f"{key} = {brief(value)}" for key, value in more.items())])
        known = [(key, value) for key, value in self.objective.items() if key != "name"]
        told = known[:1] + [(key, value) for key, value in known[1:] if key in options]
        return ", ".join([name, *(f"{key} = {brief(value)}" for key, value in told)])


def seeded(setting: str, seed: int) -> str:
    """How tables, figures and pages call a run: its setting and its seed.

    >>> seeded("β = 4", 0)
    'β = 4, seed 0'
    """
    return f"{setting}, seed {seed}"


def brief(value: Any) -> str:
    """A number as short as it can be written and still be read back as the same one; any other value as text.

    Two settings that differ in the eighth digit stay two, and a command line repeats what was done.

    >>> brief(16.0), brief(0.1), brief(0.12345678), brief(20000), brief(1e-05)
    ('16', '0.1', '0.12345678', '20000', '1e-05')
    """
    if not isinstance(value, float):
        return str(value)
    return short if float(short := f"{value:g}") == value else repr(value)


@remembered
def read_config(path: Path) -> RunConfig:
    """The configuration in a run's ``config.json``."""
    found: RunConfig = validate(RunConfig, read_record(path, FORMAT), str(path))
    return found
