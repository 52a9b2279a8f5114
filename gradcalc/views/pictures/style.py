"""What pictures of circuits look like: colours, fonts and measures, the same in every picture that is not made of characters."""

from __future__ import annotations

INK = "#1f2933"
"""Gates, their symbols, and names."""
WIRE = "#52606d"
QUIET = "#7b8794"
"""What is said beside: names of wires, numbers that tell the order of inputs."""
FORWARD = "#0b7a37"
"""Values, above their wires."""
BACKWARD = "#c21f2f"
"""Gradients, below their wires."""
PAPER = "#ffffff"
FOLD = "#eef2f7"
"""The ground of a gate that stands for several."""

NUMBERS = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
NAMES = "'Times New Roman', 'STIX Two Text', 'Liberation Serif', 'DejaVu Serif', serif"
"""The fonts of numbers and symbols, and of names."""

NUMBER_SIZE = 12.0
SYMBOL_SIZE = 15.0
NAME_SIZE = 17.0
LABEL_SIZE = 13.0
"""How large letters are: numbers at wires, symbols of gates, names of inputs, names of other wires."""

RADIUS = 18.0
"""Of a gate, if its symbol fits into a circle."""
STROKE = 1.3
