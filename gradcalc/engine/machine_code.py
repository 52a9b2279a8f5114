"""The interpreter of tapes in LLVM's language: the branches of all gates, and the loops around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from llvmlite import ir

from gradcalc.engine.scalar import ABSENT
from gradcalc.graph import CONSTANT, INPUT, Graph

if TYPE_CHECKING:
    from gradcalc.engine.jit import Branch

DOUBLE, BYTE, TRUTH = ir.DoubleType(), ir.IntType(8), ir.IntType(1)
INT, LONG = ir.IntType(32), ir.IntType(64)
POINTER = BYTE.as_pointer()

COMPARED = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "==": "=="}

UNARY = (
    *("exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "erf", "erfc", "cbrt", "sin", "cos", "tan", "asin", "acos", "atan"),
    *("sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
)
BINARY = ("pow", "hypot", "atan2", "fmod")
INTRINSIC = {"abs": "llvm.fabs", "sqrt": "llvm.sqrt", "floor": "llvm.floor", "ceil": "llvm.ceil", "round": "llvm.rint"}


class Code:
    """Writes small graphs of numbers as instructions."""

    def __init__(self, module: ir.Module) -> None:
        self.module = module
        self.called: set[str] = set()
        self._functions: dict[str, Any] = {}

    def function(self, name: str, count: int) -> Any:
        """A function of C, or of LLVM itself."""
        if name not in self._functions:
            self._functions[name] = ir.Function(self.module, ir.FunctionType(DOUBLE, [DOUBLE] * count), name)
            if not name.startswith("llvm."):
                self.called.add(name)
        return self._functions[name]

    def call(self, b: ir.IRBuilder, name: str, *arguments: Any) -> Any:
        """A call of such a function."""
        return b.call(self.function(name, len(arguments)), arguments)

    def nodes(self, b: ir.IRBuilder, graph: Graph, inputs: Sequence[Any], wanted: Sequence[int]) -> dict[int, Any]:
        """Instructions for the nodes that are wanted and what they need; comparisons stay truth values."""
        reached = graph.reached(wanted)
        made: dict[int, Any] = {}
        for node, flag in enumerate(reached):
            if not flag:
                continue
            code = graph.codes[node]
            if code == INPUT:
                made[node] = inputs[graph.left[node]]
            elif code == CONSTANT:
                made[node] = DOUBLE(graph.constant(node))
            else:
                operator = graph.operator(node)
                assert operator.gate is not None
                made[node] = self.gate(b, operator.gate.name, [made[source] for source in graph.inputs(node)])
        return made

    def number(self, b: ir.IRBuilder, value: Any) -> Any:
        """A truth value as 1 or 0, a number as it is."""
        return b.uitofp(value, DOUBLE) if value.type == TRUTH else value

    def holds(self, b: ir.IRBuilder, value: Any) -> Any:
        """Whether a number is not 0 (nan is not)."""
        return value if value.type == TRUTH else b.fcmp_unordered("!=", value, DOUBLE(0.0))

    def gate(self, b: ir.IRBuilder, name: str, values: Sequence[Any]) -> Any:
        """One gate on values."""
        if name == "where":
            return b.select(self.holds(b, values[0]), self.number(b, values[1]), self.number(b, values[2]))
        x = [self.number(b, value) for value in values]
        if name in COMPARED:
            return b.fcmp_ordered(COMPARED[name], *x)
        if name == "!=":
            return b.fcmp_unordered("!=", *x)
        simple = {"+": b.fadd, "-": b.fsub, "*": b.fmul, "/": b.fdiv, "neg": b.fneg}.get(name)
        if simple is not None:
            return simple(*x)
        if name in (UNARY if len(x) == 1 else BINARY):
            return self.call(b, name, *x)
        if name in INTRINSIC:
            return self.call(b, f"{INTRINSIC[name]}.f64", *x)
        return getattr(self, f"_{_WORDS.get(name, name)}")(b, *x)

    def _square(self, b: ir.IRBuilder, x: Any) -> Any:
        return b.fmul(x, x)

    def _reciprocal(self, b: ir.IRBuilder, x: Any) -> Any:
        return b.fdiv(DOUBLE(1.0), x)

    def _identity(self, b: ir.IRBuilder, x: Any) -> Any:
        return x

    def _sign(self, b: ir.IRBuilder, x: Any) -> Any:
        below = b.select(b.fcmp_ordered("<", x, DOUBLE(0.0)), DOUBLE(-1.0), x)
        return b.select(b.fcmp_ordered(">", x, DOUBLE(0.0)), DOUBLE(1.0), below)

    def _extreme(self, b: ir.IRBuilder, symbol: str, *values: Any) -> Any:
        best = values[0]
        for value in values[1:]:
            first = b.or_(b.fcmp_ordered(symbol, best, value), b.fcmp_unordered("uno", best, best))
            best = b.select(first, best, value)
        return best

    def _max(self, b: ir.IRBuilder, *values: Any) -> Any:
        return self._extreme(b, ">", *values)

    def _min(self, b: ir.IRBuilder, *values: Any) -> Any:
        return self._extreme(b, "<", *values)

    def _remainder(self, b: ir.IRBuilder, x: Any, y: Any) -> Any:
        """The divisor's sign, and that of its zero, as Python has it."""
        rest = self.call(b, "fmod", x, y)
        zero = DOUBLE(0.0)
        other = b.xor(b.fcmp_ordered("<", rest, zero), b.fcmp_ordered("<", y, zero))
        moved = b.select(other, b.fadd(rest, y), rest)
        signed = b.call(self.function("llvm.copysign.f64", 2), (zero, y))
        return b.select(b.fcmp_ordered("==", rest, zero), signed, moved)

    def _sigmoid(self, b: ir.IRBuilder, x: Any) -> Any:
        """Right far out on both sides, by one exponential."""
        size = self.call(b, "llvm.fabs.f64", x)
        small = self.call(b, "exp", b.fneg(size))
        above = b.select(b.fcmp_ordered(">=", x, DOUBLE(0.0)), DOUBLE(1.0), small)
        return b.fdiv(above, b.fadd(DOUBLE(1.0), small))

    def _logaddexp(self, b: ir.IRBuilder, x: Any, y: Any) -> Any:
        distance = self.call(b, "llvm.fabs.f64", b.fsub(x, y))
        apart = b.fadd(self._max(b, x, y), self.call(b, "log1p", self.call(b, "exp", b.fneg(distance))))
        return b.select(b.fcmp_ordered("==", x, y), b.fadd(x, DOUBLE(0.6931471805599453)), apart)

    def _gelu(self, b: ir.IRBuilder, x: Any) -> Any:
        tail = self.call(b, "erfc", b.fdiv(b.fneg(x), DOUBLE(1.4142135623730951)))
        value = b.fmul(b.fmul(DOUBLE(0.5), x), tail)
        return b.select(b.fcmp_ordered("==", x, DOUBLE(float("-inf"))), DOUBLE(-0.0), value)

    def _log(self, b: ir.IRBuilder, x: Any, base: Any) -> Any:
        other = b.fdiv(self.call(b, "log", x), self.call(b, "log", base))
        ten = b.select(b.fcmp_ordered("==", base, DOUBLE(10.0)), self.call(b, "log10", x), other)
        return b.select(b.fcmp_ordered("==", base, DOUBLE(2.0)), self.call(b, "log2", x), ten)


