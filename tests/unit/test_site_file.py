"""The site file: checked whole, every fault named at once, and no secret in it or in an error."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from hub.errors import SiteError
from hub.hosts import Host
from hub.site import SystemSite, load_site, read_secret
from tests.plain_site import PLAIN

pytestmark = pytest.mark.unit

GOOD = f"""{PLAIN}
[hub]
password_file = "secrets/hub"
pseudonym_key_file = "secrets/key"

[systems.tax]
folder = "drives/tax"
journal = "state/tax.sqlite3"
password_file = "secrets/tax"
"""

GUILTY = "http://u:s3cret@localhost"
OIDC = f"""
[console.oidc]
issuer = "{GUILTY}"
client_id = "c"
client_secret_file = "secrets/oidc"
"""


def site_file(folder: Path, text: str) -> Path:
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def faults_of(folder: Path, text: str) -> str:
    with pytest.raises(SiteError) as caught:
        load_site(site_file(folder, text))
    return str(caught.value)


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = site_file(tmp_path, GOOD + 'access = { department = "市民課" }\n')
    monkeypatch.chdir("/")
    site = load_site(path)
    tax = site.systems["tax"]
    assert tax.folder == tmp_path / "drives" / "tax"
    assert tax.journal == tmp_path / "state" / "tax.sqlite3"
    assert site.hub.password_file == tmp_path / "secrets" / "hub"
    assert site.hub.ledger == f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    assert tax.access.items().department == "市民課"


@pytest.mark.parametrize(
    ("ledger", "expected"),
    [
        ("sqlite:///data/l.db", "sqlite:///{folder}/data/l.db"),
        ("sqlite:////srv/l.db", "sqlite:////srv/l.db"),
        ("postgresql+pg8000://u@127.0.0.1/db", "postgresql+pg8000://u@127.0.0.1/db"),
        ("postgresql+pg8000://u@/db?unix_sock=/s", "postgresql+pg8000://u@/db?unix_sock=/s"),
    ],
)
def test_where_the_ledger_is(tmp_path: Path, ledger: str, expected: str) -> None:
    text = GOOD.replace("[hub]", f'[hub]\nledger = "{ledger}"')
    assert load_site(site_file(tmp_path, text)).hub.ledger == expected.format(folder=tmp_path)


def test_workers_share_partitions_and_each_has_one(tmp_path: Path) -> None:
    hub = load_site(site_file(tmp_path, GOOD)).hub
    assert (hub.partitions, hub.workers) == (4, 1)
    text = GOOD.replace("[hub]", "[hub]\nworkers = 5")
    assert "5 workers share 4 partitions: some would have none" in faults_of(tmp_path, text)
    text = GOOD.replace("[hub]", "[hub]\npartitions = 17")
    assert "hub.partitions" in faults_of(tmp_path, text)
    text = GOOD.replace("[hub]", "[hub]\nworker_metrics_ports = [9100, 9100]")
    assert "metrics_port is used twice: 9100" in faults_of(tmp_path, text)


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    said = faults_of(
        tmp_path,
        """
[tls]
plain_loopback = true

[broker]
port = 99999
colour = "red"

[hub]
about_to_reach_days = 400
partitions = 0

[systems.Tax]
folder = "x"

