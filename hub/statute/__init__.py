"""The statutory catalogue: which flows exist, whose data they carry, and what is refused."""
