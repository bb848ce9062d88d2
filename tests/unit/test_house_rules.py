"""Rules of this project that no linter has, read off the source's syntax trees."""

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
SHIPPED = ("adapters", "hub", "mappings", "monitoring", "schemas")


@cache
def trees() -> dict[str, ast.AST]:
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_bytes())
        for package in SHIPPED
        for path in (ROOT / package).rglob("*.py")
    }


@cache
def nodes(tree: ast.AST) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree))


@cache
def calls(tree: ast.AST) -> tuple[tuple[str, ast.Call], ...]:
    """Give each call with the dotted name of what is called."""
    found = (node for node in nodes(tree) if isinstance(node, ast.Call))
    return tuple((dotted(node.func), node) for node in found)


def dotted(called: ast.expr) -> str:
    """Give the name of what is called; of what is no name, its last part after a dot."""
    match called:
        case ast.Name():
            return called.id
        case ast.Attribute():
            return f"{dotted(called.value)}.{called.attr}"
    return ""


def last(name: str) -> str:
    return name.rpartition(".")[2]


def false(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def parses_xml(tree: ast.AST) -> bool:
    entries = {"etree.parse", "etree.fromstring", "etree.XML", "etree.XMLParser", "etree.iterparse"}
    standard = any(
        ast.unparse(node).split()[1].partition(".")[0] == "xml"
        for node in nodes(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    )
    return standard or any(name in entries for name, _ in calls(tree))


def verifies_nothing(tree: ast.AST) -> bool:
    """Find certificates that are not looked at, host names that are not compared."""
    blind = {"CERT_NONE", "CERT_OPTIONAL", "_create_unverified_context"}
    switches = {"verify", "check_hostname"}
    for node in nodes(tree):
        match node:
            case ast.Attribute() if node.attr in blind:
                return True
            case ast.keyword() if node.arg in switches and false(node.value):
                return True
            case ast.Assign() if false(node.value):
                if any(last(dotted(one)) in switches for one in node.targets):
                    return True
    return False


def builds_sql(tree: ast.AST) -> bool:
    runs = {"text", "exec_driver_sql"}
    return any(
        last(name) in runs and any(isinstance(one, ast.JoinedStr | ast.BinOp) for one in call.args)
        for name, call in calls(tree)
    )


def runs_a_shell(tree: ast.AST) -> bool:
    shells = {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}
    return any(
        name in shells or any(one.arg == "shell" and not false(one.value) for one in call.keywords)
        for name, call in calls(tree)
    )


def opens_by_path(tree: ast.AST) -> bool:
    """Find files opened by a path that somebody may turn into a link meanwhile."""
    methods = {"read_bytes", "read_text", "write_bytes", "write_text"}
    return any(name in {"open", "io.open"} or last(name) in methods for name, _ in calls(tree))


def runs_data(tree: ast.AST) -> bool:
    """Find what turns data into code."""
    running = {"eval", "exec", "compile", "__import__", "pickle.loads", "pickle.load"}
    running |= {"marshal.loads", "shelve.open", "yaml.load", "yaml.unsafe_load"}
    return any(name in running for name, _ in calls(tree))


def shows_numbers(tree: ast.AST) -> bool:
    """Find where a masked number is laid open."""
    return any(last(name) == "reveal" for name, _ in calls(tree))


@dataclass(frozen=True, eq=False)
class Rule:
    """What no file under ``where`` may do but those that are named, each for its reason."""

    broken: Callable[[ast.AST], bool]
    planted: str
    where: str = ""
    allowed: dict[str, str] = field(default_factory=dict)

    @cache  # noqa: B019 - a rule lives as long as the tests
    def breakers(self) -> set[str]:
        there = {name: tree for name, tree in trees().items() if name.startswith(self.where)}
        return {name for name, tree in there.items() if self.broken(tree)}


CONSTANTS = "names and numbers of our own alone"
RULES = {
    "XML of others is parsed in one way": Rule(
        parses_xml,
        "from xml.etree import ElementTree",
        allowed={
            "hub/edge/archives/safexml.py": "the one way",
            "hub/edge/workbook/parts.py": "the same settings, event by event",
            "hub/edge/workbook/writing.py": "escapes, parses nothing",
            "hub/edge/forms/xml.py": "the schemas that we ship",
        },
    ),
    "every certificate is looked at": Rule(verifies_nothing, "x = httpx.Client(verify=False)"),
    "SQL gets values as parameters": Rule(
        builds_sql,
        'c.execute(sa.text(f"SELECT {word}"))',
        where="hub/",
        allowed={
            "hub/ledger/schema.py": CONSTANTS,
            "hub/ledger/tables.py": CONSTANTS,
            "hub/ledger/writing.py": CONSTANTS,
            "hub/ledger/verify/tree.py": CONSTANTS,
            "hub/ledger/years/pruning.py": CONSTANTS,
        },
    ),
    "no shell": Rule(runs_a_shell, "subprocess.run('ls', shell=True)"),
    "files of systems are opened without following links": Rule(
        opens_by_path,
        "path.read_bytes()",
        where="hub/edge/",
        allowed={"hub/edge/forms/xml.py": "the schemas that we ship"},
    ),
    "no data is run": Rule(runs_data, "pickle.loads(b'')"),
    "numbers are laid open in few places": Rule(
        shows_numbers,
        "number.reveal()",
        allowed={"hub/pipeline/judge.py": "the digest under which a number is known"},
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_kept(name: str) -> None:
    rule = RULES[name]
    assert rule.breakers() - rule.allowed.keys() == set()


@pytest.mark.parametrize("name", RULES)
def test_a_rule_excepts_nothing_that_needs_it_no_more(name: str) -> None:
    rule = RULES[name]
    assert rule.allowed.keys() - rule.breakers() == set()
    assert all(rule.allowed.values())


@pytest.mark.parametrize("name", RULES)
def test_a_rule_finds_what_breaks_it(name: str) -> None:
    assert RULES[name].broken(ast.parse(RULES[name].planted))


@pytest.mark.parametrize(
    ("broken", "planted"),
    [
        (parses_xml, "from lxml import etree; etree.fromstring(b'')"),
        (verifies_nothing, "context.verify_mode = ssl.CERT_NONE"),
        (verifies_nothing, "context.check_hostname = False"),
        (builds_sql, "c.exec_driver_sql('DROP ' + name)"),
        (runs_a_shell, "os.system('ls')"),
        (opens_by_path, "with open('x') as file: pass"),
        (runs_data, "eval('1')"),
    ],
)
def test_other_forms_of_it_are_found(broken: Callable[[ast.AST], bool], planted: str) -> None:
    assert broken(ast.parse(planted))
