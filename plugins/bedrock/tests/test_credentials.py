"""Credentials are found where AWS tools look, and requests carry AWS's signature."""

import asyncio
import hashlib
import hmac
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from msgspec.structs import replace

from gateway.errors import UpstreamAuthenticationError
from gateway.plugin import Deployment, Grant, Secret, UpstreamRequest
from gateway.testing import ScriptedUpstream
from gateway.testing.script import Script
from gateway.upstream.grants import Grants
from gateway_bedrock.credentials import fetch_grant

from .conftest import deployment

REGION = "eu-west-1"
ROLE = "arn:aws:iam::123456789012:role/gateway"
END = "2099-01-01T00:00:00Z"
REQUEST = UpstreamRequest(
    url="https://bedrock-runtime.eu-west-1.amazonaws.com/model/us.vendor.model-v1%3A0/converse-stream",
    body=b'{"messages":[]}',
    headers={"content-type": "application/json"},
)


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "PROFILE", "ROLE_ARN"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def settled(**settings: str) -> Deployment:
    secrets = {"aws_secret_access_key", "aws_session_token", "aws_web_identity_token"}
    told = {"aws_region_name": REGION, **settings}
    return replace(
        deployment("vendor.model", {}),
        settings={name: value for name, value in told.items() if name not in secrets},
        secrets={name: Secret(value) for name, value in told.items() if name in secrets},
    )


def key_of(grant: Grant) -> str:
    return grant.sign(REQUEST)["authorization"].partition("Credential=")[2].partition("/")[0]


def signature(secret: str, moment: str, request: UpstreamRequest, service: str) -> str:
    """Sign as AWS documents it: method, path encoded once more, headers, hash of the body."""
    address = urlsplit(request.url)
    path = quote(address.path, safe="/~")
    headers = {
        "content-type": request.headers["content-type"],
        "host": address.netloc,
        "x-amz-date": moment,
    }
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    digest = hashlib.sha256(request.body).hexdigest()
    canonical = f"POST\n{path}\n{address.query}\n{lines}\n{';'.join(headers)}\n{digest}"
    scope = f"{moment[:8]}/{REGION}/{service}/aws4_request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for part in (*scope.split("/"), f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashed}"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()


@pytest.mark.parametrize("service", ["bedrock", "bedrock-mantle"])
def test_a_request_is_signed_as_aws_documents_it(service: str) -> None:
    chosen = settled(aws_access_key_id="AKID", aws_secret_access_key="secret")
    grant = fetch_grant(chosen, service=service)
    headers = grant.sign(REQUEST)
    said = headers["authorization"].partition("Signature=")[2]
    assert said == signature("secret", headers["x-amz-date"], REQUEST, service)
    assert grant.expires_at is None


def test_the_session_token_goes_along() -> None:
    keys = {"aws_access_key_id": "AKID", "aws_secret_access_key": "s", "aws_session_token": "token"}
    headers = fetch_grant(settled(**keys), service="bedrock").sign(REQUEST)
    assert headers["x-amz-security-token"] == "token"
    assert "x-amz-security-token" in headers["authorization"]


def test_keys_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "FROMENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert key_of(fetch_grant(settled(), service="bedrock")) == "FROMENV"
    own = settled(aws_access_key_id="OWN", aws_secret_access_key="secret")
    assert key_of(fetch_grant(own, service="bedrock")) == "OWN"


def test_keys_are_read_from_a_profile(tmp_path: Path) -> None:
    keys = "aws_access_key_id = FROMFILE\naws_secret_access_key = secret\n"
    (tmp_path / "credentials").write_text(f"[work]\n{keys}")
    grant = fetch_grant(settled(aws_profile_name="work"), service="bedrock")
    assert key_of(grant) == "FROMFILE"


@pytest.mark.parametrize("settings", [{}, {"aws_profile_name": "nobody"}])
def test_without_credentials_there_is_no_grant(settings: dict[str, str]) -> None:
    with pytest.raises(UpstreamAuthenticationError, match="'alias'"):
        fetch_grant(settled(**settings), service="bedrock")


