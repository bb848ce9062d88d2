"""``renkei pki …``: the certificates of a site."""

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.options import SiteOption

if TYPE_CHECKING:
    from cryptography import x509

    from hub.pki.store import Store
    from hub.site import Site

app = typer.Typer(
    help="Certificates: who may connect, and for whom My Number is encrypted "
    "(docs/operations/certificates.md).",
    no_args_is_help=True,
)

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
AuthorityKeyOption = Annotated[
    Path | None,
    typer.Option(
        "--ca-key",
        help="The file of the authority's key; default: ca/ca.key in the folder of [tls]. Kept "
        "elsewhere, such as on a stick, it is on no machine that runs.",
        dir_okay=False,
        show_default=False,
    ),
]
NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="A process, as renkei pki check names it: tax, hub-2.")
]


@app.command("init")
def make_authority(
    site: SiteOption, *, ca_key: AuthorityKeyOption = None, as_json: JsonOption = False
) -> None:
    """Make the site's own authority, and its empty revocation list.

    Example: renkei pki init --site site.toml, then renkei pki issue --all --site site.toml.

    Not needed where a city's own authority signs (renkei pki request). Exit status: 0 made; 1
    there is one already. With --json: {"authority", "key", "until"}.
    """
    store, _ = opened_store(site, ca_key)
    with store.alone():
        store.init(_now())
    made = store.authority().certificate
    name, until = made.subject.rfc4514_string(), made.not_valid_after_utc.isoformat()
    if as_json:
        facts = {"authority": name, "key": str(store.authority_key), "until": until}
        typer.echo(json.dumps(facts, ensure_ascii=False))
        return
    typer.echo(f"made the authority {name}, until {until[:10]}")
    typer.echo(f"its key is {store.authority_key}: keep a copy, and best the only one, elsewhere")
    typer.echo(f"next: renkei pki issue --all --site {site}")


@app.command("issue")
def issue(
    site: SiteOption,
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Processes that get a new certificate."),
    ] = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Make all that the site needs and has not.")
    ] = False,
    ca_key: AuthorityKeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make certificates: --all that are missing, or new ones of processes.

    Example: renkei pki issue tax --site site.toml

    The hub and each system get an encryption key as well. What was there before holds until it
    ends or is revoked, so nothing stops. With --json: {"made"}.
    """
    from hub.pki.rounds import issue_for, issue_missing  # noqa: PLC0415 - see hub.cli.main

    if everything == bool(names):
        raise typer.BadParameter("say NAME, or --all")
    store, settings = opened_store(site, ca_key)
    with store.alone():
        if everything:
            made = issue_missing(store, settings, _now())
        else:
            made = issue_for(store, settings, names or [], _now())
    _say_made(made, as_json=as_json)


@app.command("renew")
def renew(
    site: SiteOption,
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Renew these at once; else what ends within renew_days."),
    ] = None,
    *,
    ca_key: AuthorityKeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make anew what ends soon, and the revocation list; for a timer, once a day.

    Example: renkei pki renew --site site.toml

    Nothing has to be stopped: each new connection is made by the newest certificate. Encryption
    keys whose certificate ended 400 days ago are deleted. With --json: {"made", "deleted"}.
    """
    from hub.pki.rounds import issue_for, renew_due  # noqa: PLC0415 - see hub.cli.main

    store, settings = opened_store(site, ca_key)
    with store.alone():
        made = (
            issue_for(store, settings, names, _now())
            if names
            else renew_due(store, settings, _now())
        )
        deleted = store.forget_old_keys(_now())
    if not as_json:
        typer.echo("the revocation list is new")
        for path in deleted:
            typer.echo(f"deleted: {path}")
    _say_made(made, as_json=as_json, deleted=list(map(str, deleted)))


@app.command("list")
def show_all(site: SiteOption, *, as_json: JsonOption = False) -> None:
    """List all certificates that were ever signed here, the oldest first.

    With --json: a list of {"process", "account", "use", "serial", "from", "until", "revoked"}.
    """
    from hub.cli.tables import print_table  # noqa: PLC0415 - see hub.cli.main
    from hub.pki.rounds import said  # noqa: PLC0415
    from hub.pki.trust import load_trust  # noqa: PLC0415

    store, _ = opened_store(site, None)
    trust = load_trust(store.folder)
    rows = [said(one) | {"revoked": trust.is_revoked(one)} for one in store.issued()]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    heads = ("process", "use", "until", "serial", "")
    texts = [
        (
            str(row["process"]),
            str(row["use"]),
            str(row["until"])[:10],
            str(row["serial"]),
            "revoked" if row["revoked"] else "",
        )
        for row in rows
    ]
    print_table(heads, texts, unwatched=120)


