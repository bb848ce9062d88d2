"""A site file that does without certificates and sealed numbers, and what is wrong with others."""

from pathlib import Path

import pytest

from hub.errors import SiteError
from hub.site import load_site

PLAIN = """\
[tls]
plain_loopback = true

[my_number]
accept_plain_until = 2099-12-31

"""

GOOD = f"""{PLAIN}
[hub]
password_file = "secrets/hub"
pseudonym_key_file = "secrets/key"

[systems.tax]
folder = "drives/tax"
journal = "state/tax.sqlite3"
password_file = "secrets/tax"
"""


def site_file(folder: Path, text: str) -> Path:
    """Write a site file."""
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def faults_of(folder: Path, text: str) -> str:
    """Give what is said of a site file that is wrong."""
    with pytest.raises(SiteError) as caught:
        load_site(site_file(folder, text))
    return str(caught.value)
