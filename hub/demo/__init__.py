"""The demo: a synthetic city, its systems played by simulators, the real hub between them."""
