"""What a process of the site encrypts and decrypts 個人番号 with, and whether it must."""

from collections.abc import Callable

from hub.clock import today
from hub.sealing.keys import FolderKeys, Keys
from hub.sealing.seals import Seals
from hub.site import HUB_USER, Site


def keys_of(site: Site, account: str) -> Keys:
    """Give the keys of an account: those in the site's folder of certificates, if it has one."""
    folder = site.tls.folder
    return Keys(account, None if folder is None else FolderKeys(folder, account))


def hub_seals(site: Site) -> Seals:
    """Give what the hub opens and seals numbers with."""
    return Seals(keys_of(site, HUB_USER), site.my_number.accept_plain_until)


def plain_until(site: Site) -> Callable[[], bool]:
    """Give what says whether a 個人番号 in clear is still permitted today ([my_number])."""
    last = site.my_number.accept_plain_until
    return lambda: last is not None and today() <= last
