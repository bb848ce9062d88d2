"""Parts of the site file: what its tables have in common, and those for who watches the hub."""

import datetime as dt
import os
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    model_validator,
)

from hub.addresses import InterfaceUrl, ListenAddress, is_loopback
from hub.message import Item
from hub.secret import SecretPlace, SecretSource

Port = Annotated[int, Field(ge=1, le=65_535)]


def _from_site_folder(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder", Path.cwd())
    return Path(os.path.realpath(Path(folder) / path))  # a loop of links is no error here


SitePath = Annotated[Path, AfterValidator(_from_site_folder)]
"""A path, relative to the site file's folder."""


def _secret_of_site(source: SecretPlace, info: ValidationInfo) -> SecretPlace:
    return _from_site_folder(source, info) if isinstance(source, Path) else source


SecretFile = Annotated[SecretSource, AfterValidator(_secret_of_site)]
"""Where a secret stands: a file, or ``{ env = … }``, or ``{ command = […] }``."""


class Section(BaseModel):
    """A table of the site file: no key but those that it declares, and no value in an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _origin(text: str) -> str:
    url = urlsplit(text)
    if (
        url.scheme not in {"http", "https"}
        or not url.hostname
        or f"{url.scheme}://{url.netloc}" != text
        or url.username is not None
    ):
        message = "this is no origin, such as https://renkei.example:8443, without a slash behind"
        raise ValueError(message)
    if url.scheme == "http" and not is_loopback(url.hostname):
        message = "a browser on another machine is answered over https alone"
        raise ValueError(message)
    return text


Origin = Annotated[str, AfterValidator(_origin)]
"""Scheme, name and port, as a browser shows them."""


BrowserName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
"""A machine with a browser that has a certificate."""


class OidcSite(Section):
    """The office's own login (OpenID Connect), in place of the console's passwords.

    Accounts and roles stay those of the console: ``claim`` of the ID token is an account's id.
    Where the token's ``amr`` has none of ``second_factor``, the console asks for its own. Only
    accounts in ``emergency`` can log in by a password nevertheless.
    """

    issuer: InterfaceUrl
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    client_secret_file: SecretFile
    ca_file: SitePath | None = None
    claim: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:/-]{1,100}$")] = (
        "preferred_username"
    )
    second_factor: tuple[str, ...] = ("mfa",)
    emergency: tuple[str, ...] = ()


class ConsoleSite(Section):
    """The web console. Without the table there is none.

    ``origin`` is the address that people open; without it the one that it listens at. Accounts
    and sessions stand in ``folder``, sealed by the key in ``key_file``. A session ends after
    ``idle_minutes`` without a page and after ``session_hours`` in all; with ``bind_address``
    also when it comes from another address. After ``failures`` wrong logins an account is
    locked for ``lock_minutes``, each time twice as long. ``terminals`` gives addresses of
    clients the names of terminals that the ledger is to have. Where ``browsers`` names machines
    of staff, each has a certificate, and a browser without one is not answered.
    """

    listen: ListenAddress = "127.0.0.1"
    port: Port = 8443
    origin: Origin | None = None
    folder: Annotated[SitePath, Field(validate_default=True)] = Path("console")
    key_file: Annotated[SecretFile, Field(validate_default=True)] = Path("secrets/console-key")
    idle_minutes: Annotated[int, Field(ge=1, le=60)] = 15
    session_hours: Annotated[int, Field(ge=1, le=12)] = 8
    bind_address: bool = True
    failures: Annotated[int, Field(ge=3, le=10)] = 5
    lock_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    metrics_port: Port | None = None
    terminals: dict[str, Item] = {}
    browsers: tuple[BrowserName, ...] = ()
    oidc: OidcSite | None = None


class WatchSite(Section):
    """When a flow counts as late.

    ``due_hours`` gives a flow, by its reference, another time than its statutory frequency has;
    on ``rest_days`` and ``holidays`` the office rests, and nothing is due.
    """

    due_hours: dict[
        Annotated[str, StringConstraints(min_length=1, max_length=40)],
        Annotated[int, Field(ge=1, le=9000)],
    ] = {}
    rest_days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ()
    holidays: tuple[dt.date, ...] = ()


class LogsSite(Section):
    """How processes log: as text or JSON, and of which messages a line each."""

    format: Literal["text", "json"] = "text"
    messages: Literal["none", "failures", "all"] = "failures"


class TracesSite(Section):
    """Where traces go: to a collector's ``endpoint`` (OTLP over HTTP), or into a ``file``.

    Without the table there are none. A share ``ratio`` of the files that come in is followed.
    ``ca_file`` are the certificates that are trusted for a collector on another machine; without
    it those of the site's own authority.
    """

    endpoint: InterfaceUrl | None = None
    ca_file: SitePath | None = None
    file: SitePath | None = None
    ratio: Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)] = 0.01

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.endpoint is None) == (self.file is None):
            message = "name either an endpoint or a file"
            raise ValueError(message)
        if self.ca_file is not None and not (self.endpoint or "").startswith("https:"):
            message = "ca_file is for an endpoint with https alone"
            raise ValueError(message)
        return self
