"""Nobody may write while residents move to other partitions; and who is left so says so."""

from types import TracebackType
from typing import Self

from hub.broker.management import Management
from hub.broker.parts import make
from hub.broker.topology import NOTHING, Topology
from hub.broker.users import disconnect
from hub.errors import BrokerError, RenkeiError


class Fence:
    """A context in which users may be kept from writing.

    Where something breaks off inside of it while they are, the error says so: nothing moves
    until it was done again. ``closed`` counts the connections that were closed, by user. A user
    whom nobody planned is kept out like all others, and stays so: ``verify`` names it.
    """

    def __init__(
        self, management: Management, vhost: str, there: Topology, planned: Topology
    ) -> None:
        """Begin with who is kept from writing by an earlier time that broke off."""
        users = {one.name: one.write for one in planned.accounts}
        self._management = management
        self._vhost = vhost
        self._accounts = [
            one for one in there.accounts if users.get(one.name, one.write) != NOTHING
        ]
        self._kept_out = {one.name for one in self._accounts if one.write == NOTHING}
        self.closed: dict[str, int] = {}

    def shut(self) -> None:
        """Let nobody write: what came in between a look and a change could be overtaken."""
        for one in self._accounts:
            self._kept_out.add(one.name)
            body = {"configure": one.configure, "write": NOTHING, "read": one.read}
            self._management.put("permissions", self._vhost, one.name, body=body)
        self.closed = disconnect(self._management, [one.name for one in self._accounts])

    def reopen(self) -> None:
        """Give everybody what they had: nothing was changed."""
        for account in self._accounts:
            make(self._management, self._vhost, account)
            if account.write != NOTHING:
                self._kept_out.discard(account.name)

    def opened(self) -> None:
        """Note that everybody has the rights that are planned."""
        self._kept_out.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._kept_out or not isinstance(error, RenkeiError | KeyboardInterrupt):
            return
        names = ", ".join(sorted(self._kept_out))
        raise BrokerError(
            f"{error or 'interrupted'}\n"
            f"IT BROKE OFF WHILE NOBODY MAY WRITE: {names} cannot publish (403) until 'renkei "
            "broker apply' has run to its end. Run it again, in the same way; until then what "
            "they would send stays where it is."
        ) from error
