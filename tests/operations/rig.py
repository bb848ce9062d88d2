"""A demo with a console that runs, and a person at a real browser in front of it."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions, ChromeService, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from hub.compose.ledger import open_ledger
from hub.desks.shelf import listed
from hub.ledger.asides import Wanted
from hub.ledger.beside import Shelf, Shelved, State
from hub.site import Site, load_site
from monitoring.console.rights import Role
from tests.demo_rig import Renkei
from tests.known import Known
from tests.servers.chromium import browser
from tests.servers.nodejs import axe

PHONE, WIDE = (390, 844), (1920, 1080)
SECONDS = 40.0
TOO_MANY = 429
LESS_SECONDS = 5.0
"""After so long the console answers a session again that asked too much."""
GRAVE = {"serious", "critical"}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]


@dataclass
class Served:
    """A demo that keeps running, with its console."""

    run: Renkei
    state: Path

    @cached_property
    def site(self) -> Site:
        return load_site(self.state / "site.toml")

    @property
    def origin(self) -> str:
        assert self.site.console is not None
        return f"http://127.0.0.1:{self.site.console.port}"

    @cached_property
    def known(self) -> dict[Role, Known]:
        """What each person knows, by role."""
        lines = (self.state / "console" / "accounts.txt").read_text(encoding="utf-8").splitlines()
        rows = [line.split() for line in lines if not line.startswith("#")]
        return {Role(account): Known(account, *rest) for account, *rest in rows}

    def answers(self) -> bool:
        """Say whether the console is there."""
        port = self.site.console.port if self.site.console else 0
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            return False
        return True

    def hold(self, *processes: str) -> None:
        """Have these processes end and stay away, and all others run."""
        (self.state / "hold").write_text("\n".join(processes), encoding="utf-8")

    def waiting(self, shelf: Shelf, state: State | None = State.OPEN) -> list[Shelved]:
        """Give what waits for a person, the newest first."""
        ledger = open_ledger(self.site)
        try:
            return listed(ledger, Wanted(shelf, state), 1000)
        finally:
            ledger.close()

    def until(self, event: Callable[[], bool], what: str) -> None:
        """Wait for something that the demo does."""
        self.run.until(event, what)


@dataclass
class AtBrowser:
    """Somebody at a browser, who can become another."""

    served: Served
    driver: Chrome
    axe: str
    sessions: dict[Role, list[dict[str, Any]]] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    status: int = 0

    # -- who, and how -------------------------------------------------------------------

    def be(self, role: Role) -> None:
        """Be the person of a role: logged in once, with the same session from then on."""
        self.forget()
        if role in self.sessions:
            for cookie in self.sessions[role]:
                self.driver.execute_cdp_cmd("Network.setCookie", cookie)
            return
        self.log_in(role)
        self.keep(role)

    def forget(self) -> None:
        """Be nobody."""
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})

    def keep(self, role: Role) -> None:
        """Keep the session of a person, which a second factor gives another name."""
        found = self.driver.execute_cdp_cmd("Network.getCookies", {"urls": [self.served.origin]})
        names = ("name", "value", "path", "secure", "httpOnly", "sameSite")
        self.sessions[role] = [
            {name: cookie[name] for name in names if name in cookie} | {"url": self.served.origin}
            for cookie in found["cookies"]
        ]

    def log_in(self, role: Role) -> None:
        """Log in as people do."""
        known = self.served.known[role]
        self.open("/login")
        self.fill("account", known.account)
        self.fill("password", known.password)
        self.fill("code", known.code())
        self.press("main form button")
        assert self.path != "/login", self.text

    def size(self, size: tuple[int, int]) -> None:
        """Have a screen of this size; a window of Chromium is never as narrow as a phone."""
        width, height = size
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )

    def speak(self, language: str) -> None:
        """Choose a language, by the button that every page has."""
        if self.driver.find_element(By.TAG_NAME, "html").get_attribute("lang") != language:
            self.press("form[action='/language'] button")

    # -- pages ---------------------------------------------------------------------------

    @property
    def path(self) -> str:
        return self.driver.current_url.removeprefix(self.served.origin).partition("?")[0]

    @property
    def text(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "body").text

    def open(self, path: str) -> int:
        """Open a page; give its status. Where it was too much at once, wait as the page says."""
        for _ in range(3):
            self.driver.get(f"{self.served.origin}{path}")
            if self._look() != TOO_MANY:
                break
            time.sleep(LESS_SECONDS)
        return self.status

    def press(self, css: str) -> int:
        """Press a button or link, and wait for the page that follows; give its status.

        Where it was too much at once, wait as the page says, and send it again by loading anew.
        """
        before = self.driver.find_element(By.TAG_NAME, "html")
        self.one(css).click()
        status = self.after(before)
        for _ in range(2):
            if status != TOO_MANY:
                break
            time.sleep(LESS_SECONDS)
            before = self.driver.find_element(By.TAG_NAME, "html")
            self.driver.refresh()
            status = self.after(before)
        return status

    def after(self, before: WebElement) -> int:
        """Wait for the page that follows another."""
        script = "return document.readyState === 'complete' && document.documentElement !== null"
        WebDriverWait(self.driver, SECONDS).until(
            lambda _: self._is_gone(before) and self.driver.execute_script(script)
        )
        return self._look()

    def confirm(self, role: Role) -> None:
        """Give the second factor where it is asked for once more."""
        if self.driver.find_elements(By.NAME, "step-up-code"):
            self.fill("step-up-code", self.served.known[role].code())
            self.press("main form button")
        self.keep(role)

    def one(self, css: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def links(self, start: str) -> list[str]:
        """Give the addresses of this page's links that begin so, each once."""
        found = self.driver.find_elements(By.CSS_SELECTOR, f"main a[href^='{start}']")
        return list(dict.fromkeys(one.get_dom_attribute("href") or "" for one in found))

    def fill(self, name: str, text: str) -> None:
        """Write into a field."""
        box = self.driver.find_element(By.NAME, name)
        box.clear()
        box.send_keys(text)

    def tab_to(self, css: str) -> WebElement:
        """Come to something by the Tab key alone."""
        for _ in range(200):
            focused = self.driver.switch_to.active_element
            if self.driver.execute_script(
                "return arguments[0].matches(arguments[1])", focused, css
            ):
                return focused
            focused.send_keys(Keys.TAB)
        raise AssertionError(f"nobody comes to {css} by keyboard on {self.path}")

    # -- what is wrong with a page ---------------------------------------------------------

    def faults(self) -> Iterator[str]:
        """Say what is wrong with this page: for people who see badly, on this screen, at all."""
        where = f"{self.path} ({self.driver.execute_script('return innerWidth')} px)"
        run = "return axe.run(document, {runOnly: {type: 'tag', values: arguments[0]}})"
        self.driver.execute_script(self.axe)
        for one in self.driver.execute_script(run, RULES)["violations"]:
            if one["impact"] in GRAVE:
                yield f"{where}: {one['id']}: {one['nodes'][0]['html'][:200]}"
        wide = "return document.documentElement.scrollWidth > innerWidth"
        if self.driver.execute_script(wide):
            yield f"{where}: the page is wider than the screen"
        for line in self.driver.get_log("browser"):
            if line["level"] == "SEVERE" and "status of 4" not in line["message"]:
                yield f"{where}: {line['message']}"

    def foreign(self) -> set[str]:
        """Give the addresses that were asked for and are not the console's own."""
        ours = (f"{self.served.origin}/", "data:", "chrome")  # the last: of its own first page
        return {url for url in self.asked if not url.startswith(ours)}

    def _look(self) -> int:
        """Note what was asked for since the last look, and the status of the page."""
        for line in self.driver.get_log("performance"):
            message = json.loads(line["message"])["message"]
            params = message["params"]
            if message["method"] == "Network.requestWillBeSent":
                self.asked.add(params["request"]["url"])
            elif message["method"] == "Network.responseReceived" and params["type"] == "Document":
                self.status = params["response"]["status"]
        return self.status

    def _is_gone(self, element: WebElement) -> bool:
        return self.driver.find_element(By.TAG_NAME, "html") != element


@contextmanager
def at_browser(served: Served, folder: Path) -> Iterator[AtBrowser]:
    """Start a browser that can ask for nothing outside this machine."""
    found = browser()
    options = ChromeOptions()
    options.binary_location = found.program
    for word in (
        "headless=new",
        "no-sandbox",  # tests run as root on machines of their own
        "disable-dev-shm-usage",
        "disable-background-networking",
        "disable-component-update",
        "host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        "lang=ja",
        f"user-data-dir={folder}",
    ):
        options.add_argument(f"--{word}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=ChromeService(found.driver))
    try:
        driver.set_page_load_timeout(SECONDS)
        yield AtBrowser(served, driver, axe())
    finally:
        driver.quit()
