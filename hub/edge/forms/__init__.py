"""The forms of files: one module each, chosen by the ``form`` that a layout names.

A form's module is imported when a layout needs it: some need large libraries, and an adapter is a
process of its own.
"""

import importlib
from collections.abc import Callable, Mapping
from functools import cache

from hub.edge.form import Form
from schemas.layout import FormName, Layout, load_layout

_CLASSES: Mapping[FormName, str] = {
    FormName.FIXED: "Fixed",
    FormName.FRAMED: "Framed",
    FormName.PACKAGE: "Package",
    FormName.PLAIN: "Plain",
    FormName.SHEET: "Sheet",
    FormName.XML: "Xml",
}
"""The class of each form, in the module of its name."""


@cache
def form_of(layout_id: str) -> Form:
    """Give the form of the layout ``schemas/layouts/<id>.toml``.

    Raises:
        FileNotFoundError: there is no such layout.
        pydantic.ValidationError: the layout's file is wrong.
    """
    layout = load_layout(layout_id)
    module = importlib.import_module(f"{__name__}.{layout.form}")
    make: Callable[[Layout], Form] = getattr(module, _CLASSES[layout.form])
    return make(layout)
