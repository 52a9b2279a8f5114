"""Numbers over tables: columns of files by name, grids, and sweeps over them, here or on a cluster."""
