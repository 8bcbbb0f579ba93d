"""The caption of a figure, for beside it: a paper has it under the figure, not in it."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from latentlab.errors import harmless

SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "α": r"$\alpha$", "β": r"$\beta$", "γ": r"$\gamma$",
    "δ": r"$\delta$", "λ": r"$\lambda$", "μ": r"$\mu$", "ρ": r"$\rho$", "σ": r"$\sigma$", "×": r"$\times$",
    "−": "$-$", "–": "--", "±": r"$\pm$", "≤": r"$\leq$", "≥": r"$\geq$", "→": r"$\rightarrow$", "∞": r"$\infty$",
    "‖": r"$\|$", "½": r"$\frac{1}{2}$", "²": "$^2$", "₂": "$_2$", "·": r"$\cdot$", "…": r"\ldots{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
}  # fmt: skip


def escape(text: str) -> str:
    r"""Text with what LaTeX would take for a command written out.

    >>> escape("β = 4, latent_dim 10 & 100 %")
    '$\\beta$ = 4, latent\\_dim 10 \\& 100 \\%'
    """
    spaced = harmless("".join(" " if letter.isspace() else letter for letter in text))
    return "".join(SPECIAL.get(letter, letter) for letter in spaced if letter.isprintable())


def caption(kind: ModuleType, data: Any) -> str:
    """What is under a figure of that kind: its title, then what its data say of themselves."""
    title, said = getattr(data, "title", None), getattr(data, "subtitle", None)
    called = title if isinstance(title, str) else kind.TITLE
    return f"{called}: {said.replace(' · ', '; ')}." if isinstance(said, str) and said else f"{called}."


def files(text: str) -> dict[str, bytes]:
    """The caption as files, by what their names end in: as text, and as a command of LaTeX."""
    written = f"\\caption{{{escape(text)}}}"
    return {".caption.txt": f"{text}\n".encode(), ".caption.tex": f"{written}\n".encode()}
