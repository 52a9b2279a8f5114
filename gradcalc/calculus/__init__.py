"""Graph to graph: derivatives, simplification, opening of composed gates."""
