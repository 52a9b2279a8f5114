"""How results look: tables, JSON, CSV, the catalogue. The only room that imports Rich."""
