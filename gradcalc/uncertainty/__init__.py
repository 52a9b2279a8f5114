"""Uncertain inputs: how far the output, and every node, may be off."""
