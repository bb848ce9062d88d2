"""住民基本台帳ネットワークシステム (住基GW): gets the 処理通番 of code requests."""

from hub.edge.kit import Adapter
from mappings.plain import writes
from schemas.linkage import ProcessingNumberIssued

ADAPTER = Adapter(
    system="juki-net",
    outbound=(writes("juki-net.processing-numbers", ProcessingNumberIssued),),
)
