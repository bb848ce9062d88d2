"""Commands of ``renkei`` as pages and units name them, held to those that there are."""

import functools
import re
from collections.abc import Iterator
from typing import Any

import typer.main

from hub.cli.main import app

FENCED = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(text: str) -> Iterator[str]:
    for block in FENCED.findall(text):
        yield from (line for line in block.splitlines() if line.startswith("renkei "))


def understand(words: list[str]) -> None:
    """Find the command and each of its options."""
    command = tree()
    while words and not words[0].startswith("-") and hasattr(command, "commands"):
        word, *words = words
        assert word in command.commands, word
        command = command.commands[word]
    known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= known


@functools.cache
def tree() -> Any:  # noqa: ANN401 - typer's own
    return typer.main.get_command(app)
