"""Pictures of circuits: in the terminal, as SVG and as PNG, all of them from one arrangement of the same parts."""
