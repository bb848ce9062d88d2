"""Records of a fixed number of bytes: their fields, the records of a file, and its totals."""
