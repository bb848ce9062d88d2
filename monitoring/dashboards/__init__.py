"""Grafana's dashboards as code; ``renkei docs`` writes them as JSON beside it."""
