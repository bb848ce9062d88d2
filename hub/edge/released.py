"""Takes a copy out of ``set-aside`` again that staff let go although it needs marks."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from hub.edge import files
from hub.edge.aside import Aside, AsideCode
from hub.edge.journal import Taken
from hub.edge.sorting import Release
from hub.message import UNENCODABLE
from hub.ports import Delivery


def recalled(order: Release, known: Taken | None, set_aside: Path) -> Delivery | Taken | Aside:
    """Give the copy that an order releases, as it was delivered.

    ``known`` is what the journal says of it. A copy that was released before is that ``Taken``:
    its receipt is sent again. An order for what is not there is to be set aside.

    Raises:
        EdgeError: the folder cannot be used.
    """
    if known is None:
        return _nothing(order, "no such message was set aside here")
    if known.code != UNENCODABLE:
        return known
    path = set_aside / known.file
    if not files.exists(path):
        return _nothing(order, "the message is not in the folder any more")
    body = _body(path)
    if body is None:
        return _nothing(order, "the message's file was changed and cannot be read")
    return replace(order.delivery, body=body)


def _nothing(order: Release, reason: str) -> Aside:
    return Aside(None, AsideCode.NOTHING_TO_RELEASE, reason, order.delivery)


def _body(path: Path) -> bytes | None:
    with files.mapped("cannot read", path):
        handle = files.open_file(path, os.O_RDONLY)
        with os.fdopen(handle, "rb") as file:
            content = file.read()
    try:
        document: Any = json.loads(content)
        body = document["body"]
    except (ValueError, KeyError, TypeError):
        return None
    return body.encode() if isinstance(body, str) else None
