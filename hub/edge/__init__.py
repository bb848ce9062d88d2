"""The channel adapters' common half: files in, files out, journals, receipts."""
