"""The kinds of problems the registry answers with (RFC 9457): a name for ever, a title that never varies."""

import msgspec

PATH = "/problems/"


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of problem. Its ``type`` is a path on the registry itself, where its page is."""

    name: str
    status: int
    title: str
    says: str
    """What it means, for the page of the kind."""
    remedy: str
    """What whoever gets it can do."""

    @property
    def type(self) -> str:
        """The ``type`` member of the problem."""
        return PATH + self.name


MALFORMED = Kind(
    name="malformed",
    status=400,
    title="The request cannot be read",
    says="The body is not strict JSON, a query parameter is unknown, repeated or no value of "
    "its kind, or a header cannot be acted on. Strict JSON has no repeated names, NaN or "
    "Infinity, fractions or exponents, integers beyond 2^53 - 1, NUL, lone surrogates or "
    "byte order mark, is UTF-8 and at most 32 levels deep.",
    remedy="`errors` says where: `pointer` into the event, `parameter` or `header` by name.",
)
UNAUTHENTICATED = Kind(
    name="unauthenticated",
    status=401,
    title="The registry does not know who is asking",
    says="This registry answers those it knows. The request shows no key or token, or one that is mistyped, not "
    "known, revoked or over; `detail` says which.",
    remedy="Send `Authorization: Bearer` with the key that the operator of the registry gave you, or with a token "
    "of the issuer that it trusts; calendars and feeds also take the key as the password of `Basic`. "
    "`WWW-Authenticate` says `invalid_token` when one was sent that does not hold.",
)
FORBIDDEN = Kind(
    name="forbidden",
    status=403,
    title="Whoever is asking may not do this",
    says="The registry knows who is asking, and the scope that this needs was not given to them. `detail` names it.",
    remedy="Ask the operator of the registry for the scope, or do it with the credentials that have it.",
)
NOT_PERMITTED = Kind(
    name="not-permitted",
    status=403,
    title="Whoever is posting may not post this event",
    says="The credentials let their holder post events, but they are bound: to sources (`source-not-permitted`) or "
    "to parties of whose agreements one must be among them (`party-not-permitted`). `rule` says which. Nothing was "
    "recorded.",
    remedy="Post as a source that the credentials are for; `detail` names what they are bound to.",
)
CROSS_SITE = Kind(
    name="cross-site",
    status=403,
    title="A page of another site has sent this",
    says="The request changes something, and a browser has sent it with the cookie of a session, but not from a "
    "page of this registry.",
    remedy="Do it from a page of the registry; a program sends a key in `Authorization` and no cookie.",
)
NOT_SIGNED = Kind(
    name="checkpoint-not-signed",
    status=403,
    title="The checkpoint is not signed by its log",
    says="A witness cosigns checkpoints that a key of the log has signed, among those that its operator has made "
    "known. There is no such signature on this one, or a false one.",
    remedy="Sign with the key that the operator of the witness knows; after a change of key, tell them the new one.",
)
NOT_FOUND = Kind(
    name="not-found",
    status=404,
    title="There is nothing here",
    says="There is no such agreement, event or resource; or there was none yet at the "
    "`known_as_of` asked for.",
    remedy="Check the path, and `known_as_of` if you gave one.",
)
METHOD_NOT_ALLOWED = Kind(
    name="method-not-allowed",
    status=405,
    title="The resource does not take this method",
    says="The path exists, the method does not. Nothing is changed or deleted here: events are "
    "only ever added.",
    remedy="The header `Allow` lists the methods that the resource takes.",
)
NOT_ACCEPTABLE = Kind(
    name="not-acceptable",
    status=406,
    title="The resource has no form that is accepted",
    says="No media type in the header `Accept` is one in which the resource is given.",
    remedy="`detail` lists the media types; leave `Accept` out to get the first.",
)
REJECTED = Kind(
    name="rejected",
    status=409,
    title="The event contradicts what is recorded",
    says="The event is valid by itself, yet a rule refuses it beside the events of its "
    "agreement. `rule` is the stable name of the rule, `positions` are those of the "
    "events in conflict. Nothing was recorded.",
    remedy="Read the events at `positions`. What the same source claimed before is corrected by "
    "an `agreement.event-corrected.v1`, not claimed again.",
)
IDENTITY_TAKEN = Kind(
    name="identity-taken",
    status=409,
    title="The event's source and id are taken",
    says="An event with this `source` and `id` is recorded with other content. The two are the "
    "identity of an event for ever, so that posting it again is always safe. Nothing was "
    "recorded.",
    remedy="`positions` says where the recorded one is. If yours is another event, give it "
    "another id; if it is a correction, post an `agreement.event-corrected.v1`.",
)
VERSION_MISMATCH = Kind(
    name="version-mismatch",
    status=412,
    title="The agreement is at another version",
    says="`If-Match`, `If-None-Match` or the attribute `expectedversion` named a version that "
    "the agreement does not have: somebody else has posted in the meantime. Nothing was "
    "recorded.",
    remedy="Read the agreement again; `current_version` is the version it has, 0 if it does not exist.",
)
TOO_LARGE = Kind(
    name="too-large",
    status=413,
    title="The request is over a limit",
    says="The body, one event of it or the number of its events is over a limit of this registry.",
    remedy="`/limits` publishes the limits. Send several smaller batches.",
)
TOO_SLOW = Kind(
    name="too-slow",
    status=408,
    title="The request has not come in time",
    says="The head of the request or its body has not been sent in the time that `/limits` publishes. The connection "
    "is closed.",
    remedy="Send it again, without pauses. Posting an event again is always safe.",
)
LINE_TOO_LONG = Kind(
    name="line-too-long",
    status=414,
    title="The line of the request is too long",
    says="The path or the query string is over a limit of this registry.",
    remedy="`/limits` publishes the limits.",
)
UNSUPPORTED_MEDIA_TYPE = Kind(
    name="unsupported-media-type",
    status=415,
    title="The media type is not taken",
    says="An event is posted as `application/cloudevents+json`, several as "
    "`application/cloudevents-batch+json`, or one as `application/json` with its "
    "attributes in `ce-` headers; always in UTF-8 and without `Content-Encoding`.",
    remedy="Set `Content-Type` to what the body is.",
)
INVALID = Kind(
    name="invalid-event",
    status=422,
    title="The event is not valid",
    says="The JSON is in order, but it is not an event of the vocabulary: an attribute is "
    "missing or has no permitted value, a field is unknown, missing or of another type, "
    "the type is not known.",
    remedy="`errors` has the JSON pointer of every flaw; in a batch it begins with the index of "
    "the event. In binary mode attributes are headers, and pointers are those of the same "
    "event as one JSON object.",
)
NOT_EXTENDING = Kind(
    name="checkpoint-not-extending",
    status=422,
    title="The checkpoint does not extend the last one",
    says="The proof does not lead from the checkpoint that this witness has cosigned last to this one. Nothing was "
    "cosigned.",
    remedy="Make the proof anew. If it is right, the log has been changed: what the witness has seen is not in it.",
)
TOO_OFTEN = Kind(
    name="too-often",
    status=429,
    title="There are too many requests",
    says="Whoever is asking, known by a key or token or else by the address, reads or writes more often than is "
    "permitted, has as many streams open as are permitted, or has shown too many keys or tokens that do not hold. "
    "Or a log sends its witness more checkpoints than are cosigned.",
    remedy="Try again after the seconds in `Retry-After`. `RateLimit-Policy` says how many requests (`q`) are "
    "permitted in how many seconds (`w`), and `/limits` publishes all limits. To a witness send the checkpoint that "
    "is the last one then.",
)
HEAD_TOO_LARGE = Kind(
    name="head-too-large",
    status=431,
    title="The headers of the request are too large",
    says="The headers of the request are too many, or together too long. The connection is closed.",
    remedy="`/limits` publishes the limits. Send fewer headers.",
)
INTERNAL = Kind(
    name="internal-error",
    status=500,
    title="Something went wrong in the registry",
    says="This is a fault of the registry, not of the request. It is logged under `request_id`.",
    remedy="Post the event again with the same `source` and `id`: if it was recorded after all, "
    "you get its receipt. Tell the operator the `request_id` if it happens again.",
)
UNAVAILABLE = Kind(
    name="unavailable",
    status=503,
    title="The registry cannot answer now",
    says="Too many events wait to be recorded, there are as many connections or streams as one process holds, the "
    "database cannot be reached, a read model is being built for the first time, or the service is starting or "
    "stopping.",
    remedy="Try again after the seconds in `Retry-After`. Posting an event again is always safe: "
    "it is recorded once.",
)
BEHIND = Kind(
    name="position-not-reached",
    status=504,
    title="The position asked for has not been reached",
    says="The request wants an answer that has seen `min_position`, and what it reads has not come that far in "
    "the time that `Prefer: wait` gave; without that header, not yet. `position` says how far it has come.",
    remedy="Ask again, with `Prefer: wait=5` to wait up to five seconds for it. A position behind the end of "
    "the log, which `/log` tells, is reached only when more events are recorded.",
)

KINDS: tuple[Kind, ...] = (
    MALFORMED,
    UNAUTHENTICATED,
    FORBIDDEN,
    NOT_PERMITTED,
    CROSS_SITE,
    NOT_SIGNED,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    NOT_ACCEPTABLE,
    TOO_SLOW,
    REJECTED,
    IDENTITY_TAKEN,
    VERSION_MISMATCH,
    TOO_LARGE,
    LINE_TOO_LONG,
    UNSUPPORTED_MEDIA_TYPE,
    INVALID,
    NOT_EXTENDING,
    TOO_OFTEN,
    HEAD_TOO_LARGE,
    INTERNAL,
    UNAVAILABLE,
    BEHIND,
)
BY_NAME = {kind.name: kind for kind in KINDS}
