"""Verifies the ledger in its database, row by row, against the hub's signature."""
