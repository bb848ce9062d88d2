"""The catalogue as a page of Markdown, in Japanese or English."""

from collections.abc import Iterable, Iterator, Sequence

from hub.catalogue.view import (
    STATES,
    FlowView,
    Language,
    View,
    lasting,
    note,
    system_name,
    title,
    told,
    way,
)
from hub.statute.model import NOT_SAID, Basis, Flow, Grant, Lacking
from hub.statute.reasons import Sentence

_W = {
    "heading": Sentence("The statutory flows", "法定の流れ"),
    "day": Sentence(
        "The states are those of {day}. What no flow permits is refused.",
        "状態は{day}現在。目録にない送付はすべて拒否する。",
    ),
    "source": Sentence(
        "Source: specific personal information protection assessment no. 17; each flow names its "
        "section there.",
        "出典: 特定個人情報保護評価書（評価書番号17）。節は流れごとに示す。",
    ),
    "hub": Sentence(
        "The hub itself is no row of the assessment. To run one over 特定個人情報 the assessment "
        "has to be revised first; this page lists what the revision has to describe.",
        "この連携基盤自体は評価書に記載がない。特定個人情報を扱って運用するには、先に評価書の再実施が"
        "必要であり、この一覧はその記載事項の資料となる。",
    ),
    "alt": Sentence("Systems and flows", "システムと流れ"),
    "flows": Sentence("Flows", "流れの一覧"),
    "systems": Sentence("Systems", "システムの一覧"),
    "details": Sentence("Each flow", "流れごとの詳細"),
    "ref": Sentence("ref", "番号"),
    "state": Sentence("state", "状態"),
    "way": Sentence("from → to", "送付元 → 送付先"),
    "data": Sentence("data", "情報"),
    "type": Sentence("message type", "電文種別"),
    "basis": Sentence("legal basis", "法令上の根拠"),
    "law": Sentence("law", "法令"),
    "article": Sentence("article", "条項"),
    "from": Sentence("valid from", "適用開始日"),
    "to": Sentence("valid through", "適用終了日"),
    "frequency": Sentence("frequency", "時期・頻度"),
    "transport": Sentence("transport", "移転方法"),
    "volume": Sentence("persons", "対象となる本人の数"),
    "purpose": Sentence("purpose", "用途"),
    "whose": Sentence("whose data", "対象となる本人の範囲"),
    "retention": Sentence("record kept (years)", "記録の保存年数"),
    "lasting": Sentence("copies not taken", "受け取られない写し"),
    "section": Sentence("section", "評価書の節"),
    "note": Sentence("note", "備考"),
    "fields": Sentence("fields for", "送付する項目:"),
    "number": Sentence("with My Number", "個人番号を含む"),
    "marked": Sentence("lacking characters as 〓", "文字コードにない文字は〓"),
    "assumed": Sentence(
        "The source names the data by its subject; these single fields are assumed and the city "
        "confirms them.",
        "原本は情報を主題で示す。個々の項目は仮定であり、市が確認する。",
    ),
    "since": Sentence("since {day}", "{day}から"),
    "id": Sentence("id", "識別子"),
    "name": Sentence("name", "名称"),
    "neighbour": Sentence("neighbour, no flow", "隣接システム、流れなし"),
    "file": Sentence("basis of the whole file", "ファイル全体の根拠"),
}


def flows_table(shown: View, language: Language) -> str:
    """Give one table with a row for each flow."""
    return "\n".join([*_flows(shown, language, linked=False), ""])


def page(shown: View, language: Language, picture: str) -> str:
    """Give the whole page: picture, table, each flow, systems; ``picture`` is its address."""
    return "\n".join(
        [
            f"# {_word('heading', language)}",
            "",
            _word("day", language).format(day=shown.day),
            _word("source", language),
            "",
            _word("hub", language),
            "",
            f"![{_word('alt', language)}]({picture})",
            "",
            f"## {_word('flows', language)}",
            "",
            *_flows(shown, language, linked=True),
            "",
            f"## {_word('details', language)}",
            "",
            *(line for one in shown.flows for line in _detail(shown, one, language)),
            f"## {_word('systems', language)}",
            "",
            *_systems(shown, language),
            "",
        ]
    )


def _word(key: str, language: Language) -> str:
    return told(_W[key], language)


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for row in (headers, ["---"] * len(headers), *rows):
        yield f"| {' | '.join(row)} |"


