"""``renkei keys``: another key takes the place of one, and what the old one made still counts."""

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from hub.cli.main import app, guarded
from hub.compose import console, keys
from hub.compose.ledger import ledger_signer, open_ledger, pseudonyms
from hub.errors import LedgerError, SiteError
from hub.ledger.acts import Act
from hub.ledger.beside import Aside, Beside
from hub.ledger.model import Kind
from hub.ledger.rotation import exchanges, ids_of, refuse_workers
from hub.ledger.schema import migrate
from hub.ledger.store import DatabaseLedger
from hub.ledger.tables import head, workers
from hub.ledger.vault import vault_of
from hub.message import MessageKey
from hub.site import Site, load_site
from hub.statute.catalogue import load_catalogue
from hub.stop import Stop
from schemas.evidence.note import SignedNote
from tests.plain_site import PLAIN
from tests.samples import ADDRESSEE, CHANGED, NOW, REGISTRY, SIGNER, entry

pytestmark = [pytest.mark.unit, pytest.mark.slow]

WHO = ("--staff", "職員九", "--reason", "試験")


def run(*arguments: str) -> int:
    try:
        return guarded(lambda: app(list(arguments), prog_name="renkei"))
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Make a site whose ledger has an entry about the resident."""
    (tmp_path / "secrets").mkdir()
    for name, text in {"hub": "h" * 40, "key": "k" * 40, "ledger-key": SIGNER.text()}.items():
        secret = tmp_path / "secrets" / name
        secret.write_text(text)
        secret.chmod(0o600)
    made = tmp_path / "site.toml"
    made.write_text(
        f'{PLAIN}[hub]\npassword_file = "secrets/hub"\npseudonym_key_file = "secrets/key"\n'
    )
    migrate(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    move(made, "a1")
    return made


@contextmanager
def ledger_of(path: Path) -> Iterator[tuple[Site, DatabaseLedger]]:
    site = load_site(path)
    ledger = open_ledger(site)
    try:
        yield site, ledger
    finally:
        ledger.close()


def move(path: Path, message_id: str) -> None:
    """Be the hub: record that a message about the resident moved."""
    with ledger_of(path) as (site, ledger):
        resident = pseudonyms(site).resident(ADDRESSEE)
        ledger.append([entry(message=MessageKey(REGISTRY, message_id), resident=resident)])


def rotate(path: Path, which: str, *more: str) -> int:
    return run("keys", "rotate", which, "--site", str(path), *WHO, *more)


def found(path: Path, number: Path, capsys: pytest.CaptureFixture[str]) -> set[str]:
    """Search for the resident; give the messages that moved."""
    capsys.readouterr()
    asked = ("--addressee-file", str(number), "--kind", "acceptance", "--json")
    assert run("ledger", "search", "--site", str(path), *asked) == 0
    return {json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()}


def test_all_that_was_there_before_is_found_and_checked_after(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    number, site = tmp_path / "number", ("--site", str(path))
    number.write_text(ADDRESSEE)
    with ledger_of(path) as (_, ledger):
        earlier = tmp_path / "earlier"
        earlier.write_text(ledger.checkpoint())
        with ledger.engine.connect() as connection:
            seal = connection.execute(head.select()).one().seal
    (tmp_path / "ledger.witness").write_text(seal)
    for round_ in range(2):
        for which in ("pseudonym", "ledger"):
            assert rotate(path, which) == 0
            move(path, f"{which}{round_}")
    everything = {"a1", "pseudonym0", "ledger0", "pseudonym1", "ledger1"}
    assert found(path, number, capsys) == everything
    assert run("ledger", "verify", *site, "--since", str(earlier)) == 0
    assert run("ledger", "verify", *site) == 0
    capsys.readouterr()
    asked = ("--addressee-file", str(number), "--out", str(tmp_path / "shown"))
    assert run("ledger", "disclose", *site, *asked) == 0
    assert capsys.readouterr().out.startswith(f"{len(everything)} transfers")
    proof = tmp_path / "proof"
    assert run("ledger", "consistency", str(earlier), *site, "--out", str(proof)) == 0
    capsys.readouterr()
    assert run("ledger", "key", *site) == 0
    lines = capsys.readouterr().out.split()
    assert [("@" in line) for line in lines] == [False, True, True]
    given = [word for line in lines for word in ("--key", line)]
    assert run("ledger", "check", str(proof), *given) == 0
    assert run("ledger", "check", str(proof), *given[:2]) == 1
    exported = tmp_path / "exported"
    assert run("ledger", "export", str(exported), *site) == 0
    export = ("--from-export", str(exported), "--since", str(earlier))
    assert run("ledger", "verify", *export, *given) == 0
    assert run("ledger", "verify", *export, *given[:2]) == 1


def test_an_exchange_is_an_entry_under_the_old_key(path: Path) -> None:
    with ledger_of(path) as (site, _):
        before = pseudonyms(site).key_ids[0], f"{ledger_signer(site).verifier.key_id:08x}"
    assert rotate(path, "pseudonym") == rotate(path, "ledger") == 0
    with ledger_of(path) as (site, ledger):
        after = pseudonyms(site).key_ids[0], f"{ledger_signer(site).verifier.key_id:08x}"
        said = [one for one in ledger.entries() if one.kind is Kind.OPERATOR_ACTION]
        pairs = [ids_of(one) for one in said]
        (retired,) = ledger_signer(site).verifier.retired
        assert retired.last == ledger.size()
    assert [one.code for one in said] == [Act.PSEUDONYM_KEY, Act.LEDGER_KEY]
    assert pairs == list(zip(before, after, strict=True))
    assert {one.access.staff for one in said} == {"職員九"}


def test_the_keys_are_for_this_account_alone_and_are_shown_nowhere(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rotate(path, "pseudonym", "--json") == rotate(path, "ledger") == 0
    assert run("keys", "list", "--site", str(path)) == 0
    said = "".join(capsys.readouterr())
    files = sorted((path.parent / "secrets").iterdir())
    assert [file.name for file in files] == ["hub", "key", "ledger-key"]
    for file in files:
        assert file.stat().st_mode & 0o777 == 0o600
        assert all(line.partition("@")[0] not in said for line in file.read_text().split())
    assert said.count("in use") == 3
    assert said.count("retired at entry") == 3


def test_a_demo_is_named_by_its_folder(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert path.name == "site.toml"
    assert run("keys", "list", "--state", str(path.parent)) == 0
    assert "in use" in capsys.readouterr().out
    assert run("keys", "list", "--state", str(path.parent / "secrets")) == 2
    assert "no demo's folder" in " ".join(capsys.readouterr().err.replace("│", " ").split())


@pytest.mark.parametrize("which", ["pseudonym", "ledger"])
def test_the_file_stays_that_of_the_hubs_account(path: Path, which: str) -> None:
    file = path.parent / "secrets" / ("key" if which == "pseudonym" else "ledger-key")
    # Only root can give a file away; another account's file is its own before and after.
    owner = (4242, 4243) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    os.chown(file, *owner)
    assert rotate(path, which) == 0
    assert (file.stat().st_uid, file.stat().st_gid) == owner


@pytest.mark.parametrize("which", ["pseudonym", "ledger"])
@pytest.mark.parametrize("step", range(6))
def test_where_it_breaks_off_one_of_the_two_is_in_place(
    path: Path, which: str, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = iter(range(step))

    def breaking(real: Callable[..., object], *arguments: object) -> object:
        if next(left, None) is None:
            raise SiteError("the disk is gone")
        return real(*arguments)

    with monkeypatch.context() as patched:
        for name in ("_rename", "enter"):
            patched.setattr(keys, name, partial(breaking, getattr(keys, name)))
        assert rotate(path, which) in {0, 1}
    move(path, "between")
    assert rotate(path, which) == 0
    move(path, "after")
    assert run("ledger", "verify", "--site", str(path)) == 0
    assert run("keys", "list", "--site", str(path)) == 0
    with ledger_of(path) as (_, ledger):
        act = Act.PSEUDONYM_KEY if which == "pseudonym" else Act.LEDGER_KEY
        pairs = [ids_of(one) for one in exchanges(ledger.engine, act)]
    assert len(pairs) == len(set(pairs)) <= 2


def test_who_still_has_the_old_key_appends_no_more(path: Path) -> None:
    with ledger_of(path) as (_, old):
        old.append([entry()])
        assert rotate(path, "ledger") == 0
        with pytest.raises(LedgerError, match="is not by the key"):
            old.append([entry(2)])
    move(path, "a2")
    assert run("ledger", "verify", "--site", str(path)) == 0


def test_nothing_is_exchanged_while_a_worker_is_alive(path: Path) -> None:
    with ledger_of(path) as (_, ledger):
        engine = ledger.engine
        with engine.begin() as connection:
            connection.execute(workers.insert().values(name="hub", beats=3))

        def beating(_: float) -> None:
            with engine.begin() as connection:
                connection.execute(workers.update().values(beats=workers.c.beats + 1))

        with pytest.raises(LedgerError, match=r"the hub is not stopped \(hub\)"):
            refuse_workers(engine, beating)
        refuse_workers(engine, lambda _: None)


def test_a_key_that_is_in_no_file_is_exchanged_elsewhere(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RENKEI_TEST_KEY", "k" * 40)
    path.write_text(path.read_text().replace('"secrets/key"', '{ env = "RENKEI_TEST_KEY" }'))
    assert rotate(path, "pseudonym") == 1
    assert "docs/operations/keys.md" in capsys.readouterr().err
    monkeypatch.setenv("RENKEI_TEST_KEY", "n" * 40 + "\n" + "k" * 40)
    number = path.parent / "number"
    number.write_text(ADDRESSEE)
    assert found(path, number, capsys) == {"a1"}


@pytest.mark.parametrize("which", ["pseudonym", "ledger"])
def test_a_retired_key_that_is_gone_is_missed(
    path: Path, which: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rotate(path, which) == 0
    file = path.parent / "secrets" / ("key" if which == "pseudonym" else "ledger-key")
    file.write_text(file.read_text().splitlines()[0])
    assert run("keys", "list", "--site", str(path)) == 1
    assert "is not in hub." in capsys.readouterr().err
    if which == "pseudonym":
        with ledger_of(path) as (site, ledger), pytest.raises(LedgerError, match="Bring its line"):
            keys.see_all_keys(ledger, pseudonyms(site))


def test_what_does_not_say_about_whom_it_is_is_decided_first(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ledger_of(path) as (site, ledger):
        keyed = pseudonyms(site)
        vault, resident = vault_of(keyed), keyed.resident(ADDRESSEE)
        key = MessageKey(REGISTRY, "a1")
        says = json.dumps({"data": {"addressee_number": ADDRESSEE}}).encode()
        asides = [
            Aside(place, key, CHANGED, resident, "x", "1", NOW, partial(vault.seal, body=body))
            for place, body in enumerate((says, b"{}"))
        ]
        held = [entry(kind=Kind.HOLD, message=key, resident=resident, flow=flow) for flow in "ab"]
        ledger.append(held, Beside(asides=asides))
    assert rotate(path, "pseudonym") == 1
    assert "1 messages wait that do not say about whom they are (3)" in capsys.readouterr().err
    assert rotate(path, "pseudonym", "--anyway") == 0
    assert run("ledger", "verify", "--site", str(path)) == 0


def test_holds_of_a_resident_are_named_and_made_anew(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    number, site = path.parent / "number", ("--site", str(path))
    number.write_text(ADDRESSEE)
    hold = ("ledger", "hold", "add", *site, "--addressee-file", str(number), "--reason", "訴訟")
    assert run(*hold) == 0
    name = capsys.readouterr().out.strip()
    assert rotate(path, "pseudonym") == 0
    assert f"legal hold {name} names a resident by the old key" in capsys.readouterr().out
    assert run(*hold) == 0
    assert run("ledger", "hold", "list", *site) == 0
    assert run("ledger", "verify", *site) == 0


def test_what_is_left_from_an_exchange_must_be_a_key(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("key", "ledger-key"):
        left = path.parent / "secrets" / f"{name}.next"
        left.write_text("too short")
        left.chmod(0o600)
        assert rotate(path, "pseudonym" if name == "key" else "ledger") == 1
        assert "is no key" in capsys.readouterr().err


def test_an_old_seal_of_a_later_size_is_refused(path: Path) -> None:
    site = load_site(path)
    old = ledger_signer(site)
    assert rotate(path, "ledger") == 0
    move(path, "a2")
    with ledger_of(path) as (_, ledger), ledger.engine.begin() as connection:
        seal = SignedNote.parse(connection.execute(head.select()).one().seal)
        forged = SignedNote.signed(seal.text, [old.sign(seal.text)]).encode().decode()
        connection.execute(head.update().values(seal=forged))
    assert run("ledger", "verify", "--site", str(path)) == 1
    with pytest.raises(LedgerError, match="was retired after"):
        move(path, "a3")


class Rotating(Stop):
    """Has the key of pseudonyms exchanged, once, while a process waits."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def wait(self, seconds: float) -> bool:
        assert seconds
        if self():
            return True
        assert rotate(self._path, "pseudonym") == 0
        self._asked = True
        return False


def test_a_console_ends_that_has_the_key_of_before(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path.write_text(f"{path.read_text()}\n[console]\nport = {port}\n")
    secret = path.parent / "secrets" / "console-key"
    secret.write_text("c" * 40)
    secret.chmod(0o600)
    monkeypatch.setattr(console, "REGISTRY", CollectorRegistry())
    with pytest.raises(SiteError, match="start the console again"):
        console.run_console(path, load_site(path), load_catalogue(), Rotating(path))
