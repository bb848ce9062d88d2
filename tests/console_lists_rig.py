"""What tests of the console's work lists share: messages that wait, and who looks at them."""

from tests.confirmations_rig import OTHER, changed, drain, open_ones
from tests.console_rig import ConsoleRig, Person
from tests.dead_letters_rig import died
from tests.samples import event

HOSTILE = "<script>alert(1)</script>"


def held(rig: ConsoleRig) -> int:
    drain(rig.hub, changed("a1"), changed("a2", my_number=OTHER, note=HOSTILE))
    (number,) = open_ones(rig.hub)
    return number


def by_two(rig: ConsoleRig, *lists: str) -> None:
    office = rig.console.office
    hub = office.site.hub.model_copy(update={"second_person": lists})
    object.__setattr__(office, "site", office.site.model_copy(update={"hub": hub}))


def dead(rig: ConsoleRig, *ids: str) -> list[int]:
    drain(rig.hub, *(event(id=one) for one in ids))
    return died(rig.hub, "union")


def shows(person: Person, path: str) -> str:
    answer = person.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text
