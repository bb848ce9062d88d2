"""The alert rules, with cases that they are tried by; written to ``monitoring/prometheus``."""
