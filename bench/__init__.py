"""Measures speed and size, each beside a reference in the same run; never part of the tests."""
