"""Seven years: archives, legal holds, destruction, erasure, backups and their restoring."""
