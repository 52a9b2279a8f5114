"""What a gate is: one record from which evaluation, derivatives, checks, the catalogue and the tests all follow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from gradcalc.graph import Graph

Shape = tuple[int, ...]

REQUIRED: Any = ...
"""The default of an attribute that has none: it must be given."""

DRAW = "draw"
"""The attribute that every node of a random gate has beside those of its record: which draw it is, as a tuple of integers."""


class Attribute(NamedTuple):
    """A keyword argument of a gate.

    `kind` is one of `number`, `integer`, `flag`, `axis` (an integer, several, or all), `text`, `index` (a text such as "0, 1:"). A
    positional argument behind the inputs fills the attributes in their order, as in NumPy. The default may be `REQUIRED`.
    """

    name: str
    kind: str
    default: Any


class Syntax(NamedTuple):
    """How a gate that has a symbol is written: `infix`, `prefix` or `postfix`, and how tightly it binds."""

    position: str
    symbol: str
    level: int
    """Precedence, loosest first: 1 comparison, 2 sum, 3 product, 4 sign, 5 power, 6 postfix."""
    associative: str = "left"


class Where(NamedTuple):
    """A condition on a gate's inputs, for people and for programs: kinks, or a domain."""

    text: str
    holds: Callable[..., Any]
    """Takes the inputs (floats or arrays) and the attributes; answers a truth value or an array of them."""


class Body(NamedTuple):
    """A formula as a graph of its own, with the nodes that stand for its parameters."""

    graph: Graph
    parameters: tuple[int, ...]
    output: int


class Trial(NamedTuple):
    """Inputs on which tests try a gate that is not element-wise: their shapes, the values of its sizes, and its attributes."""

    shapes: tuple[Shape, ...]
    sizes: tuple[float, ...]
    attributes: Mapping[str, Any]


def trial(*shapes: Shape, sizes: tuple[float, ...] = (), **attributes: Any) -> Trial:
    """A trial of a gate on inputs of these shapes."""
    return Trial(shapes, sizes, attributes)


