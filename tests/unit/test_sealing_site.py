"""The seals of a site by its folder of certificates: made by renkei pki, renewed, revoked, lost."""

import datetime as dt
import shutil
from pathlib import Path

import pytest

from hub.compose.numbers import hub_seals, keys_of
from hub.errors import KeyMissing
from hub.message import Copy
from hub.pki.trust import kid_of
from hub.sealing.keys import Keys
from hub.sealing.opener import Opener
from hub.sealing.sealer import Sealer
from hub.sealing.seals import Seals
from hub.site import HUB_USER, load_site
from tests.pki_rig import Pki
from tests.plain_site import PLAIN
from tests.samples import MY_NUMBER, NOW

pytestmark = pytest.mark.unit

TAX, UNION = "tax", "union"
NUMBER = {"my_number": MY_NUMBER}


def now(hours: float = 0) -> dt.datetime:
    return dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours)


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki(tmp_path).made()


def looking(keys: Keys) -> Keys:
    """Look at the folder each time."""
    ticks = iter(range(0, 1_000_000, 10))
    keys.monotonic = lambda: float(next(ticks))
    return keys


def hub_of(pki: Pki) -> Seals:
    return Seals(looking(keys_of(pki.site, HUB_USER)))


def to_hub(pki: Pki) -> Sealer:
    return Sealer(looking(keys_of(pki.site, TAX)), HUB_USER)


def is_opened(seals: Seals, sealed: tuple[object, str]) -> bool:
    data, datakey = sealed
    assert isinstance(data, dict)
    token = data["my_number"]
    body = f'{{"datakey":"{datakey}","id":"f-1","data":{{"my_number":"{token}"}}}}'.encode()
    opened = seals.opener.opened(body, TAX)
    return opened.is_readable and MY_NUMBER.encode() in opened.body


def test_what_renkei_pki_issues_seals_and_opens_both_ways(pki: Pki) -> None:
    seals = hub_seals(pki.site)
    seals.keys.must_open()
    sealed, datakey = to_hub(pki).sealed(NUMBER, TAX, "f-1")
    assert is_opened(seals, (sealed, datakey))
    seal = seals.to_receiver(UNION)
    assert seal is not None
    data, datakey = seal.sealed(NUMBER, "I4a", TAX, "f-1")
    copy = Copy(
        datakey=datakey,
        id="f-1",
        source=f"/systems/{TAX}",
        type="eligibility.notified",
        time=NOW,
        flow="I4a",
        acceptedtime=NOW,
        data=dict(data),
    )
    opened = Opener(keys_of(pki.site, UNION)).copy(copy)
    assert opened.data == NUMBER
    assert not seals.takes_plain(now())


def test_a_renewed_key_is_used_after_an_hour_and_the_old_one_opens_what_it_did(pki: Pki) -> None:
    sealer, seals = to_hub(pki), hub_of(pki)
    before = sealer.sealed(NUMBER, TAX, "f-1")
    first = sealer._made_for[0]
    made = pki.store.issue_encryption(HUB_USER, now(hours=0.05))
    sealer.sealed(NUMBER, TAX, "f-1")
    assert sealer._made_for[0] == first
    keys = looking(keys_of(pki.site, TAX))
    keys.clock = lambda: now(hours=2)
    later = Sealer(keys, HUB_USER)
    after = later.sealed(NUMBER, TAX, "f-1")
    assert later._made_for[0] == kid_of(made)
    assert is_opened(seals, before)
    assert is_opened(seals, after)


def test_a_revoked_key_is_used_by_nobody_from_the_next_look_on(pki: Pki) -> None:
    sealer, seals = to_hub(pki), hub_of(pki)
    before = sealer.sealed(NUMBER, TAX, "f-1")
    pki.store.revoke([one.serial_number for one in pki.store.issued()], now())
    with pytest.raises(KeyMissing, match="hub has no encryption certificate in force"):
        sealer.sealed(NUMBER, TAX, "f-1")
    assert is_opened(seals, before)  # what was sealed before is no less readable


def test_certificates_of_somebody_else_are_sealed_for_by_nobody(pki: Pki, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    stranger = Pki(other).made()
    for path in (pki.pki / "parties").glob("hub.*.pem"):
        path.unlink()
    for path in (stranger.pki / "parties").glob("hub.*.pem"):
        shutil.copy(path, pki.pki / "parties" / path.name)
    with pytest.raises(KeyMissing):
        to_hub(pki).sealed(NUMBER, TAX, "f-1")


def test_a_hub_without_its_private_key_does_not_begin(pki: Pki) -> None:
    shutil.rmtree(pki.pki / HUB_USER / "enc")
    with pytest.raises(KeyMissing, match="renkei pki issue hub"):
        hub_seals(pki.site).keys.must_open()


def test_a_folder_that_cannot_be_read_is_said(pki: Pki) -> None:
    shutil.rmtree(pki.pki)
    with pytest.raises(KeyMissing, match=r"ca\.pem"):
        hub_seals(pki.site).keys.must_open()


def test_a_site_without_certificates_takes_plain_numbers_through_its_day(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    hub = '[hub]\npseudonym_key_file = "k"\npassword_file = "p"\n'
    broker = '[broker]\nmanagement_url = "http://127.0.0.1:15672"\n'
    file.write_text(PLAIN + broker + hub, encoding="utf-8")
    seals = hub_seals(load_site(file))
    seals.keys.must_open()
    assert seals.to_receiver(UNION) is None
    assert seals.takes_plain(now())
    file.write_text(PLAIN.replace("2099", "2020") + broker + hub, encoding="utf-8")
    assert not hub_seals(load_site(file)).takes_plain(now())
