"""Graphs of numbers in machine code: one interpreter of tapes, made by LLVM in a process, for whatever graph comes.

A compilation per graph would take seconds; this one takes some hundredths of one, grows by the gates that are met, and serves
graphs of a million gates as well. The interpreter is two loops over a graph's columns, forwards and backwards, that branch on the
gate: the branches are generated from the gates' records, as those of `engine.scalar` are.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from array import array
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

from gradcalc.calculus.build import Builder, Expression
from gradcalc.calculus.linear import Careful, taken_apart
from gradcalc.calculus.reverse import dependents, flows_back
from gradcalc.errors import MissingExtra
from gradcalc.gates.algebra import Only
from gradcalc.gates.record import REGISTRY, Gate
from gradcalc.graph import CONSTANT, INPUT, Graph

MOST_INPUTS = 3
"""Gates of more inputs (the maximum of many) are left to the interpreter in Python."""

COLUMNS = ("codes", "left", "right", "starts", "members", "parameters", "constants", "inputs", "values", "gradients", "wanted")
"""What the machine reads and writes, in the order of the pointers it is given."""

Kind = tuple[Gate, int]
"""A gate with its number of inputs."""


class Machine(NamedTuple):
    """The compiled interpreter: functions of the number of nodes and the address of the pointers."""

    forward: Callable[[int, int], None]
    both: Callable[[int, int], None]
    opcodes: dict[Kind, int]
    calling: frozenset[int]
    """The opcodes whose contributions call functions, and ask therefore what is wanted."""
    keep: Any
    """What must live as long as the code."""


def available() -> bool:
    """Whether the optional part is installed."""
    return find_spec("llvmlite") is not None


@cache
def kinds() -> dict[Kind, int]:
    """Every gate of numbers with every number of inputs that there can be a branch for, numbered."""
    found: list[Kind] = []
    for record in REGISTRY.records():
        if record.elementwise:
            least, most = record.arity
            found += [(record, count) for count in range(least, min(MOST_INPUTS, most or MOST_INPUTS) + 1)]
    return {kind: number for number, kind in enumerate(found)}


def runs(graph: Graph) -> bool:
    """Whether there is a branch for every gate of a graph of numbers."""
    known = kinds()
    return all(operator.gate is None or (operator.gate, operator.arity) in known for operator in graph.operators)


class Tape:
    """A graph as the columns that the machine reads, with room for values and gradients: it serves one caller at a time."""

    def __init__(self, graph: Graph, wrt: Sequence[int]) -> None:
        """Make the columns.

        Args:
            graph: whose last node is the output; see `runs`.
            wrt: the nodes that gradients are wanted for.
        """
        self.machine = machine((operator.gate, operator.arity) for operator in graph.operators if operator.gate is not None)
        numbers, places, parameters = [INPUT, CONSTANT], [-1, -1], array("d")
        for operator in graph.operators[2:]:
            gate = operator.gate
            assert gate is not None
            numbers.append(self.machine.opcodes[gate, operator.arity])
            places.append(len(parameters) if operator.attributes else -1)
            parameters.extend(float(dict(operator.attributes)[attribute.name]) for attribute in gate.attributes)
        right = graph.right
        if parameters:
            # A gate with attributes has one input: its second column says where its attributes are.
            right = [other if places[code] < 0 else places[code] for code, other in zip(graph.codes, right)]
        starts, members = array("i"), array("i")
        for bundle in graph.bundles:
            starts.append(len(members))
            members.extend(bundle)
        self.size = len(graph)
        asks = not self.machine.calling.isdisjoint(numbers)
        self.inputs = (ctypes.c_double * max(1, graph.input_count))()
        self.values = (ctypes.c_double * self.size)()
        self.gradients = (ctypes.c_double * self.size)()
        self._held = [
            array("i", map(numbers.__getitem__, graph.codes)),
            array("i", graph.left),
            array("i", right),
            starts,
            members,
            parameters,
            array("d", graph.constants),
            self.inputs,
            self.values,
            self.gradients,
            array("b", flows_back(graph, dependents(graph, wrt, self.size - 1)) if asks else b""),
        ]
        self._pointers = (ctypes.c_void_p * len(COLUMNS))(*[_address(column) for column in self._held])
        self._at = ctypes.addressof(self._pointers)

    def value(self, inputs: Sequence[float]) -> float:
        """The value of the last node."""
        self.inputs[: len(inputs)] = list(inputs)
        self.machine.forward(self.size, self._at)
        return self.values[self.size - 1]

    def run(self, inputs: Sequence[float]) -> float:
        """The value of the last node; its gradients are then in `gradients`."""
        self.inputs[: len(inputs)] = list(inputs)
        self.machine.both(self.size, self._at)
        return self.values[self.size - 1]


def _address(column: Any) -> int:
    """Where a column lies; 0 if it is empty."""
    if isinstance(column, array):
        return column.buffer_info()[0] if len(column) else 0
    return ctypes.addressof(column)


# ---- the branches as small graphs ------------------------------------------------------------------------------------------------

PRIMITIVE = frozenset(("sigmoid", "max", "min", "sign"))
"""Gates with steps, or none, that the machine has a way of its own for."""


class Branch(NamedTuple):
    """What one kind of gate computes, over the inputs of small graphs: the attributes last."""

    forward: Graph
    value: int
    backward: Graph
    """Its first inputs are the gradient from above and the gate's result."""
    parts: tuple[tuple[int | None, int] | None, ...]
    """For each input of the gate the condition and the contribution, as in `engine.scalar.Template`."""


