"""Whom a number means that somebody typed: a resident by the 宛名番号, nobody by a 個人番号."""

from typing import NamedTuple

from hub.errors import QuestionError
from hub.ledger.model import Pseudonyms
from hub.ledger.search.ask import knows
from hub.ledger.store import DatabaseLedger
from schemas.hidden import holds_my_number
from schemas.numbers import is_addressee_number


class MyNumberGiven(QuestionError):
    """A number looks like a 個人番号, and no entry is about anybody with it as 宛名番号."""


class Whom(NamedTuple):
    """A person's pseudonyms, today's first.

    ``is_doubtful`` says that the number looks like a 個人番号 all the same, as one in eleven
    宛名番号 of twelve digits does.
    """

    residents: tuple[str, ...]
    is_doubtful: bool


def whom(ledger: DatabaseLedger, pseudonyms: Pseudonyms, number: str) -> Whom:
    """Say whom a number means, before anything is recorded about that resident.

    Raises:
        QuestionError: it is no 宛名番号; the text does not quote it.
        MyNumberGiven: it would stand as a pseudonym in the ledger for years.
        LedgerError: the ledger cannot be read.
    """
    if not is_addressee_number(number):
        raise QuestionError("that is no 宛名番号: it is 1 to 15 digits and nothing else")
    residents = pseudonyms.residents(number)
    is_doubtful = holds_my_number(number)
    if is_doubtful and not knows(ledger, residents):
        message = (
            "that looks like a 個人番号, by which nobody is ever searched, and the ledger has no "
            "entry about anybody with it as 宛名番号"
        )
        raise MyNumberGiven(message)
    return Whom(residents, is_doubtful)
