"""What commands share that take a program and a table of rows: where each of the two comes from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gradcalc.cli.program import Source
from gradcalc.errors import UsageProblem

if TYPE_CHECKING:
    from gradcalc.cli.program import GivenProgram


def named_file(source: Source) -> Source:
    """A program that is the name of a file, as that file: no formula ends in .gc, or is the name of a file that exists."""
    words = source.text if source.path is None else None
    if words is not None and words != "-" and "\n" not in words and (words.endswith(".gc") or os.path.isfile(words)):
        return Source(words, None)
    return source


def refuse_taken_input(data: Sequence[str], program: GivenProgram) -> None:
    """Standard input is read once.

    Raises:
        UsageProblem: several things are to come from there.
    """
    times = sum(1 for given in data if given == "-")
    if times > 1:
        raise UsageProblem("--data - is given twice, and standard input is read once", remedy="name files for the others")
    if times and program.source.reads_standard_input:
        raise UsageProblem(
            "the program and the data are both to come from standard input", remedy="write the program as an argument, or -f FILE"
        )
