"""A training run on disk: one .npz with the parameters under their own names, and beside them what it takes to go on.

The file is replaced whole or not at all. It holds arrays and one text (JSON) only, so that reading it runs nothing.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import tempfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gradcalc.errors import DataProblem, UsageProblem
from gradcalc.graph import CONSTANT, INPUT, Graph
from gradcalc.learning.training import Epoch, State

PREFIX = "gradcalc."
"""What the names of everything but the parameters begin with; no input can be called so."""

FORMAT = 1


class Checkpoint(NamedTuple):
    """A run as it was saved.

    Attributes:
        names: of the parameters.
        state: where it was.
        history: its epochs.
        start: the loss before its first step.
        settings: how it was run: the method, seed, batch, shuffle, the share held out, what the loss and the data were.
    """

    names: tuple[str, ...]
    state: State
    history: tuple[Epoch, ...]
    start: float
    settings: Mapping[str, Any]


def save(path: str, checkpoint: Checkpoint) -> None:
    """Write a run to a file, which is replaced at once when everything is written.

    Raises:
        DataProblem: it cannot be written.
    """
    import numpy

    state = checkpoint.state
    arrays: dict[str, Any] = {name: numpy.asarray(value) for name, value in zip(checkpoint.names, state.values)}
    for slot, values in enumerate(state.memory):
        arrays |= {f"{PREFIX}memory.{slot}.{name}": numpy.asarray(value) for name, value in zip(checkpoint.names, values)}
    document = {
        "format": FORMAT,
        "names": checkpoint.names,
        "epoch": state.epoch,
        "batch": state.batch,
        "steps": state.steps,
        "rows": state.rows,
        "settings": dict(checkpoint.settings),
        "metrics": len(checkpoint.history[0].metrics) if checkpoint.history else 0,
    }
    arrays[f"{PREFIX}run"] = numpy.frombuffer(json.dumps(document).encode(), dtype=numpy.uint8)
    arrays[f"{PREFIX}total"] = numpy.array([state.total, checkpoint.start])
    arrays[f"{PREFIX}history"] = numpy.array([_row(epoch) for epoch in checkpoint.history])
    data = io.BytesIO()
    numpy.savez(data, **arrays)
    replace(path, data.getvalue())


def _row(epoch: Epoch) -> list[float]:
    return [float(epoch.number), epoch.loss, math.nan if epoch.held_out is None else epoch.held_out, *epoch.metrics]


def replace(path: str, data: bytes) -> None:
    """Give a file this content, whole or not at all."""
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, _mode(target))
        os.replace(temporary, target)
        temporary = None
    except OSError as error:
        raise DataProblem(
            f"{path} can't be written: {(error.strerror or str(error)).lower()}", remedy="name another file after --save"
        ) from None
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _mode(path: str) -> int:
    try:
        return os.stat(path).st_mode & 0o777
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def is_run(path: str) -> bool:
    """Whether a file is a run that `save` wrote, so that another run may take its place."""
    try:
        with zipfile.ZipFile(path) as archive:
            return f"{PREFIX}run.npy" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def load(path: str) -> Checkpoint:
    """Read a run that `save` wrote.

    Raises:
        DataProblem: the file is missing, damaged, or holds no run.
    """
    import numpy

    try:
        with numpy.load(path, allow_pickle=False) as archive:
            if f"{PREFIX}run" not in archive:
                raise DataProblem(f"{path} holds no training run to go on from", remedy="leave out --resume, or name another file")
            document = json.loads(archive[f"{PREFIX}run"].tobytes())
            names = tuple(document["names"])
            values = [_value(archive[name]) for name in names]
            slots = sum(1 for entry in archive.files if names and entry.startswith(PREFIX) and entry.endswith(f".{names[0]}"))
            memory = tuple([_value(archive[f"{PREFIX}memory.{slot}.{name}"]) for name in names] for slot in range(slots))
            total, start = archive[f"{PREFIX}total"].tolist()
            history = tuple(_epoch(row) for row in archive[f"{PREFIX}history"].tolist())
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        raise DataProblem(f"{path} is damaged, or is no saved run", remedy="leave out --resume to begin anew") from None
    except OSError as error:
        raise DataProblem(f"{path} can't be read: {(error.strerror or str(error)).lower()}") from None
    state = State(document["epoch"], document["batch"], document["steps"], values, memory, total, document["rows"])
    return Checkpoint(names, state, history, start, document["settings"])


def _value(array: Any) -> Any:
    return array if array.ndim else float(array)


def _epoch(row: Sequence[float]) -> Epoch:
    return Epoch(int(row[0]), row[1], None if math.isnan(row[2]) else row[2], tuple(row[3:]))


def fitting(
    path: str, checkpoint: Checkpoint, names: Sequence[str], values: Sequence[Any], settings: Mapping[str, Any]
) -> list[str]:
    """Make sure that a saved run is one of this program, and answer warnings about what has changed.

    Raises:
        UsageProblem: its parameters, seed, or the rows held out are others: it cannot be gone on from.
    """
    if set(checkpoint.names) != set(names):
        raise UsageProblem(
            f"{path} is a run over {', '.join(checkpoint.names)}, and this one is over {', '.join(names)}",
            remedy=f"write --over {','.join(checkpoint.names)}, or leave out --resume",
        )
    saved = dict(zip(checkpoint.names, checkpoint.state.values))
    for name, value in zip(names, values):
        if _shape(saved[name]) != _shape(value):
            raise UsageProblem(
                f"{name} has shape {_shape(saved[name])} in {path}, and {_shape(value)} in this program",
                remedy="leave out --resume to begin anew",
            )
    known = checkpoint.settings
    changed = [key for key in settings if key in known and known[key] != settings[key]]
    if "graph" in changed:
        raise UsageProblem(
            f"{path} is a run of {known.get('loss')}, and this is {settings['loss']}"
            + (", with other definitions" if known.get("loss") == settings["loss"] else ""),
            remedy="leave out --resume to begin anew, or name another file after --save",
        )
    for key in ("seed", "validate", "method", "batch"):
        if key in changed:
            raise UsageProblem(
                f"{path} was run with --{key} {known[key]}, and this is --{key} {settings[key]}",
                remedy=f"write --{key} {known[key]}, or leave out --resume to begin anew",
            )
    words = {"data": "the data are not those of the saved run", "shuffle": "--shuffle is not as in the saved run"}
    return [words[key] for key in changed if key in words]


def fingerprint_of(graph: Graph, inputs: Sequence[str]) -> int:
    """A number that tells one formula from another, however both are written."""
    import numpy

    total = 0
    for node in range(len(graph)):
        operator = graph.operator(node)
        if graph.codes[node] == CONSTANT:
            words = numpy.asarray(graph.constant(node), dtype=float).tobytes()
        elif graph.codes[node] == INPUT:
            words = (*inputs, "the target")[graph.left[node]].encode()
        else:
            gate = operator.gate.name if operator.gate is not None else ""
            words = f"{gate} {operator.attributes} {tuple(graph.inputs(node))}".encode()
        total = zlib.crc32(words, total)
    return total


def _shape(value: Any) -> str:
    return "×".join(map(str, value.shape)) if hasattr(value, "shape") else "()"


def ordered(checkpoint: Checkpoint, names: Sequence[str]) -> State:
    """The state of a saved run, its parameters in this order."""
    places = [checkpoint.names.index(name) for name in names]
    state = checkpoint.state
    memory = tuple([values[place] for place in places] for values in state.memory)
    return state._replace(values=[state.values[place] for place in places], memory=memory)
