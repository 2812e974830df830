"""Vertex AI: where it is, and the credentials of Google Cloud."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC
from importlib import import_module
from pathlib import Path
from typing import Any

from gateway.errors import UpstreamAuthenticationError
from gateway.plugin import Deployment, Grant

__all__ = ["fetch_grant", "vertex_url"]

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_MULTI_REGIONS = ("eu", "us")
_LOADERS = {
    "service_account": ("google.oauth2.service_account", "from_service_account_info"),
    "authorized_user": ("google.oauth2.credentials", "from_authorized_user_info"),
    "external_account": ("google.auth.identity_pool", "from_info"),
    "impersonated_service_account": (
        "google.auth.impersonated_credentials",
        "from_impersonated_service_account_info",
    ),
}
"""Where google-auth reads each type of credentials; its own switch warns whoever uses it."""


def vertex_url(settings: Mapping[str, str]) -> str:
    """Return the base URL; that of express mode, which takes API keys, if there is no project."""
    location, project = settings.get("vertex_location", "global"), settings.get("vertex_project")
    host = f"{location}-aiplatform.googleapis.com"
    if location == "global" or not project:
        host = "aiplatform.googleapis.com"
    elif location in _MULTI_REGIONS:
        host = f"aiplatform.{location}.rep.googleapis.com"
    place = f"/projects/{project}/locations/{location}" if project else ""
    return f"https://{host}/v1beta1{place}/publishers/google"


def fetch_grant(deployment: Deployment) -> Grant:
    """Return an access token of Google's. Blocks. Raises `UpstreamAuthenticationError`."""
    if not deployment.settings.get("vertex_project"):
        raise UpstreamAuthenticationError(
            "vertex needs a project: set vertex_project, or an api_key for express mode"
        )
    # google-auth takes a while to import, and only who comes here needs it.
    transport = import_module("google.auth.transport.urllib3")
    refused = import_module("google.auth.exceptions").GoogleAuthError
    secret = deployment.secrets.get("vertex_credentials")
    try:
        with import_module("urllib3").PoolManager() as pool:
            credentials = _load(secret.reveal() if secret else "")
            credentials.refresh(transport.Request(pool))
    except (refused, ValueError, OSError) as error:
        # What it says may quote the credentials; its name does not.
        raise UpstreamAuthenticationError(
            f"google cloud gave no access token ({type(error).__name__}): check"
            " vertex_credentials, or the application default credentials of this machine"
        ) from error
    headers: dict[str, str] = {}
    credentials.apply(headers)
    expiry = credentials.expiry
    return Grant(
        sign=lambda _request: headers,
        expires_at=expiry.replace(tzinfo=UTC).timestamp() if expiry else None,
    )


def _load(told: str) -> Any:
    """Return the credentials in `told`, which is JSON or the path of it, else those of the place.

    Raises `ValueError`, `OSError` or an error of google-auth.
    """
    if not told:
        return import_module("google.auth").default(scopes=_SCOPES)[0]
    is_json = told.lstrip().startswith("{")
    info = json.loads(told if is_json else Path(told).read_bytes())
    if (loader := _LOADERS.get(info.get("type", ""))) is None:
        raise ValueError("credentials of an unknown type")
    module, load = loader
    credentials = getattr(import_module(module).Credentials, load)(info)
    scoped = import_module("google.auth.credentials").with_scopes_if_required
    return scoped(credentials, _SCOPES)
