"""Ports that are free, from where somebody wants them."""

import socket
from contextlib import closing

import pytest

from hub.broker.free import HOST, PLACE, PORTS, free_ports, ports
from hub.errors import SiteError

pytestmark = pytest.mark.unit


def test_ports_are_taken_from_where_the_environment_says() -> None:
    assert ports({}) == ports({PLACE: ""}) == PORTS
    assert ports({PLACE: "24000-24999"}) == range(24_000, 25_000)
    assert ports({PLACE: "1024-65535"}) == range(1024, 65_536)


@pytest.mark.parametrize(
    "said", ["24000", "24999-24000", "80-90", "24000-65536", "a-b", " 1024-1025", "٢٤٠٠٠-٢٤٩٩٩"]
)
def test_what_is_no_range_is_said(said: str) -> None:
    with pytest.raises(SiteError, match="RENKEI_PORTS is no range"):
        ports({PLACE: said})


def test_where_too_few_are_free_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    (first,) = free_ports(1)
    monkeypatch.setenv(PLACE, f"{first}-{first}")
    assert free_ports(1) == [first]
    with closing(socket.socket()) as other:
        other.bind((HOST, first))
        other.listen()
        with pytest.raises(SiteError, match=f"of the ports {first}-{first} only 0 are free, and 1"):
            free_ports(1)
    with pytest.raises(SiteError, match="only 0 are free"):
        free_ports(1, taken=[first])
