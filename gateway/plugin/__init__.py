"""What plugin authors import. Everything exported here is public and versioned by
`Provider.api`.
"""

import pluggy

from gateway.config import Config, McpServer, ToolSettings
from gateway.plugin.deployment import Deployment, Secret, Timeouts
from gateway.plugin.dialect import (
    Call,
    ContinuingTranslator,
    CountingDialect,
    Dialect,
    Failure,
    LimitingDialect,
    NativeCall,
    NativeDialect,
    Operation,
    Translator,
    UpstreamRequest,
    counts,
    limits,
)
from gateway.plugin.observe import Observer, RequestRecord
from gateway.plugin.provider import (
    ApiKey,
    Credentials,
    Download,
    Grant,
    Granted,
    NoKey,
    Progress,
    Provider,
    Setting,
)
from gateway.plugin.store import (
    Conversation,
    Events,
    History,
    Job,
    Origin,
    Page,
    Record,
    Slice,
    Store,
    StoredItem,
    StoreKind,
    StoreSettings,
)
from gateway.plugin.support import Action, Support, SupportTable, Verdict
from gateway.plugin.tools import Invocation, Source, ToolFunction, ToolOutcome, ToolRunner
from gateway.plugin.transport import Answer, Transport
from gateway.stream.deltas import (
    Annotation,
    CustomCall,
    Delta,
    Finished,
    FinishReason,
    Item,
    Key,
    Logprobs,
    Refusal,
    Text,
    Thought,
    ToolCall,
    Used,
)
from gateway.stream.event_stream import EXCEPTION, EventStream
from gateway.stream.frames import Frame, Framing, WholeBody
from gateway.stream.sse import SSEDecoder

hookimpl = pluggy.HookimplMarker("gateway")
"""Marks a function as the implementation of the hook of its name."""

__all__ = [
    "EXCEPTION",
    "Action",
    "Annotation",
    "Answer",
    "ApiKey",
    "Call",
    "Config",
    "ContinuingTranslator",
    "Conversation",
    "CountingDialect",
    "Credentials",
    "CustomCall",
    "Delta",
    "Deployment",
    "Dialect",
    "Download",
    "EventStream",
    "Events",
    "Failure",
    "FinishReason",
    "Finished",
    "Frame",
    "Framing",
    "Grant",
    "Granted",
    "History",
    "Invocation",
    "Item",
    "Job",
    "Key",
    "LimitingDialect",
    "Logprobs",
    "McpServer",
    "NativeCall",
    "NativeDialect",
    "NoKey",
    "Observer",
    "Operation",
    "Origin",
    "Page",
    "Progress",
    "Provider",
    "Record",
    "Refusal",
    "RequestRecord",
    "SSEDecoder",
    "Secret",
    "Setting",
    "Slice",
    "Source",
    "Store",
    "StoreKind",
    "StoreSettings",
    "StoredItem",
    "Support",
    "SupportTable",
    "Text",
    "Thought",
    "Timeouts",
    "ToolCall",
    "ToolFunction",
    "ToolOutcome",
    "ToolRunner",
    "ToolSettings",
    "Translator",
    "Transport",
    "UpstreamRequest",
    "Used",
    "Verdict",
    "WholeBody",
    "counts",
    "hookimpl",
    "limits",
]
