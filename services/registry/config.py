"""Settings: one struct, read once from the environment. Floor 0: everything may read it, it reads nothing."""

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
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
    write_rate: Annotated[
        int, Meta(ge=0, description="Writes a second of one key or token; 0 is no limit")
    ] = 0
    read_rate: Annotated[int, Meta(ge=0, description="Reads a second of one key or token; 0 is no limit")] = 0
    address_rate: Annotated[
        int,
        Meta(ge=0, description="Requests a second of one address that shows no key or token; 0 is no limit"),
    ] = 500
    burst_seconds: Annotated[
        int, Meta(ge=1, le=3600, description="For how many seconds of it a rate may be used at once")
    ] = 10
    failure_rate: Annotated[
        int,
        Meta(ge=0, description="Keys and tokens that do not hold, a minute, of one address; 0 is no limit"),
    ] = 300
    trusted_proxies: Annotated[
        str,
        Meta(description="Networks, separated by commas, whose `X-Forwarded-For` is believed, as 10.0.0.0/8"),
    ] = ""
    max_streams: Annotated[
        int, Meta(ge=1, description="Live streams and whole lists that one process sends at once")
    ] = 1000
    max_streams_each: Annotated[
        int, Meta(ge=1, description="The same, for one key or token, or address that shows none")
    ] = 100
    stream_seconds: Annotated[
        int, Meta(ge=1, description="Seconds after which a live stream is ended, to be taken up again")
    ] = 3600
    max_connections: Annotated[int, Meta(ge=1, description="Connections that one process holds")] = 4000
    max_connections_each: Annotated[
        int,
        Meta(
            ge=1, description="The same, of one address; this machine and trusted proxies have no such limit"
        ),
    ] = 500
    max_head_bytes: Annotated[
        int, Meta(ge=1024, le=1_048_576, description="Longest head of a request: its line and all headers")
    ] = 32_768
    head_seconds: Annotated[int, Meta(ge=1, description="Seconds to send the head of a request")] = 10
    body_seconds: Annotated[
        int, Meta(ge=1, description="Seconds to send a body, and one more for each 4 KiB of it")
    ] = 20
    stall_seconds: Annotated[
        int, Meta(ge=1, description="Seconds after which a client that takes nothing of an answer is dropped")
    ] = 30
    queue_events: Annotated[int, Meta(ge=1, description="Most events that wait to be committed")] = 10_000
    lock_timeout: Annotated[
        int, Meta(ge=1, le=600, description="Seconds to wait for the head of the log")
    ] = 10
    state_cache_events: Annotated[
        int, Meta(ge=0, description="Events whose folded states are kept in memory")
    ] = 200_000

    log_format: Annotated[
        Literal["", "json", "text"],
        Meta(description="`json` or `text` for what is logged; unless set, text on a terminal and else JSON"),
    ] = ""
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="What is logged, from this level on")
    ] = "info"
    access_lines: Annotated[
        bool, Meta(description="`true` logs a line for every request, at the level `info`")
    ] = True
    metrics_open: Annotated[
        bool, Meta(description="`true` gives `/metrics` to anybody; else the scope `admin` is asked for")
    ] = False
    metrics_directory: Annotated[
        str,
        Meta(
            description="Directory in which processes on one port tell each other their metrics; `--workers` "
            "makes one"
        ),
    ] = ""
    otlp_endpoint: Annotated[
        str,
        Meta(description="OpenTelemetry collector that gets traces over OTLP/HTTP: its http or https URL"),
    ] = ""
    ready_lag: Annotated[
        int,
        Meta(ge=1, description="Seconds that read models and checkpoints may lag before `/readyz` says 503"),
    ] = 300
    drain_seconds: Annotated[
        int, Meta(ge=0, le=60, description="Seconds to go on after SIGTERM, while `/readyz` already says 503")
    ] = 0

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
        if self.otlp_endpoint and not is_plain_url(self.otlp_endpoint):
            raise ValueError("REGISTRY_OTLP_ENDPOINT is no http:// or https:// URL of a host alone")
        try:
            _ = self.proxies
        except ValueError as error:
            raise ValueError(f"REGISTRY_TRUSTED_PROXIES: {error}") from None

    @property
    def proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks of the proxies that are believed."""
        return tuple(ip_network(each.strip()) for each in self.trusted_proxies.split(",") if each.strip())

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


def is_plain_url(url: str) -> bool:
    """Tell whether a URL is of http or https, and names nothing but a place."""
    try:
        split = urlsplit(url)
        host = split.hostname or ""
    except ValueError:
        return False
    named = bool(host) and not ("@" in split.netloc or "?" in url or "#" in url) and url.isprintable()
    return named and split.scheme in ("http", "https")


def is_safe_url(url: str) -> bool:
    """Tell whether a URL is of https, or of http on this machine, and names nothing but a place."""
    if not is_plain_url(url):
        return False
    split = urlsplit(url)
    return split.scheme == "https" or is_loopback(split.hostname or "")


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
