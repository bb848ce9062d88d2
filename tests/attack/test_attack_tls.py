"""Someone on the network of a site with certificates, and a thief who has a key."""

import shutil
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from pika.exceptions import AMQPError

from hub.broker.link import PikaLink
from hub.client import HubClient
from hub.errors import RenkeiError
from hub.tls import Identity
from tests.attack.between import Altering
from tests.attack.conftest import Report
from tests.attack.results import NO_HANDSHAKE, NO_METRIC, Party
from tests.attack.secure import certificates, of_broker
from tests.attack.victim import Victim
from tests.fault.ground import SPEAKS

pytestmark = pytest.mark.attack

THIEF = "union"
CUT_SECONDS = 5.0


def refusal(victim: Victim, context: ssl.SSLContext) -> str:
    """Shake hands with the broker; say how it, or one's own end, refused."""
    where = victim.where
    try:
        with (
            socket.create_connection((where.name, where.port), 5) as plain,
            context.wrap_socket(plain, server_hostname=where.name) as wrapped,
        ):
            wrapped.settimeout(5)
            # In 1.3 a client hears of a refusal only now; who writes meanwhile may not hear it.
            if wrapped.recv(1) == b"":
                return "TLS: closed"
    except TimeoutError:  # it is let in, and waited for
        return ""
    except ssl.SSLError as error:
        return f"TLS: {error.reason}"
    except OSError as error:
        return f"TLS: {type(error).__name__}"
    return ""


def bare(verify: Path | None = None) -> ssl.SSLContext:
    """Make a context without a certificate, that believes whoever is there, or an authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if verify is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(verify)
    return context


def test_no_certificate(victim: Victim, report: Report) -> None:
    refused = refusal(victim, bare(victim.pki / "trust/ca.pem"))
    assert refused
    report(
        Party.NETWORK,
        "no certificate",
        "connects to the broker without one",
        refused=refused,
        recorded=victim.broker_says("TLS server", "Certificate required"),
        alerted=NO_HANDSHAKE,
    )


def test_foreign_certificate(victim: Victim, report: Report, tmp_path: Path) -> None:
    other = certificates(tmp_path / "other", (SPEAKS,), "another")
    context = bare()
    context.load_cert_chain(other / SPEAKS / "tls.pem", other / SPEAKS / "tls.key")
    refused = refusal(victim, context)
    assert refused
    report(
        Party.NETWORK,
        "certificate of another authority",
        f"the right name, {SPEAKS}, signed by oneself",
        refused=refused,
        recorded=victim.broker_says("TLS server", "Unknown CA"),
        alerted=NO_HANDSHAKE,
    )


def test_old_tls(victim: Victim, report: Report) -> None:
    context = bare()
    context.load_cert_chain(victim.pki / SPEAKS / "tls.pem", victim.pki / SPEAKS / "tls.key")
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    refused = refusal(victim, context)
    assert refused
    report(
        Party.NETWORK,
        "old protocol",
        "TLS 1.1, with a certificate that is right",
        refused=refused,
        recorded=victim.broker_says("TLS server", "Protocol Version"),
        alerted=NO_HANDSHAKE,
    )


def test_another_account_than_the_certificates(victim: Victim, report: Report) -> None:
    """Tax's certificate, and union's name in each message and as the login's word."""
    refused = victim.publish(victim.event(), signed=THIEF)
    assert refused.startswith("broker: 406")
    report(
        Party.ADAPTER,
        "another name than its certificate's",
        "EXTERNAL login, another system in `user_id`",
        refused=refused,
        recorded=victim.broker_says("user_id property set to", "authenticated user was"),
        alerted=NO_METRIC,
    )


def test_false_broker(victim: Victim, report: Report, tmp_path: Path) -> None:
    """Somebody stands where the broker stood: a client of the hub tells it nothing."""
    other = certificates(tmp_path / "other", (SPEAKS,), "another")
    own = of_broker(other)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.certificate, own.key)
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def pose() -> None:
            near = listener.accept()[0]
            try:
                with context.wrap_socket(near, server_side=True) as wrapped:
                    heard.append(wrapped.recv(100))
            except OSError:
                near.close()

        thread = threading.Thread(target=pose)
        thread.start()
        port = int(listener.getsockname()[1])
        settings = victim.settings(Identity(victim.pki, SPEAKS), port=port)
        with pytest.raises(RenkeiError) as refused:
            PikaLink(settings)
        thread.join()
    assert not any(heard)
    assert "certificate" in str(refused.value).lower()
    report(
        Party.NETWORK,
        "false broker",
        "poses as the broker with a certificate of its own",
        refused="nothing is said to it",
        recorded="the client's log: certificate verify failed",
        alerted="no: a client that cannot connect",
    )


