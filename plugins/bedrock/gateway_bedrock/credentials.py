"""AWS credentials, found as every AWS tool finds them, and the signatures made with them."""

from collections.abc import Mapping
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from gateway.errors import UpstreamAuthenticationError
from gateway.plugin import Deployment, Grant, UpstreamRequest

__all__ = ["fetch_grant"]


def fetch_grant(deployment: Deployment, *, service: str) -> Grant:
    """Return what signs requests to `service`. Raises `UpstreamAuthenticationError`."""
    # Loading botocore takes half a second: who has a Bedrock key shall not wait for it.
    failures = import_module("botocore.exceptions")
    try:
        credentials, expires_at = _find(deployment)
    except (failures.BotoCoreError, failures.ClientError, OSError) as error:
        told = getattr(error, "response", {}).get("Error", {})  # its message names accounts
        why = told.get("Code") or type(error).__name__
        message = f"no AWS credentials for {deployment.alias!r}, check its aws_ settings: {why}"
        raise UpstreamAuthenticationError(message) from error
    if credentials is None:
        message = f"no AWS credentials for {deployment.alias!r}: set a key, a profile or a role"
        raise UpstreamAuthenticationError(message)
    region = deployment.settings.get("aws_region_name", "")
    new_request = import_module("botocore.awsrequest").AWSRequest
    authority = import_module("botocore.auth").SigV4Auth(credentials, service, region)

    def sign(request: UpstreamRequest) -> Mapping[str, str]:
        kind = {name: text for name, text in request.headers.items() if name == "content-type"}
        signed = new_request(request.method, request.url, kind, request.body)
        authority.add_auth(signed)
        return {name.lower(): value for name, value in signed.headers.items()}

    return Grant(sign=sign, expires_at=expires_at)


def _find(deployment: Deployment) -> tuple[Any, float | None]:
    """Return credentials and when they end: those of the settings, or of botocore's own chain."""
    settings = deployment.settings
    secrets = {name: secret.reveal() for name, secret in deployment.secrets.items()}
    session = import_module("botocore.session").Session(profile=settings.get("aws_profile_name"))
    if key := settings.get("aws_access_key_id"):
        secret = secrets.get("aws_secret_access_key", "")
        session.set_credentials(key, secret, secrets.get("aws_session_token"))
    if settings.get("aws_role_name"):
        return _assume_role(session, settings, secrets.get("aws_web_identity_token", ""))
    if (found := session.get_credentials()) is None:
        return None, None
    frozen = found.get_frozen_credentials()
    expiry = getattr(found, "_expiry_time", None)  # botocore tells it in no other way
    return frozen, expiry.timestamp() if isinstance(expiry, datetime) else None


def _assume_role(session: Any, settings: Mapping[str, str], token: str) -> tuple[Any, float]:
    """Return the credentials of the role, for which `token` may speak: itself, or a file of it."""
    region, endpoint = settings.get("aws_region_name"), settings.get("aws_sts_endpoint")
    service = session.create_client("sts", region_name=region, endpoint_url=endpoint)
    name = settings.get("aws_session_name", "responses-gateway")
    wanted = {"RoleArn": settings["aws_role_name"], "RoleSessionName": name}
    if token:
        identity = Path(token).read_text().strip() if token.startswith("/") else token
        answer = service.assume_role_with_web_identity(**wanted, WebIdentityToken=identity)
    else:
        external = settings.get("aws_external_id")
        answer = service.assume_role(**wanted, **({"ExternalId": external} if external else {}))
    given = answer["Credentials"]
    parts = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    credentials = import_module("botocore.credentials").ReadOnlyCredentials(*parts)
    return credentials, given["Expiration"].timestamp()
