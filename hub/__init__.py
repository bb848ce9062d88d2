"""The hub: message, statute, pipeline, ledger, broker, command line; it knows no system by name."""
