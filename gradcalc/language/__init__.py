"""From text to graph: scanner, grammar, names, places, and what is said about mistakes."""
