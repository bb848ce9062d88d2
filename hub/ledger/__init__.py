"""The ledger (授受簿): what moved, from whom to whom, by which article, and what did not."""
