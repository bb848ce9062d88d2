"""The hub's worker: takes batches, judges, records, sends and acknowledges them.

``worker`` is the loop from link to link, ``shift`` the work over one link, ``intray`` what was
taken and not moved yet, ``caller`` puts what staff released into its place.
"""

from hub.worker.tools import Tools
from hub.worker.worker import Worker

__all__ = ["Tools", "Worker"]
