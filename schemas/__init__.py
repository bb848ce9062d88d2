"""Canonical messages, their value types, and the wire layouts of the connected systems."""
