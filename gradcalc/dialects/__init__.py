"""Graph to text: gradcalc's own language, and Python for the engine."""