def branch(kind: Kind) -> Branch:
    """The rules of a gate as graphs, its attributes among the inputs."""
    gate, count = kind
    names = [attribute.name for attribute in gate.attributes]
    careful = Careful(Graph(), whole=PRIMITIVE)
    terms = [careful.term(careful.graph.add_input()) for _ in range(count + len(names))]
    value = careful.apply(gate.name, terms[:count], dict(zip(names, terms[count:])))
    builder = Builder(Graph())
    above, result, *inputs = [builder.term(builder.graph.add_input()) for _ in range(2 + count + len(names))]
    builder.first_generated = len(builder.graph)
    assert gate.partials is not None
    slopes = gate.partials(result, *inputs[:count], **dict(zip(names, inputs[count:])))
    parts = [_part(builder, above, slope) for slope in slopes]
    nodes = [node for part in parts if part is not None for node in part]
    program = taken_apart(builder, nodes, len(builder.graph), Careful(Graph(), whole=PRIMITIVE))
    found = iter(program.outputs)
    made = tuple(None if part is None else (next(found), _there(next(found))) for part in parts)
    return Branch(careful.graph, value.node, program.graph, made)


def _there(node: int | None) -> int:
    assert node is not None
    return node


def _part(builder: Builder, above: Expression, slope: Any) -> tuple[int | None, int] | None:
    if slope is None or (isinstance(slope, float) and slope == 0.0):
        return None
    if isinstance(slope, Only):
        return slope.condition.node, (above * slope.slope).node
    return None, (above * slope).node


# ---- machine code ----------------------------------------------------------------------------------------------------------------


_machines: list[Machine] = []
"""The machine of this process, once it is made."""


def machine(wanted: Iterable[Kind]) -> Machine:
    """The interpreter, compiled on first use, and once more for gates that it did not have yet.

    Raises:
        MissingExtra: llvmlite is not installed.
    """
    needed = set(wanted)
    known = _machines[0].opcodes if _machines else {}
    if not _machines or not needed <= known.keys():
        _machines[:] = [_made(sorted(needed | known.keys(), key=kinds().__getitem__))]
    return _machines[0]


def _made(several: Sequence[Kind]) -> Machine:
    try:
        import llvmlite.binding as llvm
    except ImportError:
        raise MissingExtra("the backend jit", "jit") from None
    from gradcalc.engine.machine_code import module_of

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    opcodes = {kind: number for number, kind in enumerate(several, start=2)}
    text, called, calling = module_of({number: (kind[1], branch(kind)) for kind, number in opcodes.items()})
    library = ctypes.CDLL(ctypes.util.find_library("m"))
    for name in called:
        llvm.add_symbol(name, ctypes.cast(getattr(library, name), ctypes.c_void_p).value)
    target = llvm.Target.from_default_triple().create_target_machine(opt=2)
    module = llvm.parse_assembly(text)
    builder = llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(speed_level=2))
    builder.getModulePassManager().run(module, builder)
    engine = llvm.create_mcjit_compiler(module, target)
    engine.finalize_object()
    signature = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_void_p)
    forward, both = (signature(engine.get_function_address(name)) for name in ("forward", "both"))
    return Machine(forward, both, opcodes, calling, engine)