class Gate:
    """One kind of gate. See `gate` for what each field means."""

    __slots__ = (
        "along",
        "analytic",
        "arity",
        "array",
        "attributes",
        "body",
        "commutative",
        "complex",
        "constant",
        "conventions",
        "data",
        "discrete",
        "domain",
        "edges",
        "eliminates",
        "exact",
        "example",
        "family",
        "formula",
        "kinks",
        "lanes",
        "linear",
        "name",
        "otherwise",
        "parameters",
        "partials",
        "pullback",
        "random",
        "samples",
        "scalar",
        "sentence",
        "shape",
        "spelled",
        "steps",
        "syntax",
        "title",
        "told",
        "trials",
        "variant",
        "whole",
    )

    name: str
    title: str
    family: str
    sentence: str
    told: str
    arity: tuple[int, int | None]
    parameters: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    syntax: Syntax | None
    scalar: Callable[..., float] | str | None
    otherwise: Callable[..., float] | float | None
    array: Callable[..., Any] | str
    complex: Callable[..., Any] | str | None
    exact: Callable[..., Any] | str | None
    partials: Callable[..., tuple[Any, ...]] | None
    pullback: Callable[..., tuple[Any, ...]] | None
    shape: Callable[..., Shape] | None
    lanes: Callable[..., Any] | None
    along: Callable[..., tuple[Any, ...]] | None
    conventions: Callable[..., tuple[float, ...]] | None
    kinks: Where | None
    domain: Where | None
    edges: Where | None
    data: int | None
    whole: bool
    discrete: tuple[int, ...]
    analytic: bool
    commutative: bool
    linear: bool
    eliminates: bool
    constant: bool
    random: bool
    samples: tuple[tuple[float, float], ...]
    trials: tuple[Trial, ...]
    formula: str | None
    variant: Callable[..., str] | None
    spelled: Mapping[str, str | Callable[..., str | None]]
    steps: Callable[..., Any] | None
    body: Body | None
    example: str

    def __init__(self, **fields: Any) -> None:
        for field in Gate.__slots__:
            setattr(self, field, fields.get(field))

    def __repr__(self) -> str:
        return f"<gate {self.name}>"

    @property
    def elementwise(self) -> bool:
        """Whether the gate works on each element by itself (and broadcasts), so that local derivatives say all."""
        return self.partials is not None

    @property
    def composed(self) -> bool:
        """Whether the gate can be opened into other gates."""
        return self.formula is not None or self.body is not None

    def accepts(self, count: int) -> bool:
        """Whether the gate takes this number of inputs."""
        least, most = self.arity
        return least <= count and (most is None or count <= most)

    @property
    def maker(self) -> bool:
        """Whether the gate makes a value from nothing but sizes, attributes, files and chance."""
        return self.data == 0

    def divided(self, inputs: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
        """The inputs that are data, and those that are sizes."""
        if self.data is None:
            return inputs, ()
        if self.data < 0:
            return inputs[self.data :], inputs[: self.data]
        return inputs[: self.data], inputs[self.data :]

    def flowing(self, inputs: Sequence[Any]) -> Sequence[Any]:
        """The inputs through which a derivative may flow."""
        data = self.divided(inputs)[0]
        return [source for number, source in enumerate(data) if number not in self.discrete] if self.discrete else data

    def sentence_with(self, names: Mapping[str, str]) -> str:
        """The sentence about a certain node: with these texts for names in its formulas."""
        pieces = self.told.split("`")
        pieces[1::2] = [_WORD.sub(lambda found: names.get(found[0], found[0]), piece) for piece in pieces[1::2]]
        return "".join(pieces)

    def signature(self) -> str:
        """How a call looks: `leaky_relu(x, slope=0.01)`."""
        least, most = self.arity
        names = list(self.parameters[: most if most is not None else least])
        if most is None:
            names.insert(len(names) + (self.data or 0) if (self.data or 0) < 0 else len(names), "…")
        for attribute in self.attributes:
            plain = attribute.default is REQUIRED
            default = "none" if attribute.kind == "text" else _spell(attribute.default)
            names.append(attribute.name if plain else f"{attribute.name}={default}")
        return f"{self.name}({', '.join(names)})"


_WORD = re.compile(r"(?<![\w.])[^\W\d]\w*(?!\w|\()")
"""A name in a formula that is not followed by a bracket."""


def _spell(value: Any) -> str:
    if value is None:
        return "all"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


class Registry(Mapping[str, tuple[Gate, ...]]):
    """The only list of gates anywhere. A name may have several records that differ in their number of inputs."""

    def __init__(self) -> None:
        self._gates: dict[str, tuple[Gate, ...]] = {}
        self._aliases: dict[str, str] = {}

    def __getitem__(self, name: str) -> tuple[Gate, ...]:
        return self._gates[self._aliases.get(name, name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._gates)

    def __len__(self) -> int:
        return len(self._gates)

    def __contains__(self, name: object) -> bool:
        return name in self._gates or name in self._aliases

    @property
    def aliases(self) -> Mapping[str, str]:
        """Other spellings, each with the name that it stands for."""
        return self._aliases

    def records(self) -> Iterator[Gate]:
        """Every record, in the order of the catalogue."""
        for records in self._gates.values():
            yield from records

    def find(self, name: str, count: int) -> Gate | None:
        """The record of this name that takes this number of inputs."""
        for record in self[name]:
            if record.accepts(count):
                return record
        return None

    def add(self, record: Gate, aliases: Sequence[str] = ()) -> None:
        """Enter a record, beside those of the same name."""
        self._gates[record.name] = (*self._gates.get(record.name, ()), record)
        for alias in aliases:
            self._aliases[alias] = record.name


REGISTRY = Registry()


def gate(
    name: str,
    title: str,
    *,
    family: str,
    sentence: str,
    arity: int | tuple[int, int | None] = 1,
    parameters: tuple[str, ...] | None = None,
    attributes: tuple[Attribute, ...] = (),
    aliases: tuple[str, ...] = (),
    syntax: Syntax | None = None,
    scalar: Callable[..., float] | str | None = None,
    otherwise: Callable[..., float] | float | None = None,
    array: Callable[..., Any] | str | None = None,
    complex: Callable[..., Any] | str | None = None,
    exact: Callable[..., Any] | str | None = None,
    partials: Callable[..., tuple[Any, ...]] | None = None,
    pullback: Callable[..., tuple[Any, ...]] | None = None,
    conventions: Callable[..., tuple[float, ...]] | None = None,
    shape: Callable[..., Shape] | None = None,
    lanes: Callable[..., Any] | None = None,
    along: Callable[..., tuple[Any, ...]] | None = None,
    data: int | None = None,
    whole: bool = True,
    discrete: tuple[int, ...] = (),
    kinks: Where | None = None,
    domain: Where | None = None,
    edges: Where | None = None,
    analytic: bool = False,
    commutative: bool = False,
    linear: bool = False,
    eliminates: bool = False,
    constant: bool = False,
    random: bool = False,
    samples: tuple[tuple[float, float], ...] = (),
    trials: tuple[Trial, ...] = (),
    formula: str | None = None,
    variant: Callable[..., str] | None = None,
    spelled: Mapping[str, str | Callable[..., str | None]] | None = None,
    steps: Callable[..., Any] | None = None,
    example: str = "",
    listed: bool = True,
) -> Gate:
    """Enter a gate in the registry.

    Args:
        name: as it is written; a gate with a symbol is named by it (`+`).
        title: what a mathematician calls it.
        family: the row of the catalogue it stands in.
        sentence: what it does to a gradient, in one sentence. Formulas in it stand in backticks, so that an explanation can put
            the names of a node and its inputs for y and `parameters`.
        arity: the number of inputs, or the least and the most (None: any number).
        parameters: the names of the inputs in formulas; by default x, or a and b.
        attributes: keyword arguments; they are constants and reach every rule below by keyword.
        aliases: other spellings of the name.
        syntax: how it is written when not as a call.
        scalar: the forward rule on floats: a function (which may raise as `math` does), or a template such as `{0} + {1}`.
        otherwise: what `scalar` means where it raises: a value, or a function of the same inputs. By default nan where `math`
            says domain error, inf where it says overflow.
        array: the forward rule on arrays: the name of a NumPy function, or a function of the NumPy module and the inputs.
            By default NumPy's function of the gate's name.
        complex: the same on complex arrays, for the complex step, where `array` does not serve; an analytic gate has one of the
            two, or a formula.
        exact: the forward rule in mpmath: a name, or a function of the mpmath context and the inputs. By default mpmath's function
            of the gate's name; a gate with a formula needs none.
        partials: for element-wise gates: the local derivatives by each input, as terms (see `gates.algebra`) of the result and the
            inputs. None stands for an input that has no gradient, `only(condition, slope)` for a contribution that is absent
            elsewhere.
        pullback: for all other gates: the gradients of the inputs, as terms of the gradient from above, the result and the inputs.
        conventions: local derivatives (floats) for points where `partials` or `pullback` are not finite though the gate is; nan
            where there is no convention.
        data: for a gate whose last inputs are sizes (`zeros(2, 3)`, `reshape(x, 2, 3)`): how many inputs come before them. No
            gradient flows into a size; the rules get them as `sizes`, a tuple of integers. A negative number says that the sizes
            come first, and how many inputs come behind them (`full(2, 3, x)`); 0 that the gate is a maker.
        whole: whether sizes must be whole numbers; if not, the rules get them as floats.
        discrete: which of the data are labels or places, not quantities: no derivative flows into them, and none is checked.
        shape: the shape of the result from the shapes of the inputs; raises ValueError with words. By default broadcasting.
        lanes: for other than element-wise gates: the array rule where every input has further axes (of probes) in front, the same
            number in each; `ranks` tells how many axes are each input's own. By default, a gate with an attribute `axis` gets it
            counted from the end, a linear gate that only moves elements has them moved in every lane, and all others are computed
            lane by lane. A rule that is wrong on the inputs at hand is not used, so it costs nothing but time.
        along: for other than element-wise gates: labels for the axes of each input, and at last for those of the result, from
            the shapes of the inputs. A label that inputs and result share says that an index there concerns the same index
            everywhere (rows stay rows); one that only inputs share, that a linear gate sums over it; None, that nothing can be
            said. By default, a gate with an attribute `axis` leaves the other axes alone.
        kinks: where the gate has no derivative, or jumps; what is answered there is the convention of the rule.
        domain: where the gate has a real value, if not everywhere.
        edges: points at which its domain ends or its slope is infinite.
        analytic: whether the complex step is lawful.
        commutative: whether the order of its inputs makes no difference.
        linear: whether it is linear in each input by itself.
        eliminates: whether it rounds as elimination does, as if all elements of its inputs were off by a last place of the largest.
        constant: whether its derivative is zero wherever it has one.
        random: whether every node of it is a draw of its own; `array` gets a NumPy generator as `draw`.
        samples: for each input a range in which tests draw smooth points; by default -2 to 2.
        trials: inputs on which tests try a gate that is not element-wise.
        formula: for a composed gate: its definition in gradcalc's own language, in terms of `parameters` and its attributes.
        variant: the formula for attributes for which it is another: a function of them.
        spelled: how it is written in other dialects (`latex`, `python`, `numpy`, `torch`, `jax`, `c`): a template with {0}, {1} for
            the inputs and {axis} for an attribute, or a function of markers for the inputs and of the attributes that answers a
            template, or None where there is no way. Exports fill in more words: {along} for axis and keepdims as the dialect has
            them, {axes} for all axes that are meant, {shape} for that of the result, {index}, {np} for the module (JAX takes the
            templates of NumPy if it has none of its own). Without a spelling they take the function that has the gate's name, or
            open the gate.
        steps: how programs compute it from simpler gates, as a term of its inputs: as safe as the gate itself, and sharing what it
            can with the steps of other gates and derivatives. None as the answer: not with these attributes.
        example: what to type behind `gradcalc eval` to see it.
        listed: whether the gate can be called by its name, and stands in the catalogue.
    """
    least, most = (arity, arity) if isinstance(arity, int) else arity
    count = most if most is not None else max(least, 2)
    if parameters is None:
        parameters = ("x",) if count == 1 or (data == 1 and most is None) else tuple("abcdefgh"[:count])
    record = Gate(
        name=name,
        title=title,
        family=family,
        sentence=sentence.replace("`", ""),
        told=sentence,
        arity=(least, most),
        parameters=parameters,
        attributes=attributes,
        syntax=syntax,
        scalar=scalar,
        otherwise=otherwise,
        array=array if array is not None else name,
        complex=complex,
        exact=exact,
        partials=partials,
        pullback=pullback,
        conventions=conventions,
        shape=shape,
        lanes=lanes,
        along=along,
        data=data,
        whole=whole,
        discrete=discrete,
        kinks=kinks,
        domain=domain,
        edges=edges,
        analytic=analytic,
        commutative=commutative,
        linear=linear,
        eliminates=eliminates,
        constant=constant,
        random=random,
        samples=samples or ((-2.0, 2.0),) * count,
        trials=trials,
        formula=formula,
        variant=variant,
        spelled=spelled or {},
        steps=steps,
        example=example,
    )
    if listed:
        REGISTRY.add(record, aliases)
    return record
