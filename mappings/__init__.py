"""Pure functions between the systems' records and canonical messages, with the code tables."""
