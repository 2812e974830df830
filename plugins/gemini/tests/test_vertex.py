"""Google Cloud: where Vertex AI is, and how tokens are fetched. All keys here are invented."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.auth import jwt

from gateway import Gateway
from gateway.errors import UpstreamAuthenticationError
from gateway.plugin import ApiKey, Deployment, Grant, Granted, Secret, UpstreamRequest
from gateway.testing import ScriptedUpstream, json_answer
from gateway_gemini import PROVIDERS
from gateway_gemini.vertex import fetch_grant, vertex_url

TOKEN = {"access_token": "invented-token", "expires_in": 3600, "token_type": "Bearer"}
REQUEST = UpstreamRequest(url="https://vertex.test")
GEMINI, INTERACTIONS, VERTEX, VERTEX_AI = PROVIDERS


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        (
            {"vertex_project": "p", "vertex_location": "europe-west4"},
            "https://europe-west4-aiplatform.googleapis.com/v1beta1/projects/p/locations/europe-west4",
        ),
        (
            {"vertex_project": "p", "vertex_location": "global"},
            "https://aiplatform.googleapis.com/v1beta1/projects/p/locations/global",
        ),
        (
            {"vertex_project": "p", "vertex_location": "eu"},
            "https://aiplatform.eu.rep.googleapis.com/v1beta1/projects/p/locations/eu",
        ),
        ({"vertex_location": "europe-west4"}, "https://aiplatform.googleapis.com/v1beta1"),
    ],
)
def test_an_address_follows_from_project_and_location(settings: dict[str, str], url: str) -> None:
    assert vertex_url(settings) == f"{url}/publishers/google"


def test_providers_have_the_names_and_keys_that_operators_expect() -> None:
    assert [one.name for one in PROVIDERS] == [
        "gemini",
        "gemini_interactions",
        "vertex",
        "vertex_ai",
    ]
    assert INTERACTIONS.base_url == GEMINI.base_url
    assert INTERACTIONS.credentials == GEMINI.credentials
    assert isinstance(GEMINI.credentials, ApiKey)
    assert GEMINI.credentials.env == ("GEMINI_API_KEY", "GOOGLE_API_KEY")
    for provider in (VERTEX, VERTEX_AI):
        assert isinstance(provider.credentials, Granted)
        assert not provider.credentials.key.required
        assert provider.credentials.key.header == "x-goog-api-key"
        assert provider.settings["vertex_credentials"].secret


@pytest_asyncio.fixture
async def google() -> AsyncGenerator[ScriptedUpstream]:
    """Answer for Google's token endpoint."""
    async with ScriptedUpstream() as upstream:
        yield upstream


@pytest.fixture(scope="session")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture
def account(google: ScriptedUpstream, private_key: str) -> dict[str, str]:
    """Return the file of an invented service account."""
    return {
        "type": "service_account",
        "client_email": "gateway@invented.test",
        "private_key": private_key,
        "private_key_id": "invented",
        "project_id": "invented",
        "token_uri": f"{google.url}/token",
    }


def deployment(credentials: str = "", **settings: str) -> Deployment:
    return Deployment(
        alias="alias",
        provider="vertex",
        model="gemini-3.5-flash",
        account="account",
        settings=settings or {"vertex_project": "p"},
        secrets={"vertex_credentials": Secret(credentials)} if credentials else {},
    )


async def fetch(credentials: str = "", **settings: str) -> Grant:
    return await asyncio.to_thread(fetch_grant, deployment(credentials, **settings))


def assertion_in(google: ScriptedUpstream) -> Any:
    """Return what the service account has claimed at the token endpoint."""
    form = dict(pair.split("=") for pair in google.requests[0].body.decode().split("&"))
    return jwt.decode(form["assertion"], verify=False)