def _cell(text: str) -> str:
    """Give a text as it may stand in a cell."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _flows(shown: View, language: Language, *, linked: bool) -> Iterator[str]:
    keys = ("ref", "state", "way", "data", "type", "basis", "frequency", "transport", "section")
    rows = [
        [
            f"[{one.flow.ref}](#{one.flow.ref.lower()})" if linked else one.flow.ref,
            told(STATES[one.answer.state], language),
            _cell(way(shown.catalogue, one.flow, language)),
            _cell(title(one.flow, language)),
            f"`{one.flow.message_type}`" if one.flow.message_type else NOT_SAID,
            _cell(_basis_now(shown, one.flow, language)),
            _cell(one.flow.frequency),
            _cell(one.flow.transport),
            _cell(one.flow.section),
        ]
        for one in shown.flows
    ]
    return _table([_word(key, language) for key in keys], rows)


def _basis_now(shown: View, flow: Flow, language: Language) -> str:
    basis = flow.basis_on(shown.day)
    if basis is None:
        return NOT_SAID
    return f"{basis}{_level(flow, language)}"


def _level(flow: Flow, language: Language) -> str:
    if flow.basis_level == "flow":
        return ""
    text = _word("file", language)
    return f"（{text}）" if language == "ja" else f" ({text})"


def _detail(shown: View, one: FlowView, language: Language) -> Iterator[str]:
    flow = one.flow
    yield f'### <a id="{flow.ref.lower()}"></a>{flow.ref} {_cell(title(flow, language))}'
    yield ""
    yield _cell(told(one.answer.reason, language))
    yield ""
    facts = [
        ("way", way(shown.catalogue, flow, language)),
        ("type", f"`{flow.message_type}`" if flow.message_type else NOT_SAID),
        ("purpose", flow.purpose),
        ("whose", f"{flow.whose.text} (`{flow.whose.rule}`)"),
        ("frequency", flow.frequency),
        ("transport", flow.transport),
        ("volume", flow.volume),
        ("retention", str(flow.retention_years)),
        ("lasting", told(lasting(flow), language)),
        ("section", flow.section),
        ("note", note(flow, language)),
    ]
    for key, text in facts:
        if text:
            yield f"- {_word(key, language)}: {_cell(text)}"
    yield ""
    yield from _basis(flow, language)
    yield from _fields(shown, flow, language)


def _basis(flow: Flow, language: Language) -> Iterator[str]:
    if not flow.basis:
        return
    if flow.basis_level == "file":
        yield f"{_word('file', language)}:"
        yield ""
    keys = ("law", "article", "from", "to")
    yield from _table([_word(key, language) for key in keys], map(_basis_row, flow.basis))
    yield ""


def _basis_row(basis: Basis) -> list[str]:
    until = str(basis.valid_to) if basis.valid_to else ""
    return [_cell(basis.law), _cell(basis.article), str(basis.valid_from), until]


def _fields(shown: View, flow: Flow, language: Language) -> Iterator[str]:
    granted = [
        (leg.sender, receiver, grant)
        for leg in flow.legs
        for receiver, grant in leg.receivers.items()
        if grant.fields
    ]
    for sender, receiver, grant in granted:
        name = system_name(shown.catalogue, receiver, language)
        if len(flow.legs) > 1:
            name = f"{system_name(shown.catalogue, sender, language)} → {name}"
        number = f" ({_word('number', language)})" if grant.my_number else ""
        if grant.unencodable is Lacking.MARK:
            number += f" ({_word('marked', language)})"
        listed = ", ".join(_field(one, grant, language) for one in grant.fields)
        yield f"{_word('fields', language)} **{name}**{number}: {listed}"
        yield ""
    if granted and flow.fields_assumed:
        yield _word("assumed", language)
        yield ""


def _field(name: str, grant: Grant, language: Language) -> str:
    since = grant.since.get(name)
    return f"`{name}`" + (f" ({_word('since', language).format(day=since)})" if since else "")


def _systems(shown: View, language: Language) -> Iterator[str]:
    rows = [
        [
            f"`{system.id}`",
            _cell(system_name(shown.catalogue, system.id, language)),
            _cell(system.section),
            _word("neighbour", language) if system.neighbour else "",
        ]
        for system in shown.catalogue.systems.values()
    ]
    headers = [_word(key, language) for key in ("id", "name", "section")]
    return _table([*headers, ""], rows)
