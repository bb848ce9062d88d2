"""The site file: checked whole, every fault named at once, and no secret in it or in an error."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from hub.errors import SiteError
from hub.hosts import Host
from hub.site import SystemSite, load_site, read_secret
from tests.plain_site import GOOD, PLAIN, faults_of, site_file

pytestmark = pytest.mark.unit

GUILTY = "http://u:s3cret@localhost"
OIDC = f"""
[console.oidc]
issuer = "{GUILTY}"
client_id = "c"
client_secret_file = "secrets/oidc"
"""


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
