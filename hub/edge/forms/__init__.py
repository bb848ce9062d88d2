"""The forms of files: one module each, chosen by the ``form`` that a layout names."""

from collections.abc import Callable, Mapping
from functools import cache

from hub.edge.form import Form
from hub.edge.forms.fixed import Fixed
from hub.edge.forms.framed import Framed
from hub.edge.forms.package import Package
from hub.edge.forms.plain import Plain
from hub.edge.forms.sheet import Sheet
from hub.edge.forms.xml import Xml
from schemas.layout import FormName, Layout, load_layout

_FORMS: Mapping[FormName, Callable[[Layout], Form]] = {
    FormName.FIXED: Fixed,
    FormName.FRAMED: Framed,
    FormName.PACKAGE: Package,
    FormName.PLAIN: Plain,
    FormName.SHEET: Sheet,
    FormName.XML: Xml,
}


@cache
def form_of(layout_id: str) -> Form:
    """Give the form of the layout ``schemas/layouts/<id>.toml``.

    Raises:
        FileNotFoundError: there is no such layout.
        pydantic.ValidationError: the layout's file is wrong.
    """
    layout = load_layout(layout_id)
    return _FORMS[layout.form](layout)
