"""Values for inputs from a file: the arrays of an .npz, or a JSON object."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unicodedata import normalize

from gradcalc.engine.files import nearby
from gradcalc.engine.shapes import MAXIMUM_AXES, MAXIMUM_BYTES
from gradcalc.errors import BindingProblem, DataProblem, LimitProblem

KEY_OF_RESULTS = "inputs"
"""Where the JSON that `optimize` and `train` print has the values."""


def read_bindings(file: str, limit: int | None = None) -> dict[str, Any]:
    """The values that a file gives, by name: floats, nested lists, or arrays.

    An .npz gives an array a name, as `train --save` writes it; names that no input can have (with a dot) are passed over. Any other
    file is JSON: an object, or one with an object `inputs`, as `optimize --format json` prints it.

    Raises:
        DataProblem: the file is missing, or not what it should be.
        BindingProblem: a value is neither a number nor an array of numbers.
    """
    path = Path(file)
    if not path.is_file():
        words = "is not a file" if path.exists() else "does not exist"
        raise DataProblem(f"{file} {words}", remedy=nearby(path))
    limit = MAXIMUM_BYTES if limit is None else limit
    if path.suffix.lower() == ".npz":
        return _from_archive(path, file, limit)
    if path.suffix.lower() == ".npy":
        raise DataProblem(f"{file} holds an array without a name", remedy=f"""write --NAME 'load("{file}")'""")
    return _from_json(path, file, limit)


def _from_archive(path: Path, file: str, limit: int) -> dict[str, Any]:
    import zipfile

    from gradcalc.engine.files import read

    try:
        with zipfile.ZipFile(path) as archive:
            names = [entry.removesuffix(".npy") for entry in archive.namelist() if entry.endswith(".npy")]
    except (OSError, zipfile.BadZipFile):
        raise DataProblem(f"{file} is not an .npz file") from None
    return {normalize("NFKC", name): read(file, name, limit) for name in names if name.isidentifier()}


def _from_json(path: Path, file: str, limit: int) -> dict[str, Any]:
    import json

    try:
        if path.stat().st_size > 4 * limit:
            raise LimitProblem(f"{file} is larger than arrays may be", remedy="raise the limit with --max-array")
        document = json.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as problem:
        raise DataProblem(f"{file} can't be read: {problem}") from None
    except (ValueError, RecursionError):
        raise DataProblem(f"{file} is neither JSON nor .npz", remedy='write an object: {"a": 1, "w": [1, 2]}') from None
    if isinstance(document, dict) and isinstance(document.get(KEY_OF_RESULTS), dict) and "schema" in document:
        document = document[KEY_OF_RESULTS]
    if not isinstance(document, dict):
        raise DataProblem(f"{file} holds no object of values", remedy='write names and values: {"a": 1, "w": [1, 2]}')
    values = {}
    for name, value in document.items():
        if not name.isidentifier():
            raise BindingProblem(f"{file}: {name!r} is no name of an input")
        values[normalize("NFKC", name)] = _value(value, f"{name} in {file}")
    return values


def _value(value: Any, what: str, depth: int = 0) -> Any:
    """A number, or nested lists of them; infinite ones are written as strings, as JSON has none."""
    if isinstance(value, bool) or value is None or isinstance(value, dict):
        raise BindingProblem(f"{what} is not a number or an array of numbers", remedy="give it a number, or lists of numbers")
    if isinstance(value, list):
        if depth == MAXIMUM_AXES:
            raise BindingProblem(f"{what}: an array has at most {MAXIMUM_AXES} axes")
        return [_value(item, what, depth + 1) for item in value]
    if isinstance(value, str) and value not in ("inf", "-inf", "nan"):
        raise BindingProblem(f"{what} is a text", remedy="give it a number, or lists of numbers")
    return float(value)
