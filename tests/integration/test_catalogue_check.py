"""``renkei check`` as ``make lint`` runs it: a process of its own, quick and light."""

import resource
import subprocess
import sys

import pytest

pytestmark = pytest.mark.integration

CHECK = """
import sys
from hub.cli.main import app
try:
    app(["check"])
except SystemExit as ended:
    status = ended.code
heavy = {"pika", "sqlalchemy", "alembic", "kombu", "prometheus_client"} & set(sys.modules)
print(status, sorted(heavy))
"""
SECONDS = 1.5
"""Of processor time, the start of Python and of every import included."""


def test_it_is_quick_and_loads_neither_broker_nor_database() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.stdout.splitlines()[-1] == "0 []"
    used = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
    assert used < SECONDS
