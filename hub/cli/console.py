"""``renkei console``, and ``renkei console account …``: the web console and who may use it."""

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.ledger.common import DepartmentOption, ReasonOption, StaffOption, asked_by
from hub.cli.options import MaybeSiteOption, SiteOrDemoOption
from hub.clock import JST

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from monitoring.console.accounts import Account, Accounts, Damaged

app = typer.Typer(
    help="The web console (docs/operations/console.md). Without a further command it answers "
    "browsers at the address of [console] until it is told to stop.",
    invoke_without_command=True,
)
accounts_app = typer.Typer(
    help="Accounts of the console: personal, each set up with a one-time code. Every change stands "
    "in the ledger.",
    no_args_is_help=True,
)
app.add_typer(accounts_app, name="account")

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The account's id, such as tanaka.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
RoleOption = Annotated[
    list[str],
    typer.Option(
        "--role",
        help="viewer, operator, approver, auditor or administrator; may be given several times.",
        show_default=False,
    ),
]


@app.callback()
def run_console(context: typer.Context, *, site: MaybeSiteOption = None) -> None:
    """Answer browsers at the address of [console] until told to stop.

    Example: renkei console --site site.toml

    The first administrator: renkei console account add ID --role administrator. SIGTERM or SIGINT
    ends it: exit status 0. Exit status 1: the site has no console, or it cannot answer.
    """
    if context.invoked_subcommand is not None:
        return
    if site is None:
        raise typer.BadParameter("say which site: --site FILE")
    from hub.cli.main import begin  # noqa: PLC0415 - which imports this module
    from hub.compose.checked import load_checked  # noqa: PLC0415 - see hub.cli.main
    from hub.compose.console import run_console as run  # noqa: PLC0415
    from hub.compose.places import CONSOLE_USER  # noqa: PLC0415
    from hub.site import HUB_USER  # noqa: PLC0415
    from monitoring.logs import log_as  # noqa: PLC0415

    stop = begin()
    settings, catalogue = load_checked(site, {HUB_USER, CONSOLE_USER})
    log_as(settings.logs, "console")
    run(site, settings, catalogue, stop)


