"""The slowest of the questions that people ask of a ledger."""
