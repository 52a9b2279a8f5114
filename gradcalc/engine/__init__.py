"""Graph to numbers: shapes, the interpreters for what runs once, and compiled programs for what runs again and again."""