_WORDS = {"%": "remainder", "=": "identity"}


class Loops:
    """Writes the two functions."""

    def __init__(self, branches: Mapping[int, tuple[int, Branch]]) -> None:
        self.branches = branches
        self.module = ir.Module("gradcalc")
        self.code = Code(self.module)
        self.calling: set[int] = set()

    def write(self) -> None:
        """The functions `forward` and `both`."""
        signature = ir.FunctionType(ir.VoidType(), [LONG, POINTER.as_pointer()])
        forward, both = (ir.Function(self.module, signature, name) for name in ("forward", "both"))
        forward.attributes.add("noinline")
        for function in (forward, both):
            b = ir.IRBuilder(function.append_basic_block("entry"))
            size, pointers = function.args
            self._load_columns(b, pointers)
            if function is forward:
                self._loop(b, size, self._forward_branch, forwards=True)
            else:
                b.call(forward, function.args)
                self._clear(b, size)
                self._loop(b, size, self._backward_branch, forwards=False)
            b.ret_void()

    def _load_columns(self, b: ir.IRBuilder, pointers: Any) -> None:
        from gradcalc.engine.jit import COLUMNS

        kinds = [INT] * 5 + [DOUBLE] * 5 + [BYTE]
        self.columns = {}
        for number, (name, kind) in enumerate(zip(COLUMNS, kinds)):
            pointer = b.load(b.gep(pointers, [LONG(number)]))
            self.columns[name] = b.bitcast(pointer, kind.as_pointer())

    def at(self, b: ir.IRBuilder, column: str, index: Any) -> Any:
        """The place of an element."""
        return b.gep(self.columns[column], [index])

    def read(self, b: ir.IRBuilder, column: str, index: Any) -> Any:
        """An element."""
        return b.load(self.at(b, column, index))

    def _counter(self, b: ir.IRBuilder, start: Any) -> Any:
        """A variable; LLVM keeps in registers what is made at the entrance."""
        with b.goto_entry_block():
            place = b.alloca(LONG)
        b.store(start, place)
        return place

    def _clear(self, b: ir.IRBuilder, size: Any) -> None:
        """No gradient has arrived anywhere, but for the 1 at the output."""
        place = self._counter(b, LONG(0))
        head, body, done = (b.append_basic_block(name) for name in ("clear", "clear_one", "cleared"))
        b.branch(head)
        b.position_at_end(head)
        index = b.load(place)
        b.cbranch(b.icmp_signed("<", index, size), body, done)
        b.position_at_end(body)
        b.store(DOUBLE(ABSENT), self.at(b, "gradients", index))
        b.store(b.add(index, LONG(1)), place)
        b.branch(head)
        b.position_at_end(done)
        b.store(DOUBLE(1.0), self.at(b, "gradients", b.sub(size, LONG(1))))

    def _loop(self, b: ir.IRBuilder, size: Any, write: Callable[[ir.IRBuilder, int, Any], None], forwards: bool) -> None:
        place = self._counter(b, LONG(0) if forwards else size)
        head, body, rest, done = (b.append_basic_block(name) for name in ("head", "body", "rest", "done"))
        b.branch(head)
        b.position_at_end(head)
        index = b.load(place)
        if forwards:
            b.cbranch(b.icmp_signed("<", index, size), body, done)
            b.position_at_end(body)
            b.store(b.add(index, LONG(1)), place)
        else:
            b.cbranch(b.icmp_signed(">", index, LONG(0)), body, done)
            b.position_at_end(body)
            index = b.sub(index, LONG(1))
            b.store(index, place)
            arrived = b.append_basic_block("arrived")
            gradient = b.bitcast(self.read(b, "gradients", index), LONG)
            b.cbranch(b.icmp_signed("==", gradient, LONG(-(2**63))), head, arrived)
            b.position_at_end(arrived)
        choice = b.switch(self.read(b, "codes", index), rest)
        for number in (INPUT, CONSTANT, *self.branches):
            block = b.append_basic_block(f"gate_{number}")
            choice.add_case(INT(number), block)
            b.position_at_end(block)
            write(b, number, index)
            b.branch(head)
        b.position_at_end(rest)
        b.branch(head)
        b.position_at_end(done)

    def _sources(self, b: ir.IRBuilder, index: Any, count: int) -> list[Any]:
        """The nodes that a gate's inputs are."""
        left = self.read(b, "left", index)
        if count == 1:
            return [left]
        if count == 2:
            return [left, self.read(b, "right", index)]
        start = self.read(b, "starts", left)
        return [self.read(b, "members", b.add(start, INT(number))) for number in range(count)]

    def _attributes(self, b: ir.IRBuilder, index: Any, count: int) -> list[Any]:
        if not count:
            return []
        first = self.read(b, "right", index)
        return [self.read(b, "parameters", b.add(first, INT(number))) for number in range(count)]

    def _forward_branch(self, b: ir.IRBuilder, number: int, index: Any) -> None:
        if number in (INPUT, CONSTANT):
            column = "inputs" if number == INPUT else "constants"
            b.store(self.read(b, column, self.read(b, "left", index)), self.at(b, "values", index))
            return
        count, made = self.branches[number]
        values = [self.read(b, "values", source) for source in self._sources(b, index, count)]
        values += self._attributes(b, index, made.forward.input_count - count)
        result = self.code.nodes(b, made.forward, values, [made.value])[made.value]
        b.store(self.code.number(b, result), self.at(b, "values", index))

    def _backward_branch(self, b: ir.IRBuilder, number: int, index: Any) -> None:
        if number in (INPUT, CONSTANT):
            return
        count, made = self.branches[number]
        if all(part is None for part in made.parts):
            return
        sources = self._sources(b, index, count)
        inputs = [self.read(b, "gradients", index), self.read(b, "values", index)]
        inputs += [self.read(b, "values", source) for source in sources]
        inputs += self._attributes(b, index, made.backward.input_count - count - 2)
        calls = count > 1 and any(part is not None and _calls(made.backward, part[1]) for part in made.parts)
        if calls:
            self.calling.add(number)
        for source, part in zip(sources, made.parts):
            if part is None:
                continue
            condition, node = part
            after = b.append_basic_block("after")
            if calls:
                self._pass_if(b, b.icmp_signed("!=", self.read(b, "wanted", source), BYTE(0)), after)
            if condition is not None:
                holds = self.code.nodes(b, made.backward, inputs, [condition])[condition]
                self._pass_if(b, self.code.holds(b, holds), after)
            part_value = self.code.number(b, self.code.nodes(b, made.backward, inputs, [node])[node])
            # No contribution may be -0.0, which stands for none.
            target = self.at(b, "gradients", source)
            b.store(b.fadd(b.load(target), b.fadd(part_value, DOUBLE(0.0))), target)
            b.branch(after)
            b.position_at_end(after)

    def _pass_if(self, b: ir.IRBuilder, condition: Any, otherwise: Any) -> None:
        here = b.append_basic_block("present")
        b.cbranch(condition, here, otherwise)
        b.position_at_end(here)


def _calls(graph: Graph, node: int) -> bool:
    """Whether a node needs a function."""
    names = {gate.name for one, flag in enumerate(graph.reached([node])) if flag and (gate := graph.operator(one).gate)}
    return not names.isdisjoint({*UNARY, *BINARY, "sigmoid"})


def module_of(branches: Mapping[int, tuple[int, Branch]]) -> tuple[str, set[str], frozenset[int]]:
    """The interpreter's text, the functions of C that it calls, and the opcodes that ask what is wanted."""
    loops = Loops(branches)
    loops.write()
    return str(loops.module), loops.code.called, frozenset(loops.calling)
