"""The language statement by statement: sessions, their prompt, and exercises."""
