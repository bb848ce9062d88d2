"""続柄: how a member is related to the head, with 「の」 chains; the codes are assumed."""

Relation = tuple[str, str]
"""続柄コード (two digits for each link of the chain) and 続柄表記."""

HEAD: Relation = ("02", "世帯主")
HUSBAND: Relation = ("11", "夫")
WIFE: Relation = ("12", "妻")
CHILD: Relation = ("20", "子")
FATHER: Relation = ("51", "父")
MOTHER: Relation = ("52", "母")
SIBLING: Relation = ("70", "兄弟姉妹")
LODGER: Relation = ("99", "同居人")
_MALE = "1"
_SPOUSES = frozenset({HUSBAND, WIFE})
_PARENTS = frozenset({FATHER, MOTHER})


def spouse(sex: str) -> Relation:
    """Name someone's spouse by the spouse's own sex."""
    return HUSBAND if sex == _MALE else WIFE


def parent(sex: str) -> Relation:
    """Name a parent by their sex."""
    return FATHER if sex == _MALE else MOTHER


def chain(first: Relation, second: Relation) -> Relation:
    """Say 「first の second」."""
    return first[0] + second[0], f"{first[1]}の{second[1]}"


def to_new_head(member: Relation, member_sex: str, head: Relation, former_sex: str) -> Relation:
    """Say how a member is related to a new head.

    ``member`` and ``head`` are their relations to the former head, whose own relation is
    ``HEAD``. What these few rules do not know becomes 同居人.
    """
    former = _former_head(head, former_sex)
    if HEAD in {member, former}:
        return former if member == HEAD else member
    if former in _SPOUSES:
        return chain(former, member) if member in _PARENTS else member
    if former in _PARENTS and member in _SPOUSES:
        return parent(member_sex)
    if former in _PARENTS and member == CHILD:
        return SIBLING
    if former in {*_PARENTS, CHILD} and len(member[0]) == len(HEAD[0]):
        return chain(former, member)
    return LODGER


def _former_head(head: Relation, former_sex: str) -> Relation:
    if head in _SPOUSES:
        return spouse(former_sex)
    if head == CHILD:
        return parent(former_sex)
    if head in _PARENTS:
        return CHILD
    return HEAD if head == HEAD else LODGER
