"""Metrics, and later health, alert rules, dashboards and the console: see it run."""
