"""サービス検索・電子申請機能, with 申請管理システム: gives electronic applications, over HTTP."""

from adapters.e_application.courier import carry
from hub.edge.kit import Adapter, Inbound, without_desk
from mappings import e_application as mapping
from schemas.application import ApplicationFiled

ADAPTER = Adapter(
    system="e-application",
    inbound=(
        Inbound(
            pattern="SHINSEI_*.zip",
            layout=mapping.LAYOUT,
            message_type=ApplicationFiled.MESSAGE_TYPE,
            to_messages=without_desk(mapping.to_messages()),
        ),
    ),
    courier=carry,
)
