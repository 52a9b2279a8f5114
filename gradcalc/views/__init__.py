"""How everything looks: tables, formulas, explanations, pictures, curves, JSON and CSV. The only room that imports Rich."""