@accounts_app.command("add")
def add_account(  # noqa: PLR0913 - the options of a command
    account: IdArgument,
    site: SiteOrDemoOption,
    *,
    name: Annotated[str, typer.Option("--name", help="The person's name.", show_default=False)],
    in_department: Annotated[
        str,
        typer.Option("--of", help="The person's department, as the ledger is to name it."),
    ] = "後期高齢者医療担当",
    role: RoleOption,
    personal: Annotated[
        bool, typer.Option("--personal", help="May see details of persons, as far as the roles go.")
    ] = False,
    staff: StaffOption = "",
    department: DepartmentOption = "",
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Make an account; prints the one-time code by which the person sets it up at /enrol.

    Example: renkei console account add tanaka --name 田中 --role operator --site site.toml

    Exit status: 0 made; 1 it cannot be recorded; 2 there is such an account, or the command line
    is wrong. With --json: {"account", "code", "hours"}.
    """
    from monitoring.console.accounts import CODE_HOURS, Person  # noqa: PLC0415 - see hub.cli.main
    from monitoring.console.rights import Role  # noqa: PLC0415

    try:
        roles = tuple(dict.fromkeys(map(Role, role)))
    except ValueError as error:
        raise typer.BadParameter(f"{error}: there are {', '.join(Role)}") from None
    person = Person(id=account, name=name, department=in_department, roles=roles, personal=personal)
    access = asked_by(staff, department, reason, "console account add")
    with _accounts(site) as accounts:
        code = accounts.add(person, access, dt.datetime.now(JST))
    _say_code(account, code, CODE_HOURS, as_json=as_json)


@accounts_app.command("list")
def list_accounts(site: SiteOrDemoOption, *, as_json: JsonOption = False) -> None:
    """List all accounts, and why who cannot log in.

    With --json: a list of {"id", "name", "department", "roles", "personal", "state", "last_login"}.
    """
    from hub.cli.tables import print_table  # noqa: PLC0415 - see hub.cli.main

    now = dt.datetime.now(JST)
    with _accounts(site) as accounts:
        rows = [_facts(one, now) for one in accounts.all()]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    texts = [
        (
            row["id"],
            row["name"],
            ", ".join(row["roles"]) + (" + personal" if row["personal"] else ""),
            row["state"],
            (row["last_login"] or "")[:16],
        )
        for row in rows
    ]
    print_table(("id", "name", "roles", "", "last login"), texts, unwatched=120)


@accounts_app.command("lock")
def lock_account(
    account: IdArgument,
    site: SiteOrDemoOption,
    *,
    staff: StaffOption = "",
    department: DepartmentOption = "",
    reason: ReasonOption = "",
) -> None:
    """Lock an account until somebody unlocks it; its session ends at once.

    Exit status: 0 locked; 1 it cannot be recorded; 2 there is none, or it is the last
    administrator's.
    """
    with _accounts(site) as accounts:
        accounts.lock(account, asked_by(staff, department, reason, "console account lock"))
    typer.echo(f"{account} is locked")


@accounts_app.command("unlock")
def unlock_account(
    account: IdArgument,
    site: SiteOrDemoOption,
    *,
    staff: StaffOption = "",
    department: DepartmentOption = "",
    reason: ReasonOption = "",
) -> None:
    """Unlock an account, whyever it is locked: by people, by wrong logins, or long unused.

    Exit status: 0 unlocked; 1 it cannot be recorded; 2 there is none.
    """
    access = asked_by(staff, department, reason, "console account unlock")
    with _accounts(site) as accounts:
        accounts.unlock(account, access, dt.datetime.now(JST))
    typer.echo(f"{account} is unlocked")


@accounts_app.command("reset")
def reset_account(  # noqa: PLR0913 - the options of a command
    account: IdArgument,
    site: SiteOrDemoOption,
    *,
    staff: StaffOption = "",
    department: DepartmentOption = "",
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Have a person set the account up anew, with another one-time code: after a loss.

    Password and second factor of before are gone. Exit status: 0 done; 1 it cannot be recorded;
    2 there is none. With --json: {"account", "code", "hours"}.
    """
    from monitoring.console.accounts import CODE_HOURS  # noqa: PLC0415 - see hub.cli.main

    access = asked_by(staff, department, reason, "console account reset")
    with _accounts(site) as accounts:
        code = accounts.reset(account, access, dt.datetime.now(JST))
    _say_code(account, code, CODE_HOURS, as_json=as_json)


@accounts_app.command("remove")
def remove_account(
    account: IdArgument,
    site: SiteOrDemoOption,
    *,
    staff: StaffOption = "",
    department: DepartmentOption = "",
    reason: ReasonOption = "",
) -> None:
    """Remove an account. The ledger keeps what it did; give its id to nobody else.

    Exit status: 0 removed; 1 it cannot be recorded; 2 there is none, or it is the last
    administrator's.
    """
    with _accounts(site) as accounts:
        accounts.remove(account, asked_by(staff, department, reason, "console account remove"))
    typer.echo(f"{account} is removed")


def _accounts(site: Path) -> "AbstractContextManager[Accounts]":
    from hub.compose.console import opened_accounts  # noqa: PLC0415 - see hub.cli.main
    from hub.site import load_site  # noqa: PLC0415

    return opened_accounts(load_site(site))


def _say_code(account: str, code: str, hours: int, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"account": account, "code": code, "hours": hours}))
        return
    typer.echo(f"{account}: one-time code {code}, for {hours} hours, at the console's /enrol")


def _facts(one: "Account | Damaged", now: dt.datetime) -> dict[str, Any]:
    from monitoring.console.accounts import Damaged  # noqa: PLC0415 - see hub.cli.main

    if isinstance(one, Damaged):
        state = "damaged: remove it"
        return {
            "id": one.id,
            "name": "",
            "department": "",
            "roles": [],
            "personal": False,
            "state": state,
            "last_login": None,
        }
    state = "" if one.is_enrolled else "not set up"
    return {
        "id": one.id,
        "name": one.name,
        "department": one.department,
        "roles": list(one.roles),
        "personal": one.personal,
        "state": "locked" if one.is_locked(now) else state,
        "last_login": one.last_login.astimezone(JST).isoformat() if one.last_login else None,
    }
