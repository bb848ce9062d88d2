"""The pure formats of the ledger's evidence: tree, tiles, notes, checkpoints, proofs, audit.

These modules import the standard library and ``cryptography`` only. A folder ``schemas`` that
holds this package and an empty ``__init__.py`` is enough to audit an export:
``python -m schemas.evidence.audit DIR --key VKEY``.
"""
