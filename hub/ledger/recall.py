"""What the ledger remembers of messages, of the catalogue, and in numbers."""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from sqlalchemy import Connection, Select, bindparam, func, select

from hub.ledger.about import rows_about
from hub.ledger.beside import UNDECIDED
from hub.ledger.leaf import moment
from hub.ledger.model import Commitment, FlowCount, Kind, Known
from hub.ledger.months import Month, all_months, destructions, given_in_kept
from hub.ledger.numbers import MessageRef, find_refs
from hub.ledger.tables import cases, entries, terms
from hub.message import UNENCODABLE, MessageKey

DYING = frozenset({Kind.DEAD_LETTER, Kind.EXPIRY})
"""What is entered when a message, or a copy of it, goes no further."""
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._:@-]")
_SENDERS_KEPT = 256


def plain_key(key: MessageKey) -> MessageKey:
    """Give the key as the ledger keeps it: a broker's user may have any name."""
    sender = _plain_sender(key.sender)
    return key if sender == key.sender else MessageKey(sender, key.id)


@lru_cache(maxsize=_SENDERS_KEPT)
def _plain_sender(sender: str) -> str:
    return _NOT_PLAIN.sub("?", sender)


class Recalled(NamedTuple):
    """What is recorded of messages, the numbers under which they are, and which are absent.

    The numbers that were given in months that are destroyed are left out: retention may take
    their rows away, so nobody is to remember them. ``destructions`` is as in ``hub.ledger.months``.
    """

    known: dict[MessageKey, Known]
    numbers: dict[MessageRef, int]
    destructions: int
    absent: frozenset[MessageKey]


def recall(connection: Connection, keys: Collection[MessageKey]) -> Recalled:
    """Tell what is recorded of messages."""
    asked: defaultdict[MessageKey, list[MessageKey]] = defaultdict(list)
    for key in keys:
        asked[plain_key(key)].append(key)
    refs = find_refs(connection, asked)
    months = all_months(connection) if refs else []
    found: defaultdict[MessageKey, Known] = defaultdict(Known)
    for row in map(_Row._make, rows_about(connection, months, sorted(refs), _about_query)):
        ref = refs[row.message]
        known = found[ref.key]
        known.resident = known.resident or ref.resident
        _learn(known, row)
    lasting = {ref: number for number, ref in refs.items() if given_in_kept(months, number)}
    absent = asked.keys() - {ref.key for ref in refs.values()}
    return Recalled(
        {key: known for plain, known in found.items() for key in asked[plain]},
        lasting,
        destructions(months),
        frozenset(absent),
    )


class _Row(NamedTuple):
    message: int
    seq: int
    at: int
    digest: str
    salt: bytes | None
    kind: str
    flow: str
    receiver: str
    code: str


@cache
def _about_query(month: Month) -> Select[tuple[int, int, str, bytes, str, str, str, str]]:
    entry = entries(month.month).c
    return (
        select(
            entry.message_no,
            entry.seq,
            entry.at,
            entry.digest,
            entry.salt,
            terms.c.kind,
            terms.c.flow,
            terms.c.receiver,
            terms.c.code,
        )
        .join(cases, cases.c.id == entry.case_id)
        .join(terms, terms.c.id == cases.c.terms_id)
        .where(entry.message_no.in_(bindparam("numbers", expanding=True)))
        .order_by(entry.seq)
    )