def given(number: int, operation: str = "AssumeRole") -> Script:
    """Write what STS answers, which is XML."""
    body = f"""<{operation}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
        <{operation}Result><Credentials>
            <AccessKeyId>ASSUMED{number}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>
            <SessionToken>token{number}</SessionToken><Expiration>{END}</Expiration>
        </Credentials></{operation}Result></{operation}Response>"""
    return Script(headers={"content-type": "text/xml"}, body=(body.encode(),))


async def test_a_role_is_assumed_again_for_each_grant() -> None:
    async with ScriptedUpstream(given(1), given(2)) as sts:
        chosen = settled(
            aws_access_key_id="AKID",
            aws_secret_access_key="secret",
            aws_role_name=ROLE,
            aws_session_name="mine",
            aws_external_id="outside",
            aws_sts_endpoint=sts.url,
        )
        first = await asyncio.to_thread(fetch_grant, chosen, service="bedrock")
        second = await asyncio.to_thread(fetch_grant, chosen, service="bedrock")
    assert (key_of(first), key_of(second)) == ("ASSUMED1", "ASSUMED2")
    assert first.sign(REQUEST)["x-amz-security-token"] == "token1"
    assert first.expires_at == datetime(2099, 1, 1, tzinfo=UTC).timestamp()
    asked = parse_qs(sts.requests[0].body.decode())
    assert (asked["RoleArn"], asked["RoleSessionName"]) == ([ROLE], ["mine"])
    assert asked["ExternalId"] == ["outside"]


async def test_a_role_that_has_expired_is_assumed_anew() -> None:
    now = [0.0]
    fetch = partial(fetch_grant, service="bedrock")
    async with ScriptedUpstream(given(1), given(2)) as sts, Grants(lambda: now[0]) as grants:
        keys = {"aws_access_key_id": "AKID", "aws_secret_access_key": "secret"}
        chosen = settled(**keys, aws_role_name=ROLE, aws_sts_endpoint=sts.url)
        tokens: list[str] = []
        for moment in (0.0, 1.0, datetime(2099, 1, 2, tzinfo=UTC).timestamp()):
            now[0] = moment
            signed = await grants.sign(chosen, fetch, REQUEST)
            tokens.append(signed["x-amz-security-token"])
    assert tokens == ["token1", "token1", "token2"]


async def test_a_role_is_assumed_with_a_web_identity(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("identity\n")
    operation = "AssumeRoleWithWebIdentity"
    async with ScriptedUpstream(given(1, operation), given(2, operation)) as sts:
        for token in (str(tmp_path / "token"), "identity"):
            chosen = settled(
                aws_role_name=ROLE, aws_web_identity_token=token, aws_sts_endpoint=sts.url
            )
            grant = await asyncio.to_thread(fetch_grant, chosen, service="bedrock")
            assert key_of(grant).startswith("ASSUMED")
    asked = [parse_qs(request.body.decode())["WebIdentityToken"] for request in sts.requests]
    assert asked == [["identity"]] * 2


async def test_a_role_that_is_refused_is_told_without_names() -> None:
    body = """<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>
        <Message>User arn:aws:iam::123456789012:user/me may not</Message></Error></ErrorResponse>"""
    refusal = Script(status=403, headers={"content-type": "text/xml"}, body=(body.encode(),))
    async with ScriptedUpstream(refusal) as sts:
        keys = {"aws_access_key_id": "AKID", "aws_secret_access_key": "secret"}
        chosen = settled(**keys, aws_role_name=ROLE, aws_sts_endpoint=sts.url)
        with pytest.raises(UpstreamAuthenticationError, match="AccessDenied") as raised:
            await asyncio.to_thread(fetch_grant, chosen, service="bedrock")
    assert "123456789012" not in raised.value.message
    assert "secret" not in raised.value.message


def test_a_token_file_that_is_missing_is_told() -> None:
    chosen = settled(aws_role_name=ROLE, aws_web_identity_token="/nowhere/token")
    with pytest.raises(UpstreamAuthenticationError, match="FileNotFoundError"):
        fetch_grant(chosen, service="bedrock")
