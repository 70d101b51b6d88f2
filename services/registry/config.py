"""Settings: one struct, read once from the environment. Floor 0: everything may read it, it reads nothing."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

PREFIX = "REGISTRY_"


class SettingsError(Exception):
    """The environment does not make a configuration; the text names the variable and says why."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting, named in the environment as ``REGISTRY_`` and the field's name in capitals."""

    database: Annotated[str, Meta(min_length=1, description="SQLAlchemy URL of the event store")] = (
        "sqlite:///registry.db"
    )
    database_password_file: Annotated[
        str, Meta(description="File with the password for PostgreSQL, so that it stands in no URL")
    ] = ""
    host: Annotated[str, Meta(min_length=1, description="Address to listen on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port to listen on")] = 8000
    origin: Annotated[
        str,
        Meta(
            max_length=255,
            pattern=r"^[^\s+\x00-\x1f]*\Z",
            description="Name of the log, fixed when the database is made; no spaces and no +",
        ),
    ] = ""
    log_key_file: Annotated[
        str, Meta(description="Key that signs checkpoints; SQLite makes one beside the database")
    ] = ""
    log_key_file_next: Annotated[
        str, Meta(description="Key that signs as well while the log changes from one to the other")
    ] = ""
    checkpoint_file: Annotated[
        str, Meta(description="Where the last checkpoint is kept too; SQLite keeps it beside the database")
    ] = ""
    witnesses_file: Annotated[
        str, Meta(description="Witnesses to ask for cosignatures, a line each: verifier key and URL")
    ] = ""
    witness_name: Annotated[
        str,
        Meta(
            pattern=r"^[^\s+\x00-\x1f]*\Z", description="Name under which this registry is a witness itself"
        ),
    ] = ""
    witness_key_file: Annotated[str, Meta(description="Key with which it cosigns the logs of others")] = ""
    witnessed_logs_file: Annotated[
        str, Meta(description="Logs it is a witness for: a verifier key a line, and the origin if it differs")
    ] = ""
    auth: Annotated[
        Literal["on", "off"],
        Meta(description="`off` lets every request do everything, and binds to loopback only"),
    ] = "on"
    public_read: Annotated[
        bool,
        Meta(description="`true` lets anybody read agreements and events, without personal values"),
    ] = False
    require_reason: Annotated[
        bool,
        Meta(description="`true` shows personal values and evidence only for an `Access-Reason`"),
    ] = False
    oidc_issuer: Annotated[
        str, Meta(description="OpenID Connect issuer whose tokens are taken as well as keys: its https URL")
    ] = ""
    oidc_audience: Annotated[
        str, Meta(description="Audience that tokens must be for; needed with an issuer")
    ] = ""
    oidc_jwks_url: Annotated[
        str, Meta(description="Where the issuer's keys are, when they are on another host than the issuer")
    ] = ""
    oidc_scope_claim: Annotated[
        str,
        Meta(min_length=1, description="Claim of a token that lists its scopes, such as `scp` or `roles`"),
    ] = "scope"
    service_role: Annotated[
        str, Meta(pattern=r"^([a-z_][a-z0-9_]*)?$", description="PostgreSQL role that migrations grant to")
    ] = ""
    max_event_bytes: Annotated[int, Meta(ge=1024, le=262_144, description="Largest event, in bytes")] = (
        262_144
    )
    max_batch_events: Annotated[int, Meta(ge=1, le=10_000, description="Most events in one request")] = 1000
    max_batch_bytes: Annotated[int, Meta(ge=1024, description="Largest request body, in bytes")] = 4_194_304
    queue_events: Annotated[int, Meta(ge=1, description="Most events that wait to be committed")] = 10_000
    lock_timeout: Annotated[
        int, Meta(ge=1, le=600, description="Seconds to wait for the head of the log")
    ] = 10
    state_cache_events: Annotated[
        int, Meta(ge=0, description="Events whose folded states are kept in memory")
    ] = 200_000

    def __post_init__(self) -> None:
        """Refuse a combination that is unsafe, whatever each value says alone."""
        if self.auth == "off" and not is_loopback(self.host):
            raise ValueError("REGISTRY_AUTH=off binds loopback addresses only; REGISTRY_HOST is another")
        if self.oidc_issuer and not self.oidc_audience:
            raise ValueError(
                "REGISTRY_OIDC_ISSUER needs REGISTRY_OIDC_AUDIENCE: else tokens for others are taken"
            )
        for name in ("oidc_issuer", "oidc_jwks_url"):
            if (url := getattr(self, name)) and not is_safe_url(url):
                raise ValueError(f"{PREFIX}{name.upper()} is no https:// URL without query and fragment")

    @property
    def sqlite(self) -> bool:
        """True when the store is an embedded file."""
        return self.database.startswith("sqlite")


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_safe_url(url: str) -> bool:
    """Tell whether a URL is of https, or of http on this machine, and names nothing but a place."""
    try:
        split = urlsplit(url)
        host = split.hostname or ""
    except ValueError:
        return False
    named = bool(host) and not ("@" in split.netloc or "?" in url or "#" in url) and url.isprintable()
    return named and (split.scheme == "https" or (split.scheme == "http" and is_loopback(host)))


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings. Raises SettingsError on an unknown name or a value that does not fit."""
    given = {name[len(PREFIX) :].lower(): value for name, value in environ.items() if name.startswith(PREFIX)}
    known = set(Settings.__struct_fields__)
    if unknown := sorted(set(given) - known):
        names = ", ".join(PREFIX + name.upper() for name in unknown)
        raise SettingsError(f"unknown setting {names}; known: {', '.join(sorted(known))}")
    try:
        return msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(_in_words(str(error))) from error


def _in_words(message: str) -> str:
    """Name the variable instead of the path; the value stays out of it, it may hold a password."""
    reason, _, path = message.partition(" - at `$.")
    return f"{PREFIX}{path.rstrip('`').upper()}: {reason}" if path else reason
