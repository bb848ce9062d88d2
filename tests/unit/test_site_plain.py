"""The site file: nothing plain leaves this machine, and who has a certificate for what."""

from pathlib import Path

import pytest

from hub.site import load_site
from tests.plain_site import GOOD, PLAIN, faults_of, site_file

pytestmark = pytest.mark.unit

SECURE = GOOD.replace(PLAIN, '[tls]\nfolder = "pki"\n')
HTTP = "http://127.0.0.1:8080"


def test_a_site_without_certificates_is_told_what_to_do(tmp_path: Path) -> None:
    said = faults_of(tmp_path, GOOD.removeprefix(PLAIN))
    assert "tls.folder is missing" in said
    assert "renkei pki init" in said
    assert "plain_loopback = true" in said


def test_browsers_have_no_certificates_where_nobody_has(tmp_path: Path) -> None:
    table = '[console]\nbrowsers = ["pc-1"]\n'
    assert "console.browsers" in faults_of(tmp_path, GOOD + table)
    site = load_site(site_file(tmp_path, SECURE + table))
    assert site.console is not None
    assert site.console.browsers == ("pc-1",)


def test_with_certificates_nothing_is_plain_and_no_password_is_needed(tmp_path: Path) -> None:
    text = SECURE.replace('password_file = "secrets/hub"\n', "")
    site = load_site(site_file(tmp_path, text))
    assert site.tls.folder == tmp_path / "pki"
    assert site.tls.min_version == "1.2"
    assert site.hub.password_file is None
    assert site.broker.port == 5671
    assert site.broker.management_url.startswith("https://")


def test_with_certificates_every_plain_address_is_named_even_on_loopback(tmp_path: Path) -> None:
    broker = f'[broker]\nmanagement_url = "{HTTP}"\nmanagement_also = ["{HTTP}"]\n'
    said = faults_of(tmp_path, f'{broker}{SECURE}url = "{HTTP}"\n')
    for key in ("broker.management_url", "broker.management_also.0", "systems.tax.url"):
        assert f"  {key} is plain http: use https" in said


def test_without_certificates_every_other_machine_is_named(tmp_path: Path) -> None:
    broker = (
        '[broker]\nhost = "mq"\nalso = ["10.0.0.2:5672", "[::1]:5672"]\n'
        'management_url = "https://mq:15671"\n'
    )
    text = GOOD.replace("[hub]", '[hub]\nlisten = "10.0.0.5"\nledger = "postgresql://u@db/x"')
    said = faults_of(tmp_path, f'{broker}{text}listen = "10.0.0.5"\nurl = "https://tax.example"\n')
    assert [line.split()[0] for line in said.splitlines()[1:]] == [
        "broker.host",
        "broker.also.0",
        "broker.management_url",
        "systems.tax.url",
        "hub.listen",
        "systems.tax.listen",
        "hub.ledger",
    ]


def test_without_certificates_passwords_are_needed(tmp_path: Path) -> None:
    said = faults_of(tmp_path, GOOD.replace('password_file = "secrets/hub"\n', ""))
    assert "  hub.password_file: " in said


EVERYWHERE = "0.0.0.0"  # noqa: S104 - what is refused here


@pytest.mark.parametrize("address", [EVERYWHERE, "::", "224.0.0.1", "localhost", ""])
def test_a_process_listens_on_one_address_of_its_own(tmp_path: Path, address: str) -> None:
    said = faults_of(tmp_path, SECURE.replace("[hub]", f'[hub]\nlisten = "{address}"'))
    assert "  hub.listen: " in said


@pytest.mark.parametrize(
    "text",
    [
        'min_version = "1.1"',
        "renew_days = 0",
        "plain = true",
    ],
)
def test_nothing_weaker_can_be_asked_for(tmp_path: Path, text: str) -> None:
    assert "  tls." in faults_of(tmp_path, SECURE.replace("[tls]", f"[tls]\n{text}"))


