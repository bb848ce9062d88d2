"""The figures of this moment, for ``renkei top`` and the console.

Counts and delays come from the ledger's tail (``hub.ledger.tail``), queues and processes from the
``/metrics`` of the processes themselves; nothing comes from Prometheus, which may not be there.
"""
