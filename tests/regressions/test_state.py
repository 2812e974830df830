"""Reports 7 and 11: state and approvals, which a chat upstream has not.

Other bridges answer such requests as if they had understood them, or fail with a 500. Here what
was never made and what was never asked is refused by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.errors import GatewayError

if TYPE_CHECKING:
    from .conftest import Gateway, Json

SERVER = {"type": "mcp", "server_label": "files", "server_url": "https://mcp.test"}
USER = {"role": "user", "content": "?"}
APPROVAL = {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": False}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"previous_response_id": "resp_1", "tools": [SERVER]}, "previous_response_id"),
        ({"input": [USER, APPROVAL]}, "input[1].approval_request_id"),
        ({"input": [USER, APPROVAL], "tools": [SERVER]}, "input[1].approval_request_id"),
    ],
    ids=["7 previous", "7 previous with MCP", "11 approval", "11 approval with MCP"],
)
async def test_7_11_what_cannot_be_done_is_refused_by_name(
    gateway: Gateway, body: Json, param: str
) -> None:
    with pytest.raises(GatewayError) as raised:
        await gateway.stream("openai_compatible", **body)
    assert (raised.value.status, raised.value.param) == (400, param)
    assert gateway.sent == []
