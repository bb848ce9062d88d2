"""What leaves the ledger as evidence: exports, proofs, cosignatures, certificates."""
