"""Where people decide and look: what the commands and the console do in their name.

Each look is recorded before its answer is given, each decision with its reason. Nothing here
knows a terminal or a page.
"""
