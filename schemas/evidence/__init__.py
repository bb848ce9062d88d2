"""The pure formats of the ledger's evidence: tree, tiles, notes, checkpoints, proofs, audit.

These modules import the standard library and ``cryptography`` only. A folder ``schemas`` that
holds nothing but this package is enough to audit an export:
``python -m schemas.evidence.audit DIR --key VKEY``.
"""
