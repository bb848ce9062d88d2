"""Interfaces that are reached by HTTP: calls, and the couriers that carry files over them."""
