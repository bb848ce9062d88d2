"""What a RabbitMQ node is told by its files: one place for private nodes and for a site's own.

Whatever concerns TLS stands in ``advanced.config``: RabbitMQ 3.10 has no key in ``rabbitmq.conf``
for the folder of revocation lists, and one of its options would take the place of all others
there. Erlang looks into that folder at each handshake, and reads a renewed certificate within
two minutes; neither needs a restart.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.broker.plan import MESSAGE_BYTES
from hub.hosts import Host
from hub.tls import CA, shared

PLUGINS = ("rabbitmq_management", "rabbitmq_shovel")
BY_CERTIFICATE = "rabbitmq_auth_mechanism_ssl"
"""The plugin that takes the common name of a client's certificate as its user."""
HEARTBEAT = 5
"""Seconds; the lower one of broker and client counts."""
TICK_SECONDS = 12
"""How long a node of a cluster may be silent before the others count it as gone."""
CHANNELS = 64
"""What one connection may have; the hub's have two."""
CONNECTIONS = 2000
"""What one node may have; ``broker apply`` gives each user its own limit, far below this."""
HANDSHAKE_MILLISECONDS = 5000
EPMD_PORT = 4369
OLDEST = "1.2"
_VERSIONS = {OLDEST: "'tlsv1.3','tlsv1.2'", "1.3": "'tlsv1.3'"}

_COMMON = f"""heartbeat = {HEARTBEAT}
max_message_size = {MESSAGE_BYTES}
channel_max = {CHANNELS}
connection_max = {CONNECTIONS}
cluster_partition_handling = pause_minority
queue_leader_locator = balanced
log.file.level = info
"""
SITE_CONF = f"listeners.tcp = none\n{_COMMON}"
"""The ``rabbitmq.conf`` of a site's node: nothing is taken but over TLS."""


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """The PEM files of a broker where it runs; ``crls`` has the revocation lists by hash."""

    ca: Path
    certificate: Path
    key: Path
    crls: Path

    @classmethod
    def below(cls, folder: Path, name: str) -> "ServerFiles":
        """Give those of the server ``name`` in a folder that ``renkei pki`` keeps."""
        own = folder / name
        return cls(shared(folder, CA), own / "tls.pem", own / "tls.key", folder / "crls")


@dataclass(frozen=True, slots=True)
class Secure:
    """Where a node listens with TLS, for AMQP and for its management API, and with what.

    With ``passwords`` a client may still give one; it needs a certificate all the same. At
    ``nodes`` other nodes and ``rabbitmqctl`` reach it; without it, at every address.
    """

    files: ServerFiles
    amqp: Host
    management: Host
    min_version: str = OLDEST
    passwords: bool = False
    nodes: str = ""


def plugins(secure: Secure | None) -> str:
    """Give the text of ``enabled_plugins``."""
    names = PLUGINS if secure is None else (*PLUGINS, BY_CERTIFICATE)
    return f"[{','.join(names)}]."


def private_conf(amqp: int, management: int, user: str, password: str) -> str:
    """Give the ``rabbitmq.conf`` of a private node: plain, on loopback; both are ports."""
    return f"""listeners.tcp.1 = 127.0.0.1:{amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management}
default_user = {user}
default_pass = {password}
{_COMMON}disk_free_limit.absolute = 256MB
vm_memory_high_watermark.relative = 0.3
raft.wal_max_size_bytes = 134217728
log.file = rabbit.log
log.console = false
"""


