"""Japanese names for what a disclosure shows, from where the project has them already.

Fields are named as the columns of the layouts are (``schemas/layouts/*.toml``), systems and
flows as the catalogue names them. Fields of several parts are several columns there, and have
their names here. What has no Japanese name keeps its id alone.
"""

from collections.abc import Iterable, Mapping
from functools import cache

from hub.disclosure.model import Named
from hub.statute.model import Catalogue
from schemas.layout import Layout, layout_ids, load_layout

_OF_PARTS = {
    "account": "口座",
    "accounts": "預貯金口座",
    "answers": "申請書の記入内容",
    "attachments": "添付書類",
    "banks": "照会先の金融機関",
    "certificate": "被保険者証等",
    "eligibility": "被保険者資格",
    "instalments": "期割",
    "items": "特定個人情報の項目",
}


def named_field(name: str) -> Named:
    """Name a field of a canonical message.

    >>> named_field("household_number")
    Named(id='household_number', name='世帯番号')
    """
    return Named(name, _columns().get(name) or _OF_PARTS.get(name, ""))


def named_fields(names: Iterable[str]) -> tuple[Named, ...]:
    """Name fields, in the order given."""
    return tuple(named_field(name) for name in names)


def named_system(catalogue: Catalogue, system: str) -> Named:
    """Name a system; one that the catalogue does not list keeps its id."""
    known = catalogue.systems.get(system)
    return Named(system, known.name_ja if known else "")


def named_flow(catalogue: Catalogue, ref: str) -> Named:
    """Name a flow by its title; one that the catalogue does not list keeps its reference."""
    known = catalogue.flow(ref)
    return Named(ref, known.title_ja if known else "")


@cache
def _columns() -> Mapping[str, str]:
    """Give the column names of all layouts by field; the first layout by id wins."""
    names: dict[str, str] = {}
    for layout in all_layouts():
        for column in layout.columns:
            names.setdefault(column.field, column.name)
    return names


@cache
def all_layouts() -> tuple[Layout, ...]:
    """Give all layouts by id."""
    return tuple(map(load_layout, layout_ids()))
