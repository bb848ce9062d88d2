"""The processes of a benchmark beside hub and broker, each started as ``python -m``."""
