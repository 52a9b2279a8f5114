"""Numbers over tables: columns of files by name."""
