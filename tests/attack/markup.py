"""Markup that would run in a browser, each with a word that tells where it came from."""

import re
from html.parser import HTMLParser

_MARK = re.compile(r"xss-[a-z]+(?:-[a-z]+)*")
_FILLED_IN = re.compile(r"xss-[a-z-]+'\)>49")
_ITEMS = ("staff", "department", "terminal", "reason", "operation")
_NEVER = {"img", "iframe", "object", "embed", "base", "style", "video", "audio", "template"}
"""What no page of the console has."""
_LEADING = ("href", "src", "action", "formaction", "xlink:href", "data", "content")


def markup(source: str) -> str:
    """Give what would run if it were no text: it closes an attribute and a script first."""
    return f"'\"></script><script>alert('xss-{source}')</script>"


def picture(source: str) -> str:
    """Give the same without a script; also a template's brackets."""
    return f"\"><img src=x onerror=alert('xss-{source}')>{{{{7*7}}}}"


def short(source: str) -> str:
    """Give as few characters as a name has room for."""
    return f"\"><svg onload=alert('xss-{source}')>"


def envelope() -> dict[str, str]:
    """Give all that a sender says of who sent it and why."""
    return {item: markup(item) for item in _ITEMS}


class Looked(HTMLParser):
    """A page as a browser takes it: what of it would run, and which words it shows as text."""

    def __init__(self, page: str) -> None:
        """Take the text of a page."""
        super().__init__()
        self.faults: list[str] = []
        self.shown: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        is_ours = given.get("src", "").startswith("/static/")
        if tag in _NEVER or (tag == "script" and not is_ours):
            self.faults.append(f"<{tag}>")
        for name, value in given.items():
            leads = name in _LEADING and ":" in value.partition("/")[0]
            if name.startswith("on") or name in {"style", "srcdoc"} or "xss" in name or leads:
                self.faults.append(f"<{tag} {name}>")
            self.handle_data(value)

    def handle_data(self, data: str) -> None:
        self.shown |= {*_MARK.findall(data)}
        if _FILLED_IN.search(data):
            self.faults.append("a template's brackets were filled in")
