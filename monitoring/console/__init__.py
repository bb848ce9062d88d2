"""The web console: pages for people, from which nothing moves but through ``hub.desks``.

A page is declared as a ``Page``: its name, its address, the right that it asks for, and a plain
function. Who may, what is recorded, and what a browser may do with an answer is decided around it,
once for all (``guard``). A module of ``pages`` has ``PAGES``, one of ``words`` has ``WORDS``; both
are found by being there.
"""
