"""A connected system, or whoever has its drive: files that are made to harm their reader."""

import hashlib
import io
import json
import select
import socket
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.edge.archives.packing import package, receipt, wrapper
from hub.edge.archives.zipping import zipped
from mappings.e_application import LAYOUT
from schemas.layout import load_layout
from tests.attack.conftest import Report
from tests.attack.results import Party
from tests.attack.victim import Victim

pytestmark = pytest.mark.attack

SET_ASIDE = "renkei_adapter_files_set_aside_total"
IGNORED = "renkei_adapter_files_ignored"
ANSWER = b'<?xml version="1.0" encoding="UTF-8"?>%b<InquiryResult>%b</InquiryResult>'
XXE = b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
LAUGHS = b'<!DOCTYPE a [<!ENTITY a "ha">%b]>' % b"".join(
    b'<!ENTITY %b "%b">' % (name, b"&%b;" % of * 10)
    for name, of in zip(b"b c d e f g h i j".split(), b"a b c d e f g h i".split(), strict=True)
)
PDF = b"%PDF-1.4\n%%EOF\n"


def archive(parts: dict[str, bytes]) -> bytes:
    return b"".join(zipped(((name, [part]) for name, part in parts.items()), zipfile.ZIP_DEFLATED))


def application(**changed: bytes) -> bytes:
    """Make an application's package, with other parts in it, in its wrapper."""
    layout = load_layout(LAYOUT)
    values = dict.fromkeys((column.field for column in layout.columns), "")
    values |= {"receipt_number": "R1", "filed_at": "2026-04-01T09:30:00+09:00"}
    with zipfile.ZipFile(io.BytesIO(package(layout, values, [("a.pdf", PDF)]))) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    content = archive(parts | changed)
    said = receipt(layout, "R1", "1", hashlib.sha256(content).hexdigest())
    return b"".join(wrapper(said, [content]))


def workbook(sheet: bytes) -> bytes:
    return archive({"[Content_Types].xml": sheet, "_rels/.rels": sheet})


def line(length: int) -> bytes:
    return b"H," + b"x" * length + b"\r\n"


FILES: dict[str, tuple[str, str, Callable[[], bytes], str]] = {
    "XXE in XML": ("intermediate-server", "SKI_RESULT_1.xml", lambda: ANSWER % (XXE, b"&e;"), "f"),
    "entity bomb in XML": (
        "intermediate-server",
        "SKI_RESULT_2.xml",
        lambda: ANSWER % (LAUGHS, b"&j;"),
        "forbidden",
    ),
    "deeply nested XML": (
        "intermediate-server",
        "SKI_RESULT_3.xml",
        lambda: ANSWER % (b"", b"<a>" * 20_000 + b"</a>" * 20_000),
        "structure",
    ),
    "oversized XML": (
        "intermediate-server",
        "SKI_RESULT_4.xml",
        lambda: ANSWER % (b"", b"a" * 400_000),
        "too-large",
    ),
    "XXE inside a ZIP": (
        "e-application",
        "SHINSEI_1.zip",
        lambda: application(**{"application.xml": ANSWER % (XXE, b"&e;")}),
        "forbidden",
    ),
    "ZIP bomb": (
        "e-application",
        "SHINSEI_2.zip",
        lambda: application(**{"b.pdf": PDF + bytes(8 << 20)}),
        "compression",
    ),
    "traversal by a part's name": (
        "e-application",
        "SHINSEI_3.zip",
        lambda: application(**{"../../b.pdf": PDF}),
        "part-name",
    ),
    "archive inside an archive": (
        "e-application",
        "SHINSEI_4.zip",
        lambda: application(**{"b.zip": archive({"a": b"a"})}),
        "part-kind",
    ),
    "program as an attachment": (
        "e-application",
        "SHINSEI_5.zip",
        lambda: application(**{"b.pdf": b"MZ\x90"}),
        "part-kind",
    ),
    "thousands of parts": (
        "e-application",
        "SHINSEI_6.zip",
        lambda: application(**{f"{number}.pdf": PDF for number in range(3000)}),
        "part-count",
    ),
    "XXE in a workbook": (
        "deposit-inquiry",
        "KAITOU_1.xlsx",
        lambda: workbook(b'<?xml version="1.0"?>' + XXE + b"<a>&e;</a>"),
        "forbidden",
    ),
    "ZIP bomb as a workbook": (
        "deposit-inquiry",
        "KAITOU_2.xlsx",
        lambda: workbook(bytes(30 << 20)),
        "compression",
    ),
    "endless line": (
        "resident-registry",
        "JUKI_20260401000001_delta.csv",
        lambda: line(200_000),
        "line-too-long",
    ),
    "bytes that are no text": (
        "resident-registry",
        "JUKI_20260401000002_delta.csv",
        lambda: b"H,\x80\xff\x00\r\n",
        "encoding",
    ),
}
FILES["XXE in XML"] = (*FILES["XXE in XML"][:3], "forbidden")