[systems.union]
folder = "x"
journal = "j"
password_file = "p"
encoding = "shift_jis"
poll_seconds = 0
access = { staff = "a\\u0000" }
""",
    )
    for place in (
        "broker.port",
        "broker.colour",
        "hub.password_file",
        "hub.pseudonym_key_file",
        "hub.about_to_reach_days",
        "hub.partitions",
        "systems.Tax",
        "systems.union.encoding",
        "systems.union.poll_seconds",
        "systems.union.access.staff",
    ):
        assert f"  {place}" in said
    assert str(tmp_path / "site.toml") in said


def test_a_fault_does_not_show_the_value(tmp_path: Path) -> None:
    said = faults_of(tmp_path, GOOD.replace("[hub]", '[hub]\nledger = ["s3cret"]'))
    assert "hub.ledger" in said
    assert "s3cret" not in said


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("http_timeout = 5", "systems.tax.http_timeout", "; did you mean http_timeout_seconds?"),
        ('access = { stuff = "a" }', "systems.tax.access.stuff", "; did you mean staff?"),
        ("zzz = 1", "systems.tax.zzz", ""),
        ("[broker]\nhosts = 1", "broker.hosts", "; did you mean host?"),
        ("[brokers]", "brokers", "; did you mean broker?"),
    ],
)
def test_a_misspelt_key_comes_with_the_nearest_of_its_section(
    tmp_path: Path, text: str, place: str, hint: str
) -> None:
    said = faults_of(tmp_path, f"{GOOD}{text}\n")
    assert f"  {place}: is no key here{hint}" in said.splitlines()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[hub]\nworkers = "many"', "hub.workers: must be a whole number"),
        ("[hub]\nworkers = 0", "hub.workers: must be greater than or equal to 1"),
        ("[hub]\nlisten = 5", "hub.listen: must be a text in quotes"),
        ("[hub]\n", "hub.pseudonym_key_file: is missing"),
        ("[hub]\npassword_file = {}", "hub.password_file: this is no place of a secret"),
    ],
)
def test_a_fault_is_told_in_plain_words(tmp_path: Path, text: str, said: str) -> None:
    found = faults_of(tmp_path, text)
    assert said in found
    for foreign in ("Input should", "Field required", "Value error", "unable to parse"):
        assert foreign not in found


@pytest.mark.parametrize(
    ("place", "hub", "more"),
    [
        ("hub.ledger", 'ledger = "postgresql+pg8000://renkei:s3cret@127.0.0.1/x"', ""),
        ("hub.ledger", 'ledger = "postgresql+pg8000://:s3cret@127.0.0.1/x"', ""),
        ("hub.ledger", 'ledger = "postgresql+pg8000://u@127.0.0.1/x?password=s3cret"', ""),
        ("hub.ledger", 'ledger = "postgresql+pg8000://u@[s3cret/x"', ""),
        ("broker.management_url", "", '[broker]\nmanagement_url = "http://u:s3cret@localhost"'),
        ("broker.management_url", "", '[broker]\nmanagement_url = "http://s3cret@localhost"'),
        ("broker.management_url", "", '[broker]\nmanagement_url = "http://localhost:s3cret"'),
        ("broker.management_also.0", "", '[broker]\nmanagement_also = ["http://u:s3cret@::1"]'),
        ("broker.host", "", '[broker]\nhost = "amqp://u:s3cret@localhost"'),
        ("broker.also.0", "", '[broker]\nalso = ["u:s3cret@localhost:5671"]'),
        ("console.origin", "", f'[console]\norigin = "{GUILTY}"'),
        ("console.oidc.issuer", "", OIDC),
        ("traces.endpoint", "", f'[traces]\nendpoint = "{GUILTY}"'),
        ("systems.tax.url", "", f'url = "{GUILTY}"'),
    ],
)
def test_no_address_has_a_secret_in_it_and_no_error_repeats_one(
    tmp_path: Path, place: str, hub: str, more: str
) -> None:
    said = faults_of(tmp_path, GOOD.replace("[hub]", f"[hub]\n{hub}") + f"{more}\n")
    assert f"  {place}: " in said
    assert len(said.splitlines()) == 2
    assert "s3cret" not in said


def test_two_processes_cannot_have_one_port(tmp_path: Path) -> None:
    text = GOOD.replace("[hub]", "[hub]\nmetrics_port = 9100") + "metrics_port = 9100\n"
    assert "metrics_port is used twice: 9100" in faults_of(tmp_path, text)


@pytest.mark.parametrize("content", [b"[hub", b"x = '\xff'"])
def test_what_is_no_toml(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "site.toml"
    path.write_bytes(content)
    with pytest.raises(SiteError, match=r"site\.toml"):
        load_site(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match=r"absent\.toml"):
        load_site(tmp_path / "absent.toml")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.touch(mode=0o600)
    path.write_text("  s3cret\n", encoding="utf-8")
    return path


def test_a_secret_is_read_and_never_printed(secret: Path) -> None:
    read = read_secret(secret)
    assert read.get_secret_value() == "s3cret"
    assert "s3cret" not in f"{read!r}{read}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o666])
def test_a_secret_that_others_may_use_is_none(secret: Path, mode: int) -> None:
    secret.chmod(mode)
    with pytest.raises(SiteError, match="readable by others") as caught:
        read_secret(secret)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff"])
def test_a_secret_that_says_nothing(secret: Path, content: bytes) -> None:
    secret.write_bytes(content)
    with pytest.raises(SiteError, match="secret"):
        read_secret(secret)


def test_a_secret_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "absent"
    with pytest.raises(SiteError, match=r"cannot be read: .*run renkei site init") as caught:
        read_secret(path)
    assert str(caught.value).count(str(path)) == 1


def test_a_secret_that_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="cannot be read") as caught:
        read_secret(tmp_path)
    assert str(caught.value).count(str(tmp_path)) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/api",
        "http://localhost",
        "http://[::1]:80/",
        "https://server.example:8443/api",
    ],
)
def test_an_interface_is_reached_by_https_or_on_this_machine(url: str) -> None:
    assert _system(url=url).url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://server.example/api",
        "http://127.0.0.1.example/",
        "ftp://127.0.0.1/",
        "https://",
        "server.example",
        "https://user:word@server.example/",
        "https://server.example/?key=1",
        "https://server.example/#a",
        "https://server.example:99999/",
    ],
)
def test_any_other_address_of_an_interface_is_a_fault(url: str) -> None:
    with pytest.raises(ValidationError):
        _system(url=url)


def _system(**changes: object) -> SystemSite:
    needed = {"folder": "a", "journal": "b", "password_file": "c"}
    return SystemSite.model_validate(needed | changes)


def test_a_cluster_has_several_hosts(tmp_path: Path) -> None:
    text = '[tls]\nfolder = "p"\n[broker]\nhost = "a"\nalso = ["b:5673", "[::1]:5672", "a:5671"]\n'
    broker = load_site(site_file(tmp_path, text + GOOD.removeprefix(PLAIN))).broker
    assert broker.also == (Host("b", 5673), Host("::1", 5672), Host("a", 5671))
    assert broker.nodes == 3


@pytest.mark.parametrize(
    "host", ['"b"', '"b:x"', '"b:0"', '"b:99999"', '"u:s3cret@b:5"', '":5"', "5"]
)
def test_what_is_no_host_and_port(tmp_path: Path, host: str) -> None:
    said = faults_of(tmp_path, f"[broker]\nalso = [{host}]\n{GOOD}")
    assert "  broker.also.0: " in said
    assert "s3cret" not in said


# -- nothing plain leaves this machine -----------------------------------------------------------

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
