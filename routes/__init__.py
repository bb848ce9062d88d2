"""The statutory catalogue: one TOML file a flow, and the systems; nothing else may flow."""
