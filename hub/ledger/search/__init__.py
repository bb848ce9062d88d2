"""Searches the ledger by resident, message, flow, system, staff, time and outcome."""
