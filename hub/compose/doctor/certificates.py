"""Certificates, revocation lists and keys for 個人番号, those that lie on this machine."""

import datetime as dt
from collections.abc import Iterator

from hub.compose.doctor.model import Patient, Said, fail, ok, warn
from hub.pki.check import check, key_here


def look_at_certificates(patient: Patient) -> Iterator[Said]:
    """Look at all that lie here; which others a site needs, renkei pki check says."""
    site = patient.site
    if site.tls.plain_loopback:
        yield warn(
            "connections have no certificates ([tls] plain_loopback): for trying things alone",
            'take the line plain_loopback out, under [tls] have folder = "pki", and run '
            f"{patient.command('pki init')}, then pki issue --all",
        )
    if (until := site.my_number.accept_plain_until) is not None:
        yield warn(
            f"個人番号 in clear are taken until {until}",
            "take accept_plain_until out once every sender encrypts (renkei_numbers_plain_total)",
        )
    if site.tls.folder is None:
        return
    found = check(site, site.tls.folder, dt.datetime.now(dt.UTC), here=True)
    for one in found:
        yield fail(f"{one.name}: {one.text}", patient.command("pki check"))
    if note := key_here(site.tls.folder):
        yield warn(note, "docs/operations/certificates.md: take ca.key off this machine")
    if not found:
        yield ok(f"certificates, lists and keys in {site.tls.folder} are good")
