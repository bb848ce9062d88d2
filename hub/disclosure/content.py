"""What a report says, in the order it says it, for any kind of page.

HTML and PDF both draw these blocks, so that they cannot tell different facts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hub.disclosure import words
from hub.disclosure.grouping import Group, Kind, grouped, kind_of, kinds_of, numbered_kinds
from hub.disclosure.model import Disclosure, Named, Outcome, Row, View


class Code(str):
    """A name that is shown as code is: it has no Japanese one."""

    __slots__ = ()


Text = tuple[str, ...]
"""Pieces of a text, of which some are ``Code``; ``\\n`` breaks a line."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 2 or 3."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """A table of names and what they stand for."""

    caption: str
    rows: tuple[tuple[str, Text], ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, and its share of the width in percent."""

    head: str
    share: int


@dataclass(frozen=True, slots=True)
class Grid:
    """A table whose head is repeated on every page; the first cell of a row names it."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Text, ...], ...]


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A text for machines, shown line by line as it is."""

    text: str


Block = Heading | Paragraph | Bullets | Pairs | Grid | Verbatim


_COLUMNS = (
    Column("記録番号", 10),
    Column("受付", 18),
    Column("提供", 18),
    Column("受領", 18),
    Column("種類", 6),
    Column("部署と事由", 15),
    Column("結果", 15),
)


_VIEW_COLUMNS = (
    Column("記録番号", 12),
    Column("日時", 22),
    Column("内容", 26),
    Column("部署と事由", 40),
)


def blocks(of: Disclosure) -> Iterator[Block]:
    """Give a whole report, block by block; the title stands above it."""
    yield Paragraph(
        f"この書類は、{of.city}が後期高齢者医療に関する事務で行った、対象者の特定個人情報の提供・移転に"
        "ついて、授受簿に記録している内容をお知らせするものです。"
    )
    yield _basics(of)
    yield Paragraph(words.NAMELESS)
    groups = grouped(of.rows)
    yield Heading("1　まとめ")
    yield from _summary(groups)
    yield Heading("2　提供先ごとの記録")
    if of.destroyed:
        yield Paragraph(words.destroyed(of.destroyed))
    if groups:
        yield Paragraph(words.KINDS)
    else:
        yield Paragraph(words.EMPTY)
    kinds = numbered_kinds(groups)
    for number, group in enumerate(groups, 1):
        yield from _group(of, number, group, kinds)
    yield Heading("3　授受簿を見た履歴")
    yield from _views(of)
    yield Heading("4　用語の説明")
    yield Pairs("用語", tuple((term, (meaning,)) for term, meaning in words.TERMS))
    yield Heading("5　この書類で分かること、分からないこと")
    yield Paragraph("この書類で分かること")
    yield Bullets(words.KNOWN)
    yield Paragraph("この書類では分からないこと")
    yield Bullets(words.UNKNOWN)
    yield Paragraph(words.AS_RECORDED)
    yield Heading("6　お問い合わせ先")
    for contact in of.contacts:
        yield Pairs(
            contact.about,
            (("窓口", (contact.place,)), ("方法", (contact.how,)), ("出典", (contact.source,))),
        )
    yield Heading("付録　記録が書き換えられていないことの確認")
    yield Paragraph(words.PROOF if of.checkpoint else words.NO_PROOF)
    if of.checkpoint:
        yield Verbatim(of.checkpoint)


def _basics(of: Disclosure) -> Pairs:
    return Pairs(
        "基本事項",
        (
            ("対象者", (f"宛名番号 {of.addressee_number}",)),
            ("対象期間", (words.period(of.start, of.end),)),
            ("記載した記録", (f"{len(of.rows):,}件",)),
            ("作成日時", (words.moment(of.made_at),)),
            ("作成者", (f"{of.city} {of.office}\n{of.made_by.department} {of.made_by.staff}",)),
            ("作成時の授受簿", (f"全体で{of.ledger_size:,}件の記録",)),
        ),
    )


def _summary(groups: Sequence[Group]) -> Iterator[Block]:
    if not groups:
        yield Paragraph(words.EMPTY)
        return
    given = sum(_delivered(group) for group in groups)
    places = sum(1 for group in groups if _delivered(group))
    rest = sum(len(group.rows) for group in groups) - given
    first = (
        f"対象期間に、対象者の情報を{places}か所へ、合わせて{given:,}件提供しました。"
        if given
        else "対象期間に提供した情報はありません。"
    )
    second = f"このほか、{words.NOT_DELIVERED}が{rest:,}件あります。" if rest else ""
    yield Paragraph(first + second)
    yield Grid(
        "提供先ごとの件数",
        (Column("提供先", 56), Column("提供した件数", 22), Column("その他の件数", 22)),
        tuple(
            (
                _receiver(group),
                (f"{_delivered(group):,}件",),
                (f"{len(group.rows) - _delivered(group):,}件",),
            )
            for group in groups
        ),
    )


def _delivered(group: Group) -> int:
    return sum(1 for row in group.rows if row.outcome is Outcome.DELIVERED)


def _receiver(group: Group) -> Text:
    if group.receiver is None:
        return ("（提供先が決まる前に拒否したもの）",)
    return _named(group.receiver)


def _group(of: Disclosure, number: int, group: Group, kinds: Mapping[Kind, int]) -> Iterator[Block]:
    yield Heading(f"2-{number}　{''.join(_receiver(group))}", 3)
    for kind, label in kinds_of(group, kinds).items():
        yield _kind_table(kind, label)
    yield Grid(
        f"記録の一覧（{len(group.rows):,}件）",
        _COLUMNS,
        tuple(_cells(of, row, kinds[kind_of(row)]) for row in group.rows),
    )


def _kind_table(kind: Kind, label: int) -> Pairs:
    return Pairs(
        f"種類 {label}",
        (
            ("情報", _flow(kind.flow)),
            ("提供元", _named(kind.sender)),
            ("提供した項目", _fields(kind.released)),
            ("提供しなかった項目", _fields(kind.withheld)),
            ("法令上の根拠", (kind.basis or words.NOT_RECORDED,)),
            ("利用の目的", (kind.purpose or words.NOT_RECORDED,)),
            ("電文種別", _message_type(kind.message_type)),
        ),
    )


def _views(of: Disclosure) -> Iterator[Block]:
    if not of.views:
        yield Paragraph(words.NOT_VIEWED)
        return
    yield Paragraph(words.VIEWED)
    yield Grid(
        f"見た履歴の一覧（{len(of.views):,}件）",
        _VIEW_COLUMNS,
        tuple(_view(of, view) for view in of.views),
    )


def _view(of: Disclosure, view: View) -> tuple[Text, ...]:
    items = words.shown_access(of, view.access)
    known = words.VIEWS.get(view.what)
    return (
        (str(view.entry),),
        (words.stacked_moment(view.at),),
        (known,) if known else (Code(view.what),),
        (_said(("", items.department), ("職員: ", items.staff), ("事由: ", items.reason)),),
    )


def _flow(flow: Named | None) -> Text:
    if flow is None:
        return ("（法定の流れが決まる前に拒否したもの）",)
    return (*_named(flow), f"（参照 {flow.id}）") if flow.name else _named(flow)


def _message_type(of: Named) -> Text:
    return (f"{of.name} ", Code(of.id)) if of.name else (Code(of.id),)


def _named(of: Named) -> Text:
    return (of.name,) if of.name else (Code(of.id),)


def _fields(named: Sequence[Named]) -> Text:
    """List fields; a comma of the list stands outside the names."""
    if not named:
        return (words.NONE,)
    pieces: list[str] = []
    for one in named:
        pieces += [*_named(one), "、"]
    return tuple(pieces[:-1])


def _cells(of: Disclosure, row: Row, kind: int) -> tuple[Text, ...]:
    return (
        (str(row.entry),),
        (words.stacked_moment(row.accepted_at),),
        (words.stacked_moment(row.delivered_at) if row.delivered_at else words.NONE,),
        (words.receipt(row.receipt),),
        (str(kind),),
        _access(of, row),
        _outcome(row),
    )


def _access(of: Disclosure, row: Row) -> Text:
    items = words.access(of, row)
    same = items.operation == row.message_type.id
    return (
        _said(
            ("", items.department),
            ("職員: ", items.staff),
            ("事由: ", items.reason),
            ("内容: ", words.SAME_AS_TYPE if same else items.operation),
        ),
    )


def _said(*items: tuple[str, str]) -> str:
    return "\n".join(label + value for label, value in items if value) or words.NOT_RECORDED


def _outcome(row: Row) -> Text:
    said = words.OUTCOMES[row.outcome]
    if not row.code:
        return (said,)
    reason = words.reason(row)
    return (f"{said}\n{reason}\n" if reason else f"{said}\n", "理由コード: ", Code(row.code))
