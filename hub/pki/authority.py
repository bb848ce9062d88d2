"""The site's own authority: signs certificates and the revocation list. Pure but for its keys.

Everything is P-256. A certificate is either for connections (it signs) or for encryption (it agrees
on keys), never for both.
"""

import datetime as dt
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hub.pki.names import Profile

AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 397
LIST_DAYS = 30
"""How long the revocation list holds; every command of ``renkei pki`` that signs renews it."""
EARLIER = dt.timedelta(minutes=5)
"""So much before it is made a certificate begins to hold, for clocks that are behind."""
ENCRYPTION = "encryption"
"""The organisational unit of a certificate that is no process's but for encryption."""


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority's certificate and its private key, which ``repr`` does not show."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    def for_connections(
        self, profile: Profile, key: ec.EllipticCurvePublicKey, site: str, now: dt.datetime
    ) -> x509.Certificate:
        """Certify the key of a process, for the connections that its profile says."""
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH] if profile.client else []
        usages += [ExtendedKeyUsageOID.SERVER_AUTH] if profile.hosts else []
        names = alternative_names(profile.hosts, uri(site, profile.process))
        builder = self._builder(profile.account, profile.process, key, now)
        return self._signed(
            builder.add_extension(usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
        )

    def for_encryption(
        self, account: str, key: ec.EllipticCurvePublicKey, site: str, now: dt.datetime
    ) -> x509.Certificate:
        """Certify the key that is used to encrypt what an account alone may read."""
        names = alternative_names((), uri(site, account))
        builder = self._builder(account, ENCRYPTION, key, now)
        # With this usage no library takes it for a connection's.
        usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        return self._signed(
            builder.add_extension(usage(key_agreement=True), critical=True)
            .add_extension(usages, critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
        )

    def revocation_list(
        self, revoked: Iterable[x509.RevokedCertificate], number: int, now: dt.datetime
    ) -> x509.CertificateRevocationList:
        """Sign the list of those who are revoked; each list has a greater number."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(_whole(now - EARLIER))
            .next_update(_whole(now + dt.timedelta(days=LIST_DAYS)))
            .add_extension(x509.CRLNumber(number), critical=False)
            .add_extension(self._signed_by(), critical=False)
        )
        for one in revoked:
            builder = builder.add_revoked_certificate(one)
        return builder.sign(self.key, hashes.SHA256())

    def _builder(
        self, account: str, unit: str, key: ec.EllipticCurvePublicKey, now: dt.datetime
    ) -> x509.CertificateBuilder:
        until = min(now + dt.timedelta(days=CERTIFICATE_DAYS), self.certificate.not_valid_after_utc)
        return (
            _builder(subject(account, unit), key, now, until)
            .issuer_name(self.certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(self._signed_by(), critical=False)
        )

    def _signed(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        return builder.sign(self.key, hashes.SHA256())

    def _signed_by(self) -> x509.AuthorityKeyIdentifier:
        found = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(found.value)


def new_key() -> ec.EllipticCurvePrivateKey:
    """Make a private key."""
    return ec.generate_private_key(ec.SECP256R1())


def new_authority(name: str, now: dt.datetime) -> Authority:
    """Make an authority that certifies itself; ``now`` is an aware time."""
    key = new_key()
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    until = now + dt.timedelta(days=AUTHORITY_DAYS)
    certificate = (
        _builder(who, key.public_key(), now, until)
        .issuer_name(who)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def revoked(serial: int, at: dt.datetime) -> x509.RevokedCertificate:
    """Give the line of a revocation list about a certificate."""
    builder = x509.RevokedCertificateBuilder().serial_number(serial)
    return builder.revocation_date(_whole(at)).build()


def subject(account: str, unit: str) -> x509.Name:
    """Write whose a certificate is: the account, and the process or what else it is for."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
            x509.NameAttribute(NameOID.COMMON_NAME, account),
        ]
    )


def uri(site: str, process: str) -> str:
    """Name a process of a site, as its certificate does."""
    return f"renkei:{site}/{process}"


def alternative_names(hosts: Iterable[str], name: str) -> list[x509.GeneralName]:
    """List the hosts that a server is reached by, and the process's own name."""
    return [*map(_host, hosts), x509.UniformResourceIdentifier(name)]


def usage(**given: bool) -> x509.KeyUsage:
    """Say what a key is for, and that it is for nothing else."""
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: given.get(name, False) for name in names})


def _builder(
    who: x509.Name, key: ec.EllipticCurvePublicKey, now: dt.datetime, until: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(who)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_whole(now - EARLIER))
        .not_valid_after(_whole(until))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _whole(at: dt.datetime) -> dt.datetime:
    return at.replace(microsecond=0)
