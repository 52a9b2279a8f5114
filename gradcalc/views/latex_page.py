"""A formula and its derivatives as a LaTeX document, or as a piece of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gradcalc.views.formulas import Page, output_letter

if TYPE_CHECKING:
    from gradcalc.formula import Formula

DOCUMENT = r"""% {about}
{engine}\documentclass{{article}}
\usepackage[margin=2cm]{{geometry}}
\usepackage{{amsmath}}
{fonts}\allowdisplaybreaks
\pagestyle{{empty}}
\begin{{document}}
{body}
\end{{document}}
"""


def latex_page(formulas: Sequence[Formula], wrt: Sequence[str] | None, fragment: bool, maker: str) -> str:
    """Outputs and their derivatives.

    Args:
        formulas: the outputs.
        wrt: the names to differentiate by; by default all inputs.
        fragment: only the formulas, for a document that loads amsmath.
        maker: what is said to have made it.

    Raises:
        GradcalcError: a derivative can't be written as a formula.
    """
    blocks = [_block(formula, wrt) for formula in formulas]
    body = "\n\n".join(blocks)
    if fragment:
        return body + "\n"
    foreign = not body.isascii()
    return DOCUMENT.format(
        about=f"Made by {maker}.",
        engine="% Some names have letters beyond ASCII: compile it with lualatex or xelatex, and a font that has them.\n"
        if foreign
        else "",
        fonts="\\usepackage{fontspec}\n" if foreign else "",
        body=body,
    )


def _block(formula: Formula, wrt: Sequence[str] | None) -> str:
    """One output: definitions, the formula, its derivatives, aligned at the signs of equality."""
    from gradcalc.studies.derivation import derive

    names = None if wrt is None else [name for name in wrt if name in formula.names.values() or name in formula.inputs]
    lines: list[str] = []
    if names == [] or (names is None and not formula.inputs):
        from gradcalc.dialects.latex import latex

        text = latex(formula.graph, formula.output, shapes=formula.prepared()[1])
        lines.append(f"{output_letter(formula)} = {text}")
    else:
        page = Page()
        for found in derive(formula, "partial", 1, names):
            lines += [line for line in page.latex(found).splitlines() if line not in lines]
    remarks = [line for line in lines if line.startswith("%")]
    value = _value(formula)
    if value is not None:
        begins = f"{output_letter(formula)} = "
        place = next(place for place, line in enumerate(lines) if line.startswith(begins))
        lines[place] += f" = {value}"
    rows = [line.replace(" = ", " &= ", 1) for line in lines if not line.startswith("%")]
    parted = " \\\\\n".join(f"  {row}" for row in rows)
    return "\n".join([*remarks, r"\begin{align*}", parted, r"\end{align*}"])


def _value(formula: Formula) -> str | None:
    """The number that the formula is at the values given; None if there is none, or no number."""
    if any(value is None for value in formula.values):
        return None
    from gradcalc.dialects.latex import LatexWriter

    value = formula.evaluate().values[-1]
    return LatexWriter().number(value) if isinstance(value, float) else None
