"""The composition root: builds the parts of a process from the site file, and knows them all.

Nobody else does. ``hub.py`` builds a hub worker, ``system.py`` an adapter; each imports only
what its own process needs, so that an adapter starts without the database's libraries. What a
process does with its parts is in ``hub.worker`` and ``hub.edge.loop``.
"""