@app.command("check")
def check_all(
    site: SiteOption,
    *,
    here: Annotated[
        bool, typer.Option("--here", help="Leave out what is on other machines.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Find everything wrong with the site's certificates, and what ends soon.

    Whoever signed them: who they are for, by whom, until when, whether revoked, whether the key
    fits and is nobody else's to read, how old the revocation list is. Exit status: 0 nothing is
    wrong; 1 something is, or ends within renew_days. With --json: {"findings", "notes"}; a note,
    as that the authority's key lies here, is no fault.
    """
    from hub.pki.check import check, key_here  # noqa: PLC0415 - see hub.cli.main

    store, settings = opened_store(site, None)
    findings = check(settings, store.folder, _now(), here=here)
    note = key_here(store.folder)
    if as_json:
        rows = [{"name": one.name, "text": one.text} for one in findings]
        notes = [note] if note else []
        typer.echo(json.dumps({"findings": rows, "notes": notes}, ensure_ascii=False))
    elif findings:
        for one in findings:
            typer.echo(f"{one.name}: {one.text}")
    else:
        typer.echo("nothing is wrong")
    if note and not as_json:
        typer.echo(f"note: {note}", err=True)
    if findings:
        raise typer.Exit(1)


@app.command("request")
def request(
    site: SiteOption,
    name: NameArgument,
    *,
    encryption: Annotated[
        bool, typer.Option("--encryption", help="For the encryption key of an account.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a request (PKCS #10) that a city's own authority can sign.

    Example: renkei pki request tax --site site.toml

    The new key waits beside the old one until renkei pki accept. With --json: {"request"}.
    """
    from hub.pki.requests import make_request  # noqa: PLC0415 - see hub.cli.main
    from hub.pki.rounds import profile_of  # noqa: PLC0415

    store, settings = opened_store(site, None)
    with store.alone():
        profile = profile_of(settings, name)
        made = make_request(store.folder, store.site, profile, encryption=encryption)
    if as_json:
        typer.echo(json.dumps({"request": str(made)}, ensure_ascii=False))
        return
    typer.echo(f"made: {made}")
    typer.echo(f"when it is signed: renkei pki accept {name} FILE --site {site}")


@app.command("accept")
def accept(
    site: SiteOption,
    name: NameArgument,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="The certificate (PEM), with those between it and an authority of trust/ca.pem.",
            exists=True,
            dir_okay=False,
        ),
    ],
    *,
    as_json: JsonOption = False,
) -> None:
    """Put a certificate in place that a city's authority made of a request.

    trust/ca.pem and trust/crl.pem are that authority's. Nothing is changed where the
    certificate is not what was asked for. With --json: {"made"}.
    """
    from hub.pki.requests import take  # noqa: PLC0415 - see hub.cli.main
    from hub.pki.rounds import profile_of  # noqa: PLC0415

    store, settings = opened_store(site, None)
    with store.alone():
        made = take(store.folder, profile_of(settings, name), file, _now())
    _say_made([made], as_json=as_json)


def opened_store(site: Path, authority_key: Path | None) -> "tuple[Store, Site]":
    """Open the folder of certificates of a site, and read the site file.

    Raises:
        SiteError: the file has faults, or names no folder for certificates.
    """
    from hub.compose.certificates import store_of  # noqa: PLC0415 - see hub.cli.main
    from hub.site import load_site  # noqa: PLC0415

    settings = load_site(site)
    return store_of(settings, authority_key), settings


def _say_made(
    made: "list[x509.Certificate]", *, as_json: bool, deleted: list[str] | None = None
) -> None:
    from hub.pki.rounds import said  # noqa: PLC0415 - see hub.cli.main

    rows = [said(one) for one in made]
    if as_json:
        more = {} if deleted is None else {"deleted": deleted}
        typer.echo(json.dumps({"made": rows, **more}, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"made: {row['process']} ({row['use']}), until {row['until'][:10]}")
    if not rows:
        typer.echo("no certificate had to be made")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
