"""A site with an authority of its own, and handshakes between its processes, in memory."""

import atexit
import datetime as dt
import shutil
import ssl
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from hub.pki.check import Finding, check
from hub.pki.rounds import issue_missing
from hub.pki.store import Store
from hub.site import Site, load_site

SITE = """
[tls]
folder = "pki"

[broker]
host = "mq.example"
management_url = "https://mq.example:15671"

[hub]
pseudonym_key_file = "secrets/key"
workers = 2
listen = "10.0.0.5"

[systems.tax]
folder = "drives/tax"
journal = "tax.sqlite3"

[systems.union]
folder = "drives/union"
journal = "union.sqlite3"
"""
BROKER = "broker-mq.example"


def now(days: float = 0) -> dt.datetime:
    return dt.datetime.now(dt.UTC) + dt.timedelta(days=days)


@dataclass
class Pki:
    """The certificates of a site with two workers and two systems."""

    folder: Path
    text: str = SITE
    site: Site = field(init=False)
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.site_file = self.folder / "site.toml"
        self.site_file.write_text(self.text, encoding="utf-8")
        self.site = load_site(self.site_file)
        self.store = Store.of(self.folder / "pki", "renkei")

    def made(self) -> "Pki":
        self.store.init(now())
        issue_missing(self.store, self.site, now())
        return self

    @classmethod
    def copied(cls, folder: Path) -> "Pki":
        """Give what ``made`` makes, in this folder; it is made once for all tests."""
        shutil.copytree(_made_once(), folder / "pki")
        return cls(folder)

    @property
    def pki(self) -> Path:
        return self.store.folder

    def findings(self, days: float = 0, *, here: bool = False) -> list[Finding]:
        return check(self.site, self.pki, now(days), here=here)

    def said(self, days: float = 0, *, here: bool = False) -> str:
        return "\n".join(f"{name}: {text}" for name, text in self.findings(days, here=here))

    def named(self) -> set[str]:
        return {one.name for one in self.findings()}


@cache
def _made_once() -> Path:
    folder = Path(mkdtemp(prefix="renkei-pki-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Pki(folder).made().pki


def shaken(client: ssl.SSLContext, server: ssl.SSLContext, host: str = "mq.example") -> str:
    """Let two ends shake hands; give the version agreed on, or raise what an end says."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(down, up, server_hostname=host),
        server.wrap_bio(up, down, server_side=True),
    ]
    for _ in range(5):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    ends[1].write(b"x")
    assert ends[0].read(1) == b"x"  # in 1.3 a client hears of a refusal only now
    return str(ends[0].version())
