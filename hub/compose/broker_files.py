"""The configuration files of a broker's node, as the site file has it."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from hub.addresses import host_of
from hub.broker.conf import (
    SITE_CONF,
    Secure,
    ServerFiles,
    advanced,
    env_conf,
    epmd_socket,
    listen_address,
    plugins,
)
from hub.clock import JST
from hub.errors import SiteError
from hub.hosts import Host
from hub.pki.files import write
from hub.pki.names import broker_process
from hub.site import Site

_HTTPS = 443


def broker_files(
    site: Site,
    host: str | None = None,
    listen: str | None = None,
    folder: Path | None = None,
    between: str | None = None,
) -> Mapping[str, str]:
    """Give the files of one node by name, as they stand in ``/etc/rabbitmq``.

    ``host`` is the node as the site file names it, ``listen`` the address that it has there where
    that is no address, and ``folder`` where its certificates lie on its machine. ``between`` is its
    address for the cluster's other nodes, and for ``rabbitmqctl``, where that is another one.

    Raises:
        SiteError: the site has no certificates, does not name the node, or nothing says on which
            address it is to listen.
    """
    if site.tls.folder is None:
        message = (
            "this site has no certificates (tls.folder), so its broker needs none of these files"
        )
        raise SiteError(message)
    nodes = {site.broker.host: site.broker.port, **{one.name: one.port for one in site.broker.also}}
    host = host or site.broker.host
    if host not in nodes:
        message = f"the site file names no node {host}; it names {', '.join(nodes)}"
        raise SiteError(message)
    address = _inner(listen or host, "--listen")
    inner = _inner(between, "--nodes") if between else address
    secure = Secure(
        ServerFiles.below(folder or site.tls.folder, broker_process(host)),
        Host(address, nodes[host]),
        Host(address, _management_port(site, host)),
        site.tls.min_version,
        nodes=inner,
    )
    return {
        "rabbitmq.conf": SITE_CONF,
        "advanced.config": advanced(secure),
        "enabled_plugins": f"{plugins(secure)}\n",
        "rabbitmq-env.conf": env_conf(inner),
        "epmd.socket.conf": epmd_socket(inner),
    }


def write_broker_files(files: Mapping[str, str], into: Path) -> list[Path]:
    """Write them where everybody may read them: the broker has an account of its own.

    The folder is made where it is missing. A file that says something else is kept beside the new
    one; give what was kept.

    Raises:
        SiteError: one cannot be written.
    """
    kept: list[Path] = []
    stamp = dt.datetime.now(JST).strftime("%Y%m%d-%H%M%S")
    for name, text in files.items():
        path, content = into / name, text.encode()
        try:
            before = path.read_bytes() if path.exists() else content
        except OSError as error:
            message = f"{path} cannot be kept as it was: {error.strerror}"
            raise SiteError(message) from error
        if before != content:
            kept.append(path.with_name(f"{name}.before-{stamp}"))
            write(kept[-1], before)
        write(path, content)
    return kept


def _inner(name: str, option: str) -> str:
    """Take an address that a node can listen on; the error says by which option it is given.

    Raises:
        SiteError: it is none.
    """
    try:
        return listen_address(name)
    except ValueError as error:
        message = f"{error}; give its machine's inner address with {option}, as {option} 10.0.0.11"
        raise SiteError(message) from None


def _management_port(site: Site, host: str) -> int:
    urls = (site.broker.management_url, *site.broker.management_also)
    url = next((one for one in urls if host_of(one) == host), urls[0])
    return urlsplit(url).port or _HTTPS
