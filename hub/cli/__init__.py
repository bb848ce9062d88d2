"""The command line ``renkei``."""
