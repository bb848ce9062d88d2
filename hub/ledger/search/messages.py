"""The entries about messages: those of a resident, or of a message's id."""

from collections.abc import Collection, Iterator, Sequence
from itertools import product

from sqlalchemy import Connection, select

from hub.ledger.chunks import chunks
from hub.ledger.head import read
from hub.ledger.months import Month
from hub.ledger.numbers import find_refs
from hub.ledger.reading import driver_rows
from hub.ledger.search.cases import Condition
from hub.ledger.search.times import TOGETHER, Times
from hub.ledger.tables import RESIDENTS_TOGETHER, terms

_MESSAGES_A_QUERY = 2000
_RUNS_A_QUERY = 2000


def message_numbers(
    connection: Connection, residents: Collection[str], message: str, sender: str = ""
) -> list[int]:
    """Give the numbers of the messages about a resident, with an id, or both.

    A resident has a pseudonym for each of the site's keys; without any, it is about anybody.
    """
    if not message:
        return [no for no, _ in numbers_about(connection, residents)]
    known = select(terms.c.sender).distinct()
    senders = [sender] if sender else connection.execute(known).scalars().all()
    found = find_refs(connection, ((one, message) for one in senders))
    return [no for no, ref in found.items() if not residents or ref.resident in residents]


def numbers_about(connection: Connection, residents: Collection[str]) -> Iterator[tuple[int, str]]:
    """Give the numbers of the messages about residents, and which one each is about."""
    names = sorted(set(residents) - {""})
    runs = range(read(connection)[0].messages >> RESIDENTS_TOGETHER, -1, -1) if names else ()
    for some, those in product(chunks(runs, _RUNS_A_QUERY), chunks(names)):
        query = (
            f"SELECT no, resident FROM ledger_messages WHERE (no >> {RESIDENTS_TOGETHER}) IN "  # noqa: S608 - numbers
            f"({', '.join(map(str, some))}) AND resident != '' AND resident IN "
            f"({', '.join('?' * len(those))})"
        )
        yield from driver_rows(connection, query, *those)


def about_messages(  # noqa: PLR0913, PLR0917 - what is asked
    connection: Connection,
    months: Sequence[Month],
    messages: Sequence[int],
    condition: Condition,
    times: Times,
    last: int,
    most: int,
) -> list[int]:
    """Give the numbers of the entries about messages up to a number, the newest first.

    ``months`` are those that may have them, the newest first.
    """
    found: list[int] = []
    for some in chunks(months, TOGETHER):
        page: list[int] = []
        for numbers in chunks(messages, _MESSAGES_A_QUERY):
            among = f"message_no IN ({', '.join(map(str, numbers))}) AND seq <= {last:d}"
            about = " UNION ALL ".join(
                f"SELECT seq, case_id FROM {month.table} WHERE {among}{times.sql()}"  # noqa: S608 - ours
                for month in some
            )
            # Materialized, so that the messages are looked up and not the numbers counted down.
            query = (
                f"WITH about AS MATERIALIZED ({about}) "  # noqa: S608 - ours
                f"SELECT x.seq FROM about x WHERE {condition.holds('x.case_id')} "
                f"ORDER BY x.seq DESC LIMIT {most:d}"
            )
            page += (number for (number,) in driver_rows(connection, query, *condition.values))
        found += sorted(page, reverse=True)
        if len(found) >= most:
            break
    return found[:most]
