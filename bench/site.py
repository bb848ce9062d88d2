"""A site for a benchmark, made as a person makes one: a site file, then the commands of renkei."""

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import make_url

from bench.children import renkei
from hub.broker.provide import ProvidedBroker

SQLITE = "sqlite:///ledger/ledger.sqlite3"
PLAIN = (
    "[tls]",
    "plain_loopback = true",
    "[my_number]",
    "accept_plain_until = 2099-12-31",
)
"""Loopback without certificates, and 個人番号 in clear."""
SEALED = ("[tls]", "plain_loopback = true", 'folder = "pki"')
"""The same, with keys by which each 個人番号 is encrypted."""


def make_site(
    folder: Path,
    broker: ProvidedBroker,
    systems: Sequence[str],
    *,
    ledger: str = "",
    hub: Mapping[str, int] | None = None,
) -> tuple[Path, str]:
    """Make a whole site in a folder; give its file and its vhost.

    All settings are those that a site has by default, but for ``hub``. ``ledger`` is the address
    of a PostgreSQL database with its password; by default the ledger is SQLite's.
    """
    vhost = f"renkei-bench-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700)
    (folder / "secrets").mkdir(mode=0o700)
    _secret(folder / "secrets" / "admin", broker.admin_password.get_secret_value())
    lines = [
        *PLAIN,
        "",
        "[broker]",
        f"host = {json.dumps(broker.host)}",
        f"port = {broker.port}",
        f"vhost = {json.dumps(vhost)}",
        f"management_url = {json.dumps(broker.management_url)}",
        f"admin_user = {json.dumps(broker.admin_user)}",
        'admin_password_file = "secrets/admin"',
        "",
        "[hub]",
        'password_file = "secrets/hub"',
        'pseudonym_key_file = "secrets/pseudonym-key"',
        *(f"{key} = {value}" for key, value in (hub or {}).items()),
    ]
    if ledger:
        url = make_url(ledger)
        _secret(folder / "secrets" / "ledger", url.password or "")
        bare = url._replace(password=None).render_as_string(hide_password=False)
        lines += [f"ledger = {json.dumps(bare)}", 'ledger_password_file = "secrets/ledger"']
    else:
        lines += [f"ledger = {json.dumps(SQLITE)}"]
    for system in systems:
        lines += [
            "",
            f"[systems.{system}]",
            f"folder = {json.dumps(f'drives/{system}')}",
            f"journal = {json.dumps(f'journals/{system}.sqlite3')}",
            f"password_file = {json.dumps(f'secrets/{system}')}",
        ]
    file = folder / "site.toml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for command in (("site", "init"), ("broker", "apply"), ("ledger", "migrate")):
        renkei(*command, "--site", str(file))
    return file, vhost


def sealed_twin(site: Path) -> Path:
    """Give the file of the same site whose 個人番号 are encrypted; make its certificates."""
    twin = site.with_name("sealed.toml")
    text = site.read_text(encoding="utf-8")
    twin.write_text(text.replace("\n".join(PLAIN), "\n".join(SEALED), 1), encoding="utf-8")
    renkei("pki", "init", "--site", str(twin))
    renkei("pki", "issue", "--all", "--site", str(twin))
    return twin


def _secret(path: Path, content: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content + "\n")