@pytest.mark.parametrize("kind", FILES)
def test_file(victim: Victim, report: Report, kind: str) -> None:
    system, name, make, code = FILES[kind]
    content = make()
    rises = victim.watch(SET_ASIDE, system=system, code=code)
    dropped = victim.drop(system, name, content)
    aside = victim.drive(system) / "set-aside"
    note = aside / f"{name}.reason.json"
    victim.until(note.exists, f"note about {name}")
    said = json.loads(note.read_text(encoding="utf-8"))
    assert said["code"] == code
    victim.until(lambda: not dropped.exists(), "file that was put aside")
    assert (aside / name).read_bytes() == content
    report(
        Party.SYSTEM,
        f"file: {kind}",
        f"`{name}`, {len(content):,} bytes",
        refused=f"set aside: {code}",
        recorded="`set-aside/…reason.json`, log",
        alerted=rises(),
    )


def test_nothing_is_fetched(victim: Victim, report: Report) -> None:
    """A document type that stands on another machine: nobody asks there."""
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        url = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/a.dtd".encode()
        doctype = b'<!DOCTYPE a SYSTEM "%b" [<!ENTITY %% x SYSTEM "%b"> %%x;]>' % (url, url)
        rises = victim.watch(SET_ASIDE, system="intermediate-server", code="forbidden")
        victim.drop("intermediate-server", "FGU_RESULT_1.xml", ANSWER % (doctype, b""))
        alerted = rises()
        assert not select.select([elsewhere], [], [], 0)[0]
    report(
        Party.SYSTEM,
        "file: XML that fetches from elsewhere",
        "a document type and a parameter entity by http",
        refused="set aside: forbidden; nobody connects",
        recorded="`set-aside/…reason.json`, log",
        alerted=alerted,
    )


def ignored(victim: Victim, system: str, count: int) -> None:
    """Wait until so many names in a system's folder are known to be nobody's."""
    victim.until(lambda: victim.metric(IGNORED, system=system) == count, f"{count} names ignored")


@pytest.mark.parametrize("target", ["/etc/passwd", "secrets/hub"])
def test_link(victim: Victim, report: Report, target: str) -> None:
    """A link in place of a file, to what only the adapter's account may read."""
    system, name = "resident-registry", f"JUKI_2026040100001{len(target)}_delta.csv"
    ignored(victim, system, 0)
    path = victim.drive(system) / "to-hub" / name
    path.symlink_to(Path(target) if target[0] == "/" else victim.ground.state.root / target)
    ignored(victim, system, 1)
    assert path.is_symlink()
    log = victim.ground.state.logs / f"adapter-{system}.log"
    assert f"{name!a} in to-hub is ignored: it is a link" in log.read_text(encoding="utf-8")
    path.unlink()
    report(
        Party.SYSTEM,
        f"link to {target}",
        f"`{name}` is a symbolic link",
        refused="never opened",
        recorded="log: it is a link, a folder or no file",
        alerted=f'`{IGNORED}{{system="{system}"}}`',
    )


def test_names(victim: Victim, report: Report) -> None:
    """Names that would forge a line of a log, or colour a terminal."""
    system = "resident-registry"
    log = victim.ground.state.logs / f"adapter-{system}.log"
    folder = victim.drive(system) / "to-hub"
    names = [
        "JUKI_\x1b[2J_forged.csv",
        "JUKI_\n2026-11-28 00:00:00,000 INFO forged: all is well.csv",
    ]
    ignored(victim, system, 0)
    for name in names:
        (folder / name).write_bytes(b"\xff")
    ignored(victim, system, len(names))
    for name in names:
        (folder / name).unlink()
    text = log.read_text(encoding="utf-8")
    assert "\x1b" not in text
    assert not any(line.startswith("2026-11-28 00:00:00,000") for line in text.splitlines())
    assert r"\x1b[2J" in text
    report(
        Party.SYSTEM,
        "file names with control characters",
        "a line feed and an escape sequence in names",
        refused="never opened",
        recorded="log: escaped, on one line",
        alerted=f'`{IGNORED}{{system="{system}"}}`',
    )
