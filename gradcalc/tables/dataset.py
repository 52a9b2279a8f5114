"""A data set: the columns of several files, all with one entry for each row."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy

from gradcalc.engine.shapes import MAXIMUM_BYTES
from gradcalc.errors import DataProblem, UsageProblem
from gradcalc.language.nearest import nearest
from gradcalc.tables.columns import SHOWN_NAMES, Columns, as_input, open_columns

PROBED_ROWS = 20
"""How many rows tell whether a column holds numbers."""


class DataSet:
    """The columns of all files that were named."""

    def __init__(self, given: Sequence[str], limit: int | None) -> None:
        if not given:
            raise UsageProblem("there are no data", remedy="name a table of rows: --data rows.csv, or arrays: --data set.npz")
        self.tables: list[Columns] = []
        self.owners: dict[str, Columns] = {}
        limit = MAXIMUM_BYTES if limit is None else limit
        for text in given:
            name, equals, file = text.partition("=")
            named = bool(equals) and name.strip().isidentifier() and not os.path.exists(text)
            table = open_columns(file.strip(), as_input(name), limit) if named else open_columns(text, None, limit)
            for column in table.names:
                if column in self.owners:
                    raise DataProblem(
                        f"{self.owners[column].file} and {table.file} both have a column {column}", remedy="leave out one of them"
                    )
                self.owners[column] = table
            self.tables.append(table)

    def read(self, names: Sequence[str], limit: int | None) -> dict[str, Any]:
        """These columns, of one number of rows."""
        found: dict[str, Any] = {}
        for table in self.tables:
            own = [name for name in names if self.owners[name] is table]
            if own:
                found |= table.read(own, MAXIMUM_BYTES if limit is None else limit)
        self._refuse_other_counts(found)
        self._refuse_not_finite(found)
        return {name: found[name] for name in names}

    def _refuse_other_counts(self, columns: Mapping[str, Any]) -> None:
        counts = {name: len(column) for name, column in columns.items()}
        if len(set(counts.values())) > 1:
            first, *others = counts.items()
            name, count = next((name, count) for name, count in others if count != first[1])
            rows = f"{first[1]} row{'' if first[1] == 1 else 's'}"
            raise DataProblem(
                f"{first[0]} has {rows} in {self.owners[first[0]].file}, {name} has {count} in {self.owners[name].file}",
                remedy="give every column one entry for each row",
            )

    def _refuse_not_finite(self, columns: Mapping[str, Any]) -> None:
        for name, column in columns.items():
            good = numpy.isfinite(column).reshape(len(column), -1).all(axis=1)
            if not good.all():
                row = int(numpy.argmin(good))
                raise DataProblem(f"{self.owners[name].place(row)}: {name} is not finite", remedy="leave out this row, or mend it")

    def holds_numbers(self, name: str) -> bool:
        """Whether a column has a number in each of its first rows."""
        try:
            for _ in self.owners[name].chunks([name], PROBED_ROWS):
                return True
        except DataProblem:
            return False
        return False

    def unknown(self, name: str, what: str) -> DataProblem:
        """That no file has such a column."""
        near = nearest(name, self.owners)
        listed = ", ".join(list(self.owners)[:SHOWN_NAMES]) + (", …" if len(self.owners) > SHOWN_NAMES else "")
        files = " and ".join(table.file for table in self.tables)
        return DataProblem(
            f"{what}: {files} {'has' if len(self.tables) == 1 else 'have'} no column {name}",
            remedy=f"did you mean {near}?" if near else f"the columns are {listed}",
        )
