"""What a layout says of an XML document: its root, its schema, and where its time stands."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

ElementName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$")]
ElementPath = Annotated[
    str,
    StringConstraints(
        pattern=r"^([A-Za-z_][A-Za-z0-9_.-]{0,63}(/[A-Za-z_][A-Za-z0-9_.-]{0,63}){0,7})?$"
    ),
]
"""Names of elements below the root, joined by ``/``; empty for a column of another form."""


class XmlPlan(BaseModel):
    """A document with the element ``root`` and elements of one ``namespace`` alone.

    ``schema_file`` is in ``schemas/xsd/``; ``created_at`` is the field of the column that says
    when the document was made.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    root: ElementName
    namespace: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9+.-]*:[!-~]{1,200}$")]
    schema_file: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]*\.xsd$")]
    created_at: str
