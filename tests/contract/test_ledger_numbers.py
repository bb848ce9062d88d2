"""No database keeps a 個人番号 in clear: of what moved, was held, died, was released or replayed.

Everything that the database server wrote is searched, its write-ahead log too.
"""

from pathlib import Path

import pytest
import sqlalchemy as sa

from adapters.simulation.people import my_number
from hub.ledger.beside import State
from hub.ledger.schema import migrate
from tests.confirmations_rig import UNION, changed, open_ones, release
from tests.dead_letters_rig import died, kill_originals, numbers, replay
from tests.numbers_at_rest import Numbers
from tests.sealing_rig import Site
from tests.servers.postgresql import PostgresqlServer

pytestmark = pytest.mark.contract

FIRST, SECOND = my_number(70_001), my_number(70_002)
"""No other test has these: the database server is that of all."""
SEARCHED = Numbers([FIRST, SECOND])
MADE_BY_INITDB = ("1", "4", "5")
"""The databases that every server begins with."""


@pytest.fixture
def site(url: str, tmp_path: Path) -> Site:
    """Give a hub whose ledger is an empty database of either kind."""
    made = Site(tmp_path)
    migrate(url)
    made.rig.url = url
    return made


def lived_through(site: Site) -> None:
    """Let messages move, be held and die, and let one of each go again."""
    site.send(
        changed("moved-1", my_number=FIRST),
        changed("held-1", my_number=SECOND),
        changed("held-2", my_number=SECOND),
    )
    released, kept = open_ones(site.rig)
    release(site.rig, released)
    assert site.rig.drain()
    copies = died(site.rig, UNION)
    site.put(site.body(changed("dead-1", my_number=FIRST)))
    kill_originals(site.rig)
    assert site.rig.drain()
    replay(site.rig, *copies)
    assert site.rig.drain()
    assert open_ones(site.rig) == [kept]
    assert numbers(site.rig, State.OPEN), "nothing is kept of what died"


def test_whatever_became_of_a_message_no_number_is_in_the_database(
    site: Site, request: pytest.FixtureRequest
) -> None:
    lived_through(site)
    folder, places, empty = site.rig.folder, {"new folder"}, []
    if site.rig.url.startswith("postgresql"):
        server: PostgresqlServer = request.getfixturevalue("postgresql")
        engine = sa.create_engine(site.rig.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql("CHECKPOINT")
        engine.dispose()
        folder, places = server.data, {"base", "pg_wal"}
        empty = [folder / "base" / name for name in MADE_BY_INITDB]
    files = (file for file in folder.rglob("*") if file.is_file())
    holding = {file.relative_to(folder) for file in files if b"held-2" in file.read_bytes()}
    assert {file.parts[0] for file in holding} == places, "messages were not where it was searched"
    assert SEARCHED.found_in_files(folder, empty) == {}