def _learn(known: Known, row: _Row) -> None:
    pair = (row.flow, row.receiver)
    commitment = Commitment(row.digest, bytes(row.salt or b""))
    kind = Kind(row.kind)
    if kind is Kind.ACCEPTANCE:
        known.accepted_as = commitment
        known.accepted_at = moment(row.at)
        known.accepted.add(pair)
    elif kind is Kind.RECEIPT:
        known.receipted.add(pair)
        if row.code == UNENCODABLE:
            known.lacking.add(pair)
    elif kind is Kind.HOLD:
        known.held_as, known.held_code = commitment, row.code
        known.held.add(pair)
    elif kind is Kind.RELEASE:
        _learn_release(known, row.code, pair)
    elif kind in DYING or kind is Kind.REPLAY:
        _learn_death(known, row, commitment)
    elif kind is Kind.DELIVERY or (kind is Kind.REFUSAL and row.receiver):
        known.settled.add(pair)
        if kind is Kind.DELIVERY:
            known.delivered.add(pair)
            known.delivered_by[pair] = row.seq
    elif kind in {Kind.REFUSAL, Kind.OUT_OF_SCOPE}:
        _learn_refusal(known, row, commitment)


def _learn_refusal(known: Known, row: _Row, commitment: Commitment) -> None:
    """Learn that a body did not move: it was refused whole, or a flow is not about the person."""
    known.decided[commitment] = row.code
    if row.receiver:
        known.outside.add((row.flow, row.receiver))


def _learn_release(known: Known, code: str, pair: tuple[str, str]) -> None:
    if code in UNDECIDED:
        return
    if code:
        known.held_code = code
        known.held.discard(pair)
    else:
        known.receipted.discard(pair)


def _learn_death(known: Known, row: _Row, commitment: Commitment) -> None:
    """Learn of a dead letter, or of what was decided about it; without a receiver it is no copy."""
    pair = (row.flow, row.receiver)
    is_dead = Kind(row.kind) in DYING
    if not is_dead and row.code in UNDECIDED:
        return
    if not row.receiver:
        known.dead_as = commitment if is_dead else None
    elif is_dead:
        known.settled.add(pair)
        known.dead.add(pair)
    else:
        known.dead.discard(pair)


def case_numbers(connection: Connection, kind: Kind, *codes: str) -> list[int]:
    """Give the numbers of the cases of a kind with one of these codes, which entries refer to.

    They stay where the entries themselves are destroyed by now.
    """
    of_terms = (terms.c.kind == kind.value, terms.c.code.in_(codes))
    query = select(cases.c.id).join(terms, terms.c.id == cases.c.terms_id).where(*of_terms)
    return list(connection.execute(query.order_by(cases.c.id)).scalars())


def catalogue_in_force(connection: Connection) -> str:
    """Give the digest of the catalogue last recorded as in force; empty when none is."""
    numbers = case_numbers(connection, Kind.CATALOGUE_CHANGE, "")
    for month in reversed(all_months(connection)) if numbers else ():
        if month.destroyed:
            continue
        entry = entries(month.month).c
        newest = (
            select(entry.digest)
            .where(entry.case_id.in_(numbers))
            .order_by(entry.seq.desc())
            .limit(1)
        )
        digest = connection.execute(newest).scalar_one_or_none()
        if digest is not None:
            return str(digest)
    return ""


def count_entries(connection: Connection) -> list[FlowCount]:
    """Count the entries that are there by sender, type, flow, receiver, kind and code."""
    by_case = _count_cases(connection)
    words = (terms.c[name] for name in ("sender", "message_type", "flow", "receiver"))
    query = select(cases.c.id, *words, terms.c.kind, terms.c.code).join(
        terms, terms.c.id == cases.c.terms_id
    )
    found: defaultdict[tuple[str, ...], int] = defaultdict(int)
    for number, *said in connection.execute(query):
        if number in by_case:
            found[tuple(said)] += by_case[number]
    return [
        FlowCount(sender, message_type, flow, receiver, Kind(kind), code, count)
        for (sender, message_type, flow, receiver, kind, code), count in sorted(found.items())
    ]


def _count_cases(connection: Connection) -> Mapping[int, int]:
    numbers: defaultdict[int, int] = defaultdict(int)
    for month in all_months(connection):
        if month.destroyed:
            continue
        case = entries(month.month).c.case_id
        for number, count in connection.execute(select(case, func.count()).group_by(case)):
            numbers[number] += count
    return numbers
