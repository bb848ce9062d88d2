"""Chromium for tests, with the driver of the same version and a Japanese font, from Debian."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from hub.packages import Wanted
from tests.servers.packages import found_or_installed

FONT = Path("/usr/share/fonts/opentype/ipaexfont-gothic")
"""Without it Chromium shows boxes for Japanese."""
WANTED = Wanted(
    "Chromium with its driver",
    ("chromium", "chromium-driver", "fonts-ipaexfont-gothic"),
    "Install Chromium, chromedriver of the same version and a Japanese font (Debian: apt-get "
    "install chromium chromium-driver fonts-ipaexfont-gothic)",
)


@dataclass(frozen=True)
class Browser:
    """Where the browser and its driver are."""

    program: str
    driver: str


def browser() -> Browser:
    """Give the browser; install it where it is missing.

    Raises:
        NotInstalled: it cannot be installed; the text says what to do.
    """
    return found_or_installed(_found, WANTED)


def _found() -> Browser | None:
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None or not FONT.is_dir():
        return None
    return Browser(program, driver)