@pytest.fixture
def auckland(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Live where the clock is far from UTC, in which Google counts."""
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("auckland")
async def test_a_service_account_gets_a_token_that_lasts(
    google: ScriptedUpstream, account: dict[str, str]
) -> None:
    google.add(json_answer(TOKEN))
    grant = await fetch(json.dumps(account))
    assert grant.sign(REQUEST) == {"authorization": "Bearer invented-token"}
    claims = assertion_in(google)
    assert claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"
    assert grant.expires_at == pytest.approx(claims["iat"] + 3600, abs=30)


async def test_credentials_may_be_in_a_file(
    google: ScriptedUpstream, account: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "account.json"
    file.write_text(json.dumps({**account, "quota_project_id": "payer"}))
    google.add(json_answer(TOKEN))
    grant = await fetch(str(file))
    assert grant.sign(REQUEST)["authorization"] == "Bearer invented-token"


async def test_the_place_itself_may_have_credentials(
    google: ScriptedUpstream,
    account: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    google.add(json_answer(TOKEN))
    grant = await fetch()
    assert grant.sign(REQUEST) == {"authorization": "Bearer invented-token"}


async def test_a_person_pays_with_a_project(
    google: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = "google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT"
    monkeypatch.setattr(where, f"{google.url}/token")
    google.add(json_answer(TOKEN))
    person = {
        "type": "authorized_user",
        "client_id": "invented",
        "client_secret": "invented",
        "refresh_token": "invented",
        "quota_project_id": "payer",
    }
    grant = await fetch(json.dumps(person))
    assert grant.sign(REQUEST) == {
        "authorization": "Bearer invented-token",
        "x-goog-user-project": "payer",
    }


@pytest.mark.parametrize(
    "credentials",
    ["/nowhere/at-all.json", "{", "{}", '{"type": "gdch"}', '{"type": "service_account"}'],
)
async def test_credentials_that_cannot_be_read_are_told_and_not_shown(credentials: str) -> None:
    with pytest.raises(UpstreamAuthenticationError, match="vertex_credentials") as caught:
        await fetch(credentials)
    assert "nowhere" not in caught.value.message


async def test_a_refused_account_is_the_gateways_failure(
    google: ScriptedUpstream, account: dict[str, str]
) -> None:
    google.add(json_answer({"error": "invalid_grant", "private_key": "secret"}, status=400))
    with pytest.raises(UpstreamAuthenticationError) as caught:
        await fetch(json.dumps(account))
    assert caught.value.status == 502
    assert "secret" not in caught.value.message


async def test_without_a_project_there_is_only_express_mode() -> None:
    with pytest.raises(UpstreamAuthenticationError, match="vertex_project"):
        await fetch(vertex_location="eu")


async def ask_vertex(tmp_path: Path, google: ScriptedUpstream, **params: str) -> str:
    """Return what a gateway answers whose Vertex AI is at `google`."""
    entry = {"model": "vertex_ai/gemini-3.5-flash", "base_url": google.url, **params}
    models = [{"model_name": "ours", "params": {**entry, "vertex_project": "p"}}]
    config = tmp_path / "gateway.yaml"
    config.write_text(json.dumps({"model_list": models, "state": {"directory": str(tmp_path)}}))
    async with Gateway.from_config(config) as gateway:
        return (await gateway.responses(model="ours", input="Hello")).output_text


ANSWER = {"content": {"role": "model", "parts": [{"text": "Hi."}]}, "finishReason": "STOP"}


async def test_a_gateway_sends_the_token_and_fetches_it_once(
    google: ScriptedUpstream, account: dict[str, str], tmp_path: Path
) -> None:
    google.add(json_answer(TOKEN), json_answer({"candidates": [ANSWER]}))
    said = await ask_vertex(tmp_path, google, vertex_credentials=json.dumps(account))
    assert said == "Hi."
    assert google.requests[1].path.startswith("/models/gemini-3.5-flash:streamGenerateContent")
    assert google.requests[1].headers["authorization"] == "Bearer invented-token"


async def test_a_gateway_sends_the_key_of_express_mode(
    google: ScriptedUpstream, tmp_path: Path
) -> None:
    google.add(json_answer({"candidates": [ANSWER]}))
    assert await ask_vertex(tmp_path, google, api_key="invented-key") == "Hi."
    assert google.requests[0].headers["x-goog-api-key"] == "invented-key"
    assert "authorization" not in google.requests[0].headers


async def test_a_gateway_answers_502_if_google_refuses_its_account(
    google: ScriptedUpstream, account: dict[str, str], tmp_path: Path
) -> None:
    google.add(json_answer({"error": "invalid_grant"}, status=400))
    with pytest.raises(UpstreamAuthenticationError) as caught:
        await ask_vertex(tmp_path, google, vertex_credentials=json.dumps(account))
    assert caught.value.status == 502
    assert caught.value.code == "upstream_authentication_error"
