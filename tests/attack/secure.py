"""Certificates for an installation that is attacked from its network."""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from hub.broker.conf import ServerFiles
from hub.broker.node_config import ADMIN
from hub.pki.rounds import issue_missing
from hub.pki.store import Store
from hub.site import load_site

HOST = "127.0.0.1"
_SITE = f"""
[tls]
folder = "pki"

[broker]
host = "{HOST}"
management_url = "https://{HOST}:15671"
admin_user = "{ADMIN}"

[hub]
ledger = "postgresql+pg8000://hub@{HOST}/ledger"
pseudonym_key_file = "key"
workers = 2

[console]
"""


def certificates(folder: Path, systems: Iterable[str], name: str = "renkei") -> Path:
    """Make an authority and all that a site with these systems needs; give its folder."""
    folder.mkdir(parents=True)
    text = _SITE + "".join(
        f'[systems.{system}]\nfolder = "{system}"\njournal = "{system}.sqlite3"\n'
        for system in systems
    )
    (folder / "site.toml").write_text(text, encoding="utf-8")
    site, now = load_site(folder / "site.toml"), dt.datetime.now(dt.UTC)
    store = Store.of(folder / "pki", name)
    store.init(now)
    issue_missing(store, site, now)
    return store.folder


def of_broker(pki: Path) -> ServerFiles:
    """Give the files of the broker."""
    return ServerFiles.below(pki, f"broker-{HOST}")
