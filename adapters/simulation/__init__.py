"""A synthetic city for the simulators; not an adapter. Nobody in it exists."""