def test_altered_in_flight(victim: Victim, report: Report) -> None:
    """One bit of a message changes on its way: the link ends, and the message comes again whole."""
    where = victim.where
    event = victim.event(staff="x" * 70)
    with Altering((where.name, where.port), after=4000) as between:
        url = f"amqps://{SPEAKS}@{where.name}:{between.port}/{victim.ground.vhost}"
        with HubClient(url, SPEAKS, certificates=victim.pki) as client:
            for number in range(4):
                one = {**event, "id": f"{event['id']}-{number}"}
                data = {**one["data"], "addressee_number": f"{800_000 + number:015d}"}
                client.publish(one["type"], data, message_id=one["id"])
        assert between.altered == 1
    for number in range(4):
        identity = f"{event['id']}-{number}"
        victim.recorded(identity, "delivered")
        rows = victim.found("--message", identity)
        deliveries = [row["receiver"] for row in rows if row["kind"] == "delivery"]
        assert len(deliveries) == len(set(deliveries))
    report(
        Party.NETWORK,
        "altered in flight",
        "one bit of an encrypted message",
        refused="the connection ends; the message comes again, once",
        recorded=victim.broker_says("TLS server", "Bad Record MAC"),
        alerted="no: a lost connection like any other",
    )


def test_plain_listener(victim: Victim, report: Report) -> None:
    """AMQP without TLS, to the port for TLS."""
    with socket.create_connection((victim.where.name, victim.where.port), 5) as plain:
        plain.settimeout(10)
        plain.sendall(b"AMQP\x00\x00\x09\x01")
        heard = plain.recv(100)
    assert not heard.startswith(b"AMQP")
    assert b"RabbitMQ" not in heard
    report(
        Party.NETWORK,
        "plain AMQP",
        "to the port that speaks TLS",
        refused="TLS: alert, closed",
        recorded=victim.broker_says("TLS server", "Unexpected Message"),
        alerted=NO_HANDSHAKE,
    )


def ended(act: Callable[[], object], seconds: float) -> float:
    """Do something until it fails; say how long it did not."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        try:
            act()
        except (AMQPError, OSError, RenkeiError):
            return time.monotonic() - began
        time.sleep(0.1)
    pytest.fail(f"it still works after {seconds} s")


def test_stolen_key(victim: Victim, report: Report, tmp_path: Path) -> None:
    """A thief has a copy of a key and is connected: revoked, it is out and does not get in."""
    stolen = tmp_path / "stolen"
    shutil.copytree(victim.pki, stolen)
    settings = victim.settings(Identity(stolen, THIEF), THIEF)
    with closing(PikaLink(settings)) as thief:
        thief.turn()
        status, printed = victim.ground.renkei("pki", "revoke", THIEF, "--reason", "stolen")
        assert status == 0, printed
        out = ended(thief.turn, CUT_SECONDS)
    with pytest.raises(RenkeiError) as refused:
        PikaLink(settings)
    # Whether the thief still hears why, who has begun to write, is a matter of microseconds.
    assert "TLS failed" in str(refused.value)
    log = victim.broker_says("TLS server", "Certificate Revoked")
    assert victim.found("--outcome", "certificate-revoked", "--limit", "1")
    connected = "renkei_adapter_connected"
    victim.until(lambda: victim.metric(connected, system=THIEF) == 0, "adapter that is out as well")
    report(
        Party.ADAPTER,
        "stolen key",
        "connected with a copy of an adapter's key, which is then revoked",
        refused=f"cut off {out:.1f} s after `renkei pki revoke`; then TLS: certificate revoked",
        recorded=f"ledger: operator-action certificate-revoked; {log}",
        alerted=f'`{connected}{{system="{THIEF}"}}` is 0 until it has a new one',
    )
    status, _ = victim.ground.renkei("pki", "issue", THIEF)
    assert status == 0
    victim.until(
        lambda: victim.metric(connected, system=THIEF) == 1,
        "adapter with its new certificate",
        30,
    )
    victim.passes()
