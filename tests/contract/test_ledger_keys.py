"""Both kinds of database find and check what was written before their keys were exchanged."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from hub.errors import LedgerError
from hub.ledger.acts import Act
from hub.ledger.aliases import Aliases
from hub.ledger.beside import Beside, Binding
from hub.ledger.model import Entry, Pseudonyms
from hub.ledger.rotated import RotatedLedger
from hub.ledger.rotation import enter, put_signer
from hub.ledger.search.ask import entries_about
from hub.ledger.store import DatabaseLedger
from hub.ledger.verify.ledger import verify
from hub.ledger.years.records import Order
from hub.message import AccessItems, MessageKey
from schemas.evidence.note import Signer
from tests.samples import ADDRESSEE, MY_NUMBER, NOW, PSEUDONYMS, REGISTRY, SIGNER, entry
from tests.servers.ledgers import opened

pytestmark = pytest.mark.contract

ORDER = Order(AccessItems("職員一", "情報政策", "T-1", "年に一度", "keys rotate"), NOW, SIGNER)
OLD = (PSEUDONYMS.resident(ADDRESSEE), PSEUDONYMS.number(MY_NUMBER))


def accepted(message_id: str, resident: str) -> Entry:
    return entry(message=MessageKey(REGISTRY, message_id), resident=resident)


@pytest.fixture
def before(url: str) -> Iterator[DatabaseLedger]:
    """Give a ledger in which a resident is bound by the old key."""
    with opened(url) as ledger:
        ledger.append([accepted("a1", OLD[0])], Beside(bindings=[Binding(OLD[0], "", OLD[1])]))
        yield ledger


def test_a_binding_goes_over_to_the_new_key_once(before: DatabaseLedger, url: str) -> None:
    keyed = Pseudonyms(b"another key", (PSEUDONYMS.key,), before.size())
    new = (keyed.resident(ADDRESSEE), keyed.number(MY_NUMBER))
    first, second = (RotatedLedger(url, SIGNER, keyed) for _ in range(2))
    for one in (first, second):
        assert (
            one.known([MessageKey(REGISTRY, "a1")])[MessageKey(REGISTRY, "a1")].resident == (new[0])
        )
        assert one.bindings([new[0], "nobody"]) == dict([new])
    first.append([accepted("a2", new[0])])
    with pytest.raises(LedgerError):
        second.append([accepted("a3", new[0])])
    assert second.bindings([new[0]]) == dict([new])
    second.append([accepted("a3", new[0])])
    assert before.bindings([OLD[0], new[0]]) == dict([new])
    with before.engine.connect() as connection:
        found = entries_about(connection, keyed.residents(ADDRESSEE), before.size())
        assert [one.message.id for one in found] == ["a1", "a2", "a3"]
    assert verify(before.engine, SIGNER.verifier).good
    for one in (first, second):
        one.close()


def test_a_digest_that_nobody_has_made_lately_is_still_another_number(
    before: DatabaseLedger, url: str
) -> None:
    keyed = Pseudonyms(b"another key", (PSEUDONYMS.key,), before.size())
    resident = keyed.resident(ADDRESSEE)
    ledger = RotatedLedger(url, SIGNER, replace(keyed, aliases=Aliases()))
    assert ledger.bindings([resident]) == {}
    ledger.close()
    ledger = RotatedLedger(url, SIGNER, keyed)
    assert ledger.bindings([resident]) == {resident: OLD[1]}
    ledger.append([accepted("a2", resident)])
    assert before.bindings([OLD[0]]) == dict([OLD])
    ledger.close()


def test_who_slept_through_an_exchange_records_nothing_more(
    before: DatabaseLedger, url: str
) -> None:
    idle, other = (DatabaseLedger(url, SIGNER) for _ in range(2))
    other.append([entry(2)])
    before.append([entry(3)])
    for old in ("1" * 8, "2" * 8):
        enter(other, Act.PSEUDONYM_KEY, old, "3" * 8, ORDER)
    for _ in range(2):
        for asleep in (before, idle):
            asleep.tend()
            with pytest.raises(LedgerError, match="start it again"):
                asleep.append([entry(4)])
    late = DatabaseLedger(url, SIGNER)
    for awake in (late, other):
        awake.append([entry(4)])
    late.append([entry(5)])
    assert verify(late.engine, SIGNER.verifier).good
    for one in (idle, other, late):
        one.close()


def test_another_key_signs_from_now_on(before: DatabaseLedger, url: str) -> None:
    kept: list[Signer] = []
    before.checkpoint()
    new = put_signer(before, SIGNER, Signer.generate(SIGNER.name), kept.append)
    assert kept == [new]
    assert new.verifier.retired[0].last == before.size()
    with pytest.raises(LedgerError, match="is not by the key"):
        before.append([entry(3)])
    ledger = DatabaseLedger(url, new)
    ledger.append([entry(2)])
    ledger.checkpoint()
    assert verify(ledger.engine, new.verifier).good
    assert (
        "ledger_checkpoints" in verify(ledger.engine, Signer(new.text().split()[0]).verifier).fault
    )
    ledger.close()
