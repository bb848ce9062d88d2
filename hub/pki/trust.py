"""Who is trusted: the authorities of a site, and their lists of who is not any more."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import (
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from hub.pki.files import read_certificates, read_lists
from hub.tls import CA, CRL, shared

_KID_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Trust:
    """The authorities' certificates, and the revocation lists that they signed."""

    authorities: Sequence[x509.Certificate]
    lists: Sequence[x509.CertificateRevocationList]

    def fault(self, chain: Sequence[x509.Certificate], now: dt.datetime) -> str:
        """Say why a certificate cannot be trusted at this moment; empty where it can.

        ``chain`` has those that lead from it to an authority, behind it. Only the certificate
        itself is looked for in the lists. What it may be used for is not looked at.
        """
        leaf, *between = chain
        if leaf.not_valid_before_utc > now:
            return f"it holds from {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC only"
        if leaf.not_valid_after_utc < now:
            return f"it has ended on {leaf.not_valid_after_utc:%Y-%m-%d}"
        if self.is_revoked(leaf):
            return "it is revoked"
        # Both kinds of use are judged here; the policy for the leaf is that of its reader.
        policy = ExtensionPolicy.webpki_defaults_ca()
        builder = PolicyBuilder().store(Store(list(self.authorities))).time(now)
        builder = builder.extension_policies(
            ca_policy=policy, ee_policy=ExtensionPolicy.permit_all()
        )
        try:
            builder.build_client_verifier().verify(leaf, between)
        except VerificationError:
            return "no authority of the site has signed it"
        return ""

    def is_revoked(self, certificate: x509.Certificate) -> bool:
        """Tell whether a list of the certificate's own authority names it."""
        return any(
            one.issuer == certificate.issuer
            and one.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None
            for one in self.lists
        )


def load_trust(folder: Path) -> Trust:
    """Read the authorities and their lists; a list that none of them signed is left out.

    Raises:
        SiteError: a file is missing or damaged.
    """
    authorities = read_certificates(shared(folder, CA))
    lists = [one for one in read_lists(shared(folder, CRL)) if signed_by(one, authorities)]
    return Trust(authorities, lists)


def signed_by(
    found: x509.CertificateRevocationList, authorities: Sequence[x509.Certificate]
) -> bool:
    """Tell whether one of the authorities signed a revocation list."""
    for one in authorities:
        try:
            if one.subject == found.issuer and found.is_signature_valid(one.public_key()):  # type: ignore[arg-type]
                return True
        except (InvalidSignature, TypeError, ValueError):
            continue
    return False


def account_of(certificate: x509.Certificate) -> str:
    """Give the account that a certificate is for: its common name, or nothing."""
    return _attribute(certificate, NameOID.COMMON_NAME)


def unit_of(certificate: x509.Certificate) -> str:
    """Give the process that a certificate is for, or what else: its organisational unit."""
    return _attribute(certificate, NameOID.ORGANIZATIONAL_UNIT_NAME)


def _attribute(certificate: x509.Certificate, kind: x509.ObjectIdentifier) -> str:
    found = certificate.subject.get_attributes_for_oid(kind)
    return str(found[0].value) if len(found) == 1 else ""


def kid_of(certificate: x509.Certificate) -> str:
    """Name an encryption certificate: its account, and the beginning of its SHA-256 digest."""
    digest = certificate.fingerprint(hashes.SHA256()).hex()
    return f"{account_of(certificate)}.{digest[:_KID_DIGITS]}"
