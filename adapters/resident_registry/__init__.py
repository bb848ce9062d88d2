"""既存住民基本台帳システム: gives residents and their changes, by household."""

from hub.edge.kit import Adapter, Inbound, without_desk
from mappings import resident_registry as mapping
from schemas.resident import ResidentChanged

ADAPTER = Adapter(
    system="resident-registry",
    inbound=(
        Inbound(
            pattern="JUKI_*.csv",
            layout=mapping.LAYOUT,
            message_type=ResidentChanged.MESSAGE_TYPE,
            to_messages=without_desk(mapping.to_messages),
        ),
    ),
)
