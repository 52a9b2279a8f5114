"""What a gate is, and the catalogue: importing this package fills the registry."""

from gradcalc.gates import (
    activations,
    arithmetic,
    exponentials,
    layers,
    linear_algebra,
    makers,
    reductions,
    selection,
    shaping,
    trigonometry,
)
from gradcalc.gates.record import REGISTRY, Attribute, Body, Gate, Registry, Shape, Syntax, Where

__all__ = ["FAMILIES", "REGISTRY", "Attribute", "Body", "Gate", "Registry", "Shape", "Syntax", "Where"]

_FAMILIES = (
    arithmetic,
    exponentials,
    trigonometry,
    activations,
    selection,
    reductions,
    linear_algebra,
    shaping,
    layers,
    makers,
)

FAMILIES: tuple[str, ...] = tuple(module.FAMILY for module in _FAMILIES)
"""The families in the order of the catalogue."""
