"""Graph to text: gradcalc's own language, LaTeX, pictures as text, and source code, for the engine and to be taken elsewhere."""
