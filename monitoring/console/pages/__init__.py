"""The pages: each module has ``PAGES``, and is found by being here."""
