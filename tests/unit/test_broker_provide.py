"""Where a broker comes from: the order, and what is said where there is none."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from hub.broker.install import Installation
from hub.broker.provide import Machine, ProvidedBroker, configured, provide
from hub.errors import BrokerError, BrokerUnavailable
from hub.packages import Say

pytestmark = [pytest.mark.unit, pytest.mark.slow]

INSTALLED = Installation(Path("/x/rabbitmq-server"), Path("/x/epmd"))


class Steps:
    """A machine that writes down what was done on it."""

    def __init__(
        self,
        *,
        environment: dict[str, str] | None = None,
        installed: bool = False,
        docker: bool = False,
        installable: bool = True,
        serves: bool = True,
    ) -> None:
        self.environment = environment or {}
        self.installed = installed
        self.docker = docker
        self.installable = installable
        self.serves = serves
        self.done: list[str] = []

    def machine(self) -> Machine:
        return Machine(
            environment=self.environment,
            find=lambda: INSTALLED if self.installed else None,
            docker_answers=lambda: self.docker,
            install=self.install,
            node=lambda _folder, _installation: self.started("private node"),
            container=lambda: self.started("container"),
            check=self.check,
        )

    def install(self, say: Say) -> None:
        say("installing")
        self.done.append("install")
        if not self.installable:
            raise BrokerUnavailable("install it by hand")
        self.installed = True

    @contextmanager
    def started(self, kind: str) -> Iterator[ProvidedBroker]:
        self.done.append(f"start {kind}")
        try:
            yield ProvidedBroker("h", 1, "http://h", "u", SecretStr("p"), kind)  # type: ignore[arg-type]
        finally:
            self.done.append(f"stop {kind}")

    def check(self, _broker: ProvidedBroker) -> None:
        self.done.append("check")
        if not self.serves:
            raise BrokerError("it lacks a plugin")


def use(steps: Steps, folder: Path) -> tuple[str, list[str]]:
    lines: list[str] = []
    with provide(folder, lines.append, steps.machine()) as broker:
        steps.done.append("use")
        return broker.kind, lines


def test_the_configured_one_comes_first_and_is_never_stopped(tmp_path: Path) -> None:
    url = {"RENKEI_BROKER_URL": "amqp://a:b@mq.example:5673/v"}
    steps = Steps(environment=url, installed=True, docker=True)
    kind, lines = use(steps, tmp_path)
    assert (kind, steps.done, lines) == ("configured", ["check", "use"], [])


def test_an_installed_one_comes_before_a_container(tmp_path: Path) -> None:
    steps = Steps(installed=True, docker=True)
    kind, lines = use(steps, tmp_path)
    assert kind == "private node"
    assert steps.done == ["start private node", "check", "use", "stop private node"]
    assert len(lines) == 1


def test_a_container_comes_before_installing(tmp_path: Path) -> None:
    steps = Steps(docker=True)
    assert use(steps, tmp_path)[0] == "container"
    assert steps.done == ["start container", "check", "use", "stop container"]


def test_else_the_package_is_installed(tmp_path: Path) -> None:
    steps = Steps()
    kind, lines = use(steps, tmp_path)
    assert kind == "private node"
    assert steps.done[:2] == ["install", "start private node"]
    assert lines[0] == "installing"


def test_where_nothing_is_possible_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BrokerUnavailable, match="by hand"):
        use(Steps(installable=False), tmp_path)
    lost = Steps()
    machine = Machine(
        environment={},
        find=lambda: None,
        docker_answers=lambda: False,
        install=lambda _say: None,
    )
    with (
        pytest.raises(BrokerUnavailable, match="RENKEI_BROKER_URL"),
        provide(tmp_path, lost.done.append, machine),
    ):
        pass


def test_one_that_does_not_serve_is_stopped(tmp_path: Path) -> None:
    steps = Steps(installed=True, serves=False)
    with pytest.raises(BrokerError, match="plugin"):
        use(steps, tmp_path)
    assert steps.done == ["start private node", "check", "stop private node"]


def test_a_configured_address_is_read() -> None:
    broker = configured("amqp://us%40er:p%2Fw@mq.example/a%2Fb", None)
    assert (broker.host, broker.port, broker.admin_user) == ("mq.example", 5672, "us@er")
    assert broker.admin_password.get_secret_value() == "p/w"
    assert broker.vhost == "a/b"
    assert broker.management_url == "http://mq.example:15672"
    assert configured("amqp://u:p@[::1]:5/", None).management_url == "http://[::1]:15672"
    assert configured("amqp://u:p@h", "https://m/").management_url == "https://m/"
    assert configured("amqp://u:p@h", None).vhost is None


@pytest.mark.parametrize(
    "url", ["http://u:hunter2@h", "amqp://h:5672", "hunter2", "amqp://u:hunter2@h:port"]
)
def test_a_bad_address_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(BrokerUnavailable, match="RENKEI_BROKER_URL") as caught:
        configured(url, None)
    assert "hunter2" not in str(caught.value)


def test_a_configured_broker_that_is_not_there_is_named_by_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.broker.management.ATTEMPTS", 1)
    machine = Machine(
        environment={
            "RENKEI_BROKER_URL": "amqp://u:hunter2@127.0.0.1:1",
            "RENKEI_BROKER_MANAGEMENT_URL": "http://127.0.0.1:1",
        }
    )
    with (
        pytest.raises(BrokerUnavailable, match="RENKEI_BROKER_URL") as caught,
        provide(tmp_path, machine=machine),
    ):
        pass
    assert "hunter2" not in str(caught.value)
