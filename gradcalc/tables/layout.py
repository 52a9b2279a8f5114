"""Which columns the results of a sweep have, and what they are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gradcalc.errors import UsageProblem
from gradcalc.language.nearest import nearest

TITLE_LIMIT = 40
"""A longer formula is no title."""

SHOWN = 12
"""How many columns are named in a message."""


class Result(NamedTuple):
    """A column that is computed: the value of an output of the program, or its derivative by something."""

    output: int
    wrt: str | None


class Column(NamedTuple):
    """A column of the results: of the table as numbers, of the table as it is, or computed."""

    title: str
    number: str | None = None
    kept: str | None = None
    result: Result | None = None


@dataclass(frozen=True)
class Known:
    """What columns there may be.

    Attributes:
        outputs: a title for each output.
        wrt: for each output by what it is differentiated.
        nodes: for each output what else there is to differentiate by, if that is asked for.
        varying: the inputs that the rows have.
        titles: all columns of the table, by their names as inputs, as the table spells them.
        names: of the outputs that have one; a single output may be asked for by it.
    """

    outputs: Sequence[str]
    wrt: Sequence[Sequence[str]]
    nodes: Sequence[Sequence[str]]
    varying: Sequence[str]
    titles: Mapping[str, str]
    names: Sequence[str | None] = ()

    def title(self, result: Result) -> str:
        """What a computed column is called: `value` and `d/dx`, or of several outputs `f` and `df/dx`, `d(x*y)/dx`."""
        name = self.outputs[result.output]
        if result.wrt is None:
            return name
        if len(self.outputs) == 1:
            return f"d/d{result.wrt}"
        return f"d{name}/d{result.wrt}" if name.isidentifier() else f"d({name})/d{result.wrt}"


def output_titles(names: Sequence[str | None], texts: Sequence[str], taken: Sequence[str]) -> list[str]:
    """A title for each output: its name, or its text if that is short; `value` for a single one.

    Args:
        names: of the outputs that have one.
        texts: of the outputs.
        taken: titles that are not free: with `value` among them, a single one has its own name, or is `result`.
    """
    if len(texts) == 1:
        return ["value" if "value" not in taken else names[0] or "result"]
    wanted = [name or text for name, text in zip(names, texts)]
    return [
        title if len(title) <= TITLE_LIMIT and wanted.count(title) == 1 and title not in taken else f"value{number}"
        for number, title in enumerate(wanted, 1)
    ]


def choose(known: Known, columns: Sequence[str], keep: Sequence[str], unknown: Callable[[str], Exception]) -> list[Column]:
    """The columns of the results.

    Args:
        known: what there may be.
        columns: what is asked for, each as `TITLE` or `NEW=TITLE`; nothing stands for the inputs that vary, and all results.
        keep: the columns of the table that are to be passed on; `*` stands for all.
        unknown: what to say of a column that the table does not have.

    Raises:
        UsageProblem: there is no such column, or two are called alike.
    """
    inputs = [Column(known.titles[name], number=name) for name in known.varying]
    results = [
        Column(known.title(result), result=result)
        for output, wrt in enumerate(known.wrt)
        for result in (Result(output, None), *(Result(output, name) for name in wrt))
    ]
    own = [Column(title, kept=name) for name, title in known.titles.items()]
    kept = []
    for name in keep:
        found = own if name == "*" else [column for column in own if name in (column.kept, column.title)]
        if not found:
            raise unknown(name)
        kept += [column for column in found if column not in kept]
    if columns:
        others = [Result(output, name) for output, names in enumerate(known.nodes) for name in names]
        named = [Column(name, result=Result(0, None)) for name in known.names if name and len(known.outputs) == 1]
        every = [*results, *inputs, *(Column(known.title(result), result=result) for result in others), *own, *named]
        chosen = kept + [_asked(text, every) for text in columns]
    else:
        passed = {column.kept for column in kept}
        chosen = kept + [column for column in inputs if column.number not in passed] + results
    titles = [column.title for column in chosen]
    twice = next((title for title in titles if titles.count(title) > 1), None)
    if twice is not None:
        raise UsageProblem(
            f"two columns of the results are called {twice}", remedy=f'choose and rename them: --columns "new={twice}, …"'
        )
    return chosen


def _asked(text: str, every: Sequence[Column]) -> Column:
    """The column that is asked for by its title, or by NEW=TITLE."""
    found = _find(text, every)
    if found is not None:
        return found
    new, equals, title = text.partition("=")
    if equals and not (new.strip() and title.strip()):
        example = f"{new.strip() or 'new'}={title.strip() or 'value'}"
        raise UsageProblem(f'--columns "{text}" is not NEW=TITLE', remedy=f'write "{example}"')
    found = _find(title, every) if equals and new.strip() else None
    if found is not None:
        return found._replace(title=new.strip())
    wanted = title.strip() if equals else text
    titles = list(dict.fromkeys(column.title for column in every))
    near = nearest(wanted, titles)
    listed = ", ".join(titles[:SHOWN]) + (", …" if len(titles) > SHOWN else "")
    raise UsageProblem(
        f"--columns {wanted}: there is no such column", remedy=f"did you mean {near}?" if near else f"there are {listed}"
    )


def _find(text: str, columns: Sequence[Column]) -> Column | None:
    """Blanks do not matter: `x * y` is `x*y`."""
    wanted = "".join(text.split())
    return next(
        (column for column in columns if wanted in ("".join(column.title.split()), column.number or column.kept or None)), None
    )
