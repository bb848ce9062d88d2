"""Until when what a process needs of the site's certificates holds, for its metrics."""

from collections.abc import Iterable

from hub.pki.ends import Ends, ends_of
from hub.site import HUB_USER, Site
from hub.tls import Identity


def certificate_ends(site: Site, process: str, readers: Iterable[str] = ()) -> dict[str, Ends]:
    """Give what reads when each of a process's certificates ends; nothing where a site has none.

    ``readers`` are the accounts for which it encrypts.
    """
    if site.tls.folder is None:
        return {}
    found = ends_of(Identity(site.tls.folder, process), tuple(readers))
    if site.tls.plain_loopback:  # its connections need no certificate
        del found["own"]
    return found


def hub_readers(site: Site) -> tuple[str, ...]:
    """Give for whom the hub encrypts: each connected system, and it has to be encrypted for."""
    return (HUB_USER, *site.systems)
