"""Reconciliation (突合): what files, ledger, queues and receipts say, held against each other."""