def test_a_client_certificate_has_its_key(tmp_path: Path) -> None:
    assert "belong together" in faults_of(tmp_path, SECURE + 'cert_file = "c.pem"\n')
    site = load_site(site_file(tmp_path, SECURE + 'cert_file = "c"\nkey_file = "k"\n'))
    assert site.systems["tax"].cert_file == tmp_path / "c"


def test_numbers_are_sealed_unless_a_day_is_given(tmp_path: Path) -> None:
    assert load_site(site_file(tmp_path, SECURE)).my_number.accept_plain_until is None
    text = SECURE + "[my_number]\naccept_plain_until = 2027-03-31\n"
    assert str(load_site(site_file(tmp_path, text)).my_number.accept_plain_until) == "2027-03-31"
    text = SECURE + '[my_number]\naccept_plain_until = "always"\n'
    assert "my_number.accept_plain_until" in faults_of(tmp_path, text)


def test_limits_have_bounds_and_a_misspelt_one_is_named(tmp_path: Path) -> None:
    assert load_site(site_file(tmp_path, SECURE)).limits.xml_depth == 32
    for line in ("xml_depth = 0", "file_bytes = 9999999999999999", "event_bytes = -1"):
        key = line.split()[0]
        assert f"  limits.{key}: " in faults_of(tmp_path, f"{SECURE}[limits]\n{line}\n")
    said = faults_of(tmp_path, SECURE + "[limits]\nxml_dept = 3\n")
    assert "  limits.xml_dept: is no key here; did you mean xml_depth?" in said


def test_the_console_is_opened_as_its_connections_are(tmp_path: Path) -> None:
    console = '\n[console]\norigin = "{}"\n'
    local = "http://127.0.0.1:8443"
    assert load_site(site_file(tmp_path, GOOD + console.format(local))).console
    away = faults_of(tmp_path, GOOD + console.format("https://renkei.example:8443"))
    assert "console.origin is another machine" in away
    secure = GOOD.replace("plain_loopback = true", 'folder = "pki"')
    assert "console.origin is plain http" in faults_of(tmp_path, secure + console.format(local))
    for wrong in ("http://renkei.example", "https://renkei.example/", "renkei.example"):
        assert "console.origin" in faults_of(tmp_path, GOOD + console.format(wrong))
    assert load_site(site_file(tmp_path, GOOD)).console is None


SERVED = """
[tls]
folder = "pki"

[hub]
pseudonym_key_file = "secrets/key"
{hub}

[systems.tax]
folder = "drives/tax"
journal = "state/tax.sqlite3"
listen = "{listen}"

{more}
"""


@pytest.mark.parametrize(
    ("place", "hub", "more", "listen"),
    [
        ("broker.host", "", '[broker]\nhost = "10.0.0.5"', "10.0.0.5"),
        ("broker.host", "", '[broker]\nhost = "fd00:0::5"', "fd00::5"),
        ("broker.also.0", "", '[broker]\nalso = ["10.0.0.5:5671"]', "10.0.0.5"),
        (
            "broker.management_url",
            "",
            '[broker]\nmanagement_url = "https://10.0.0.5:15671"',
            "::ffff:10.0.0.5",
        ),
        ("hub.ledger", 'ledger = "postgresql+pg8000://u@10.0.0.5/x"', "", "10.0.0.5"),
        ("console.listen", "", '[console]\nlisten = "10.0.0.5"', "10.0.0.5"),
        ("console.origin", "", '[console]\norigin = "https://10.0.0.5"', "10.0.0.5"),
    ],
)
def test_no_system_gets_a_certificate_for_an_address_that_others_trust(
    tmp_path: Path, place: str, hub: str, more: str, listen: str
) -> None:
    said = faults_of(tmp_path, SERVED.format(hub=hub, more=more, listen=listen))
    assert f"systems.tax.listen is the address of {place}: " in said
    assert "Name another inner address" in said
    for other in ("10.0.0.6", "127.0.0.1"):
        text = SERVED.format(hub=hub, more=more, listen=other)
        assert load_site(site_file(tmp_path, text)).systems["tax"].listen == other
