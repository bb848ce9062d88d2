"""What failed at an adapter and has not worked since."""

from collections.abc import Callable

from hub.edge.observe import EdgeObserver


class Troubles:
    """Tells an observer of each failure, and once when it is over; for one thread."""

    def __init__(self, observe: EdgeObserver, monotonic: Callable[[], float]) -> None:
        self._observe = observe
        self._monotonic = monotonic
        self._since: dict[str, float] = {}

    def tell(self, where: str, error: Exception) -> None:
        """Tell that something failed here."""
        self._since.setdefault(where, self._monotonic())
        self._observe.trouble(where, error)

    def over(self, where: str) -> None:
        """Tell that it works here, if it did not before."""
        since = self._since.pop(where, None)
        if since is not None:
            self._observe.recovered(where, self._monotonic() - since)
