"""Graph to numbers: shapes, and the interpreters for numbers and for arrays."""
