"""`renkei up` starts no second set of a site's processes."""

import socket
from pathlib import Path

import pytest

from hub.broker.free import free_ports
from hub.compose.running import the_only_one, wait_for_none
from hub.errors import SiteError
from hub.site import Site, load_site
from hub.stop import Stop
from tests.plain_site import PLAIN

pytestmark = [pytest.mark.unit, pytest.mark.slow]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (port,) = free_ports(1)
    file = tmp_path / "site.toml"
    file.write_text(
        f"{PLAIN}[hub]\npassword_file = 'p'\npseudonym_key_file = 'k'\nmetrics_port = {port}\n",
        encoding="utf-8",
    )
    return file


@pytest.fixture
def site(path: Path) -> Site:
    return load_site(path)


def test_a_second_supervisor_of_a_site_is_refused(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    with (
        the_only_one(logs),
        pytest.raises(SiteError, match=r"runs already.*nothing was started"),
        the_only_one(logs),
    ):
        pass
    with the_only_one(logs):
        assert [one.name for one in logs.iterdir()] == ["up.lock"]


def test_processes_that_somebody_else_started_are_not_started_again(site: Site) -> None:
    said: list[str] = []
    port = site.hub.metrics_port or 0
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(SiteError, match=rf"runs already.*hub .127\.0\.0\.1:{port}"),
    ):
        wait_for_none(site, Stop(), said.append, seconds=0.1)
    assert "waiting" in said[0]
    wait_for_none(site, Stop(), said.append)
    assert len(said) == 1


def test_what_is_about_to_end_is_waited_for(site: Site) -> None:
    server = socket.create_server(("127.0.0.1", site.hub.metrics_port or 0))

    def say(_: str) -> None:
        server.close()

    wait_for_none(site, Stop(), say)