def advanced(secure: Secure | None) -> str:
    """Give the text of ``advanced.config``."""
    kernel = [f"{{net_ticktime, {TICK_SECONDS}}}"]
    if secure is not None and secure.nodes:
        kernel.append(f"{{inet_dist_use_interface, {_tuple(secure.nodes)}}}")
    parts = [f"{{kernel, [{', '.join(kernel)}]}}"]
    if secure is not None:
        options = _options(secure)
        mechanisms = "'EXTERNAL','PLAIN'" if secure.passwords else "'EXTERNAL'"
        rabbit = {
            "ssl_listeners": f"[{{{_text(secure.amqp.name)}, {secure.amqp.port}}}]",
            "ssl_options": f"[{options}]",
            "ssl_cert_login_from": "common_name",
            "ssl_handshake_timeout": str(HANDSHAKE_MILLISECONDS),
            "auth_mechanisms": f"[{mechanisms}]",
        }
        ip, port = _text(secure.management.name), secure.management.port
        web = {"ssl_config": f"[{{ip, {ip}}}, {{port, {port}}},\n    {options}]"}
        parts += [f"{{rabbit, {_pairs(rabbit)}}}", f"{{rabbitmq_management, {_pairs(web)}}}"]
    return "[" + ",\n ".join(parts) + "].\n"


def env_conf(nodes: str) -> str:
    """Give the text of ``rabbitmq-env.conf``: at which address Erlang's port mapper listens.

    It listens on loopback as well, for the node itself. Erlang speaks IPv6 where it is told to.
    """
    lines = [f"export ERL_EPMD_ADDRESS={nodes}"]
    if ":" in nodes:
        told = '"-proto_dist inet6_tcp"'
        lines += [f"{key}={told}" for key in ("SERVER_ADDITIONAL_ERL_ARGS", "CTL_ERL_ARGS")]
    return "\n".join([*lines, ""])


def epmd_socket(nodes: str) -> str:
    """Give what the port mapper's socket is told where systemd has it, as on Debian."""
    host = f"[{nodes}]" if ":" in nodes else nodes
    listens = [f"{one}:{EPMD_PORT}" for one in dict.fromkeys(("127.0.0.1", host))]
    lines = ["# /etc/systemd/system/epmd.socket.d/renkei.conf", "[Socket]", "ListenStream="]
    lines += [f"ListenStream={one}" for one in listens]
    return "\n".join([*lines, "FreeBind=yes", ""])


def listen_address(name: str) -> str:
    """Take what a node may listen on: an address of its own.

    Raises:
        ValueError: it is a name, or stands for all addresses of a machine.
    """
    message = f"{name} is no address that a broker can listen on"
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        raise ValueError(message) from None
    if address.is_unspecified or address.is_multicast:
        raise ValueError(message)
    return str(address)


def _options(secure: Secure) -> str:
    """Give Erlang's options of a listener: nobody without a certificate that still holds.

    A session is not taken up again: that would go past the revocation list.
    """
    files = secure.files
    said = {
        "cacertfile": _text(files.ca),
        "certfile": _text(files.certificate),
        "keyfile": _text(files.key),
        "verify": "verify_peer",
        "fail_if_no_peer_cert": "true",
        "versions": f"[{_VERSIONS[secure.min_version]}]",
        "crl_check": "peer",
        "crl_cache": f"{{ssl_crl_hash_dir, {{internal, [{{dir, {_text(files.crls)}}}]}}}}",
    }
    if secure.min_version == OLDEST:  # Erlang takes these for nothing newer
        said |= dict.fromkeys(("client_renegotiation", "reuse_sessions"), "false")
        said["honor_cipher_order"] = "true"
    return ",\n    ".join(f"{{{key}, {value}}}" for key, value in said.items())


def _tuple(address: str) -> str:
    """Write an address as Erlang has it: four numbers, or eight in hexadecimal digits."""
    found = ipaddress.ip_address(address)
    if found.version == 4:  # noqa: PLR2004 - IPv4
        return "{" + address.replace(".", ",") + "}"
    return "{" + ",".join(f"16#{part}" for part in found.exploded.split(":")) + "}"


def _pairs(values: Mapping[str, str]) -> str:
    return "[\n  " + ",\n  ".join(f"{{{key}, {value}}}" for key, value in values.items()) + "]"


def _text(value: object) -> str:
    """Write a text as Erlang reads it, in ASCII whatever the file's encoding is taken to be."""
    return '"' + "".join(map(_character, str(value))) + '"'


def _character(one: str) -> str:
    is_plain = one.isascii() and one.isprintable() and one not in '"\\'
    return one if is_plain else f"\\x{{{ord(one):x}}}"
