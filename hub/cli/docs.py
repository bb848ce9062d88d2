"""``renkei docs``."""

import importlib.metadata
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.options import MaybeSiteOption, catalogue_of
from hub.errors import QuestionError, RenkeiError

DEFAULT_FOLDER = Path("docs/catalogue")
PAGES = "systems"
"""The folder, beside that of the catalogue, of the pages about the systems."""
OPERATIONS, METRICS, ALERTS = "operations", "metrics.md", "alerts"
CONSOLE = "console.md"
MONITORING = "monitoring"
"""The folder, beside that of the documents, of rules and dashboards."""
_FOR_ALL = 0o022
"""The umask: documents are for everybody, unlike all else that the hub writes."""


def docs(
    *,
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = DEFAULT_FOLDER,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; say which files are out of date.")
    ] = False,
    site: MaybeSiteOption = None,
) -> None:
    """Write the flow catalogue, its picture, an AsyncAPI document and JSON Schemas.

    The same catalogue always gives the same files; without --site it is the document's. No
    file is deleted. The tables of wire layouts in the pages of the folder `systems` beside it
    are written anew, each between `<!-- layout: ID -->` and `<!-- end -->`; so is the table of
    metrics in `operations/metrics.md`, that of pages in `operations/console.md`, the rule on each
    alert's page, and what is made from code in the project's folder `monitoring`: alert rules and
    dashboards. Exit status of --check: 0 all is up to date; 1 some files are not, and they are
    named.
    """
    from hub.catalogue.documents import documents  # noqa: PLC0415 - see hub.cli.main

    texts = documents(catalogue_of(site), importlib.metadata.version("renkei-hub"))
    beside = {out.with_name(PAGES): _pages(out.with_name(PAGES)), **_operations(out)}
    if check:
        stale = [*_stale(out, texts)]
        for folder, files in beside.items():
            stale += _differing(folder, files)
        for line in stale:
            typer.echo(line)
        if stale:
            typer.echo("run 'renkei docs' and commit what it writes", err=True)
        raise typer.Exit(1 if stale else 0)
    before = os.umask(_FOR_ALL)
    try:
        written = _write(out, texts)
        filled = sum(_write(folder, files) for folder, files in beside.items())
    except OSError as error:
        message = f"{out} cannot be written: {error.strerror or error}"
        raise RenkeiError(message) from error
    finally:
        os.umask(before)
    typer.echo(f"{written} of {len(texts)} files in {out} were out of date and are written")
    if filled:
        typer.echo(f"{filled} of {sum(map(len, beside.values()))} files beside it were, too")
    for name in _surplus(out, texts):
        typer.echo(f"not of this catalogue: {out / name}", err=True)


def _pages(folder: Path) -> dict[str, str]:
    """Give every page that has a place for a layout's table, with the tables as they must be."""
    from hub.catalogue.layouts import filled, layouts_of  # noqa: PLC0415 - see hub.cli.main
    from schemas.layout import layout_ids, load_layout  # noqa: PLC0415

    known, pages = set(layout_ids()), {}
    for path in sorted(folder.glob("*.md")):
        page = _read(path)
        if page is None or not (named := layouts_of(page)):
            continue
        unknown = sorted(set(named) - known)
        if unknown:
            raise QuestionError(f"{path} names a layout that there is not: {', '.join(unknown)}")
        pages[path.name] = filled(page, load_layout)
    return pages


def _operations(out: Path) -> dict[Path, dict[str, str]]:
    """Give what stands beside about metrics and alerts, by folder, where there is such a folder."""
    from monitoring.console import listed  # noqa: PLC0415 - see hub.cli.main
    from monitoring.console.app import every_page  # noqa: PLC0415
    from monitoring.declared import filled  # noqa: PLC0415
    from monitoring.rules import pages  # noqa: PLC0415
    from monitoring.rules.alerts import GROUPS, alerts  # noqa: PLC0415
    from monitoring.rules.write import files  # noqa: PLC0415

    found: dict[Path, dict[str, str]] = {}
    folder = out.with_name(OPERATIONS)
    if (text := _read(folder / METRICS)) is not None:
        found[folder] = {METRICS: filled(text)}
    if (text := _read(folder / CONSOLE)) is not None:
        found.setdefault(folder, {})[CONSOLE] = listed.filled(text, every_page())
    runbooks = folder / ALERTS
    if (text := _read(runbooks / pages.INDEX)) is not None:
        found[runbooks] = {pages.INDEX: pages.index(text, alerts())} | {
            name: pages.page(_read(runbooks / name) or "", alert)
            for alert in alerts()
            for name in [f"{alert.name}.md"]
        }
    made = out.parent.parent / MONITORING
    if made.is_dir():  # of the project: only its environment has what writes dashboards
        from monitoring.dashboards import write as dashboards  # noqa: PLC0415

        found[made / "prometheus"] = files(GROUPS)
        found[made / "dashboards"] = dashboards.files()
    return found


def _write(folder: Path, texts: Mapping[str, str]) -> int:
    written = 0
    for name, text in texts.items():
        path = folder / name
        if _read(path) != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            written += 1
    return written


def _stale(folder: Path, texts: Mapping[str, str]) -> Iterator[str]:
    for name, text in texts.items():
        path = folder / name
        found = _read(path)
        if found != text:
            yield f"{'missing' if found is None else 'differs'}: {path}"
    yield from (f"not of this catalogue: {folder / name}" for name in _surplus(folder, texts))


def _differing(folder: Path, texts: Mapping[str, str]) -> Iterator[str]:
    return (
        f"differs: {folder / name}" for name, text in texts.items() if _read(folder / name) != text
    )


def _surplus(folder: Path, texts: Mapping[str, str]) -> list[str]:
    there = (path for path in folder.rglob("*") if path.is_file())
    return sorted({path.relative_to(folder).as_posix() for path in there} - texts.keys())


def _read(path: Path) -> str | None:
    """Give a file's text; nothing where there is none, or none that could be right."""
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
