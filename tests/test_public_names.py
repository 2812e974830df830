"""What the package offers; whoever changes this list changes the public interface."""

import gateway

NAMES = """
    AsyncResponseStream AuthenticationError ConfigError ConflictError Event Gateway GatewayError
    InvalidRequestError NotFoundError PluginError RateLimitError RequestError
    RequestTooLargeError Response ResponseStream StoreError Timeouts ToolError
    UpstreamAuthenticationError UpstreamError UpstreamProtocolError UpstreamRateLimitError
    UpstreamRejectedError UpstreamTimeoutError UpstreamUnavailableError UpstreamUnreachableError
    acancel_responses acompact_responses acount_input_tokens adelete_responses aget_responses
    alist_input_items aresponses cancel_responses compact_responses count_input_tokens
    delete_responses get_responses list_input_items responses
"""


def test_the_public_names_are_these() -> None:
    assert gateway.__all__ == NAMES.split()
    assert set(gateway.__all__) <= set(dir(gateway))


def test_each_public_name_is_there_and_has_a_docstring() -> None:
    assert [name for name in gateway.__all__ if not getattr(gateway, name).__doc__] == []


def test_every_error_is_public() -> None:
    assert set(gateway.errors.__all__) <= set(gateway.__all__)


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    assert not hasattr(gateway, "completion")
