"""Formulas as source for other languages and libraries: to be read, run and tested without gradcalc."""
