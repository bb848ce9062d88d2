"""Everybody opens all pages of the console that they may: what would run, and what is shown."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
from starlette.routing import compile_path

from monitoring.console.app import every_page
from monitoring.console.headers import POLICY
from monitoring.console.page import Page
from monitoring.console.rights import Role, may
from tests.attack.markup import Looked
from tests.attack.visitors import Visitor

OF_EACH = 2
"""So many pages of one kind are opened by each person."""
PAGES = [page for page in every_page() if page.method == "GET"]
NOT_HERE = {"oidc", "oidc-back"}
"""Pages of a login that this site does not have: they lead to the login."""
PATTERNS = [(page, compile_path(page.path)[0]) for page in PAGES]
LINK = re.compile(r'href="(/[^"]*)"')


@dataclass
class Walk:
    """All pages as everybody saw them: what would have run, and where which words stood."""

    answered: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    shown: dict[str, set[str]] = field(default_factory=dict)
    looks: int = 0
    seconds: float = 0.0

    def look(self, name: str, answer: httpx.Response) -> None:
        """Take an answer of a page."""
        self.looks += 1
        if answer.status_code == httpx.codes.OK:
            self.answered.add(name)
        heads = answer.headers
        if heads.get("content-security-policy") != POLICY:
            self.faults.append(f"{name}: policy")
        if heads.get("x-content-type-options") != "nosniff" or "x-frame-options" not in heads:
            self.faults.append(f"{name}: headers")
        if answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR:
            self.faults.append(f"{name}: failed")
        if not heads.get("content-type", "").startswith("text/html"):
            return
        looked = Looked(answer.text)
        self.faults += [f"{name}: {fault}" for fault in looked.faults]
        for word in looked.shown:
            self.shown.setdefault(word.removeprefix("xss-"), set()).add(name)


def steps(person: Visitor, roles: tuple[Role, ...], first: list[str], walk: Walk) -> Iterator[None]:
    """Open every page that a person may, with its links, one at a step."""
    mine = [page for page in PAGES if may(roles, page.may)]
    waiting = [*first, *(page.path for page in mine if "{" not in page.path)]
    seen, opened = set(waiting), dict.fromkeys((page.name for page in PAGES), 0)
    while waiting:
        path = waiting.pop(0)
        page = page_of(path)
        if page is None or (path not in first and opened[page.name] >= OF_EACH):
            continue
        opened[page.name] += 1
        answer = person.get(path)
        walk.look(page.name, answer)
        for link in map(unquoted, LINK.findall(answer.text)):
            if link not in seen:
                seen.add(link)
                waiting.append(link)
        yield


def unquoted(link: str) -> str:
    return link.replace("&amp;", "&")


def page_of(path: str) -> Page | None:
    """Give the page at an address; none where it is a file, or none of ours."""
    plain = path.partition("?")[0]
    return next((page for page, pattern in PATTERNS if pattern.match(plain)), None)
