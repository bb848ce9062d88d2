"""Takes the spans of a process and sends them on; implements ``hub.traces.Traces``."""
