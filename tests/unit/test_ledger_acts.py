"""What people type about themselves is kept in the ledger, but for a 個人番号."""

import pytest

from hub.cli.ledger.common import asked_by
from hub.ledger.acts import act
from hub.ledger.model import Kind
from tests.samples import MY_NUMBER, NOW

pytestmark = pytest.mark.unit


def test_a_my_number_typed_by_mistake_is_masked() -> None:
    access = asked_by(MY_NUMBER, "市民課", f"番号 {MY_NUMBER}", "ledger search")
    one = act(Kind.OPERATOR_ACTION, access, NOW, detail=f"about {MY_NUMBER}")
    assert MY_NUMBER not in f"{one.access} {one.detail}"
    assert one.access.department == "市民課"
    assert one.detail.startswith("about ")
