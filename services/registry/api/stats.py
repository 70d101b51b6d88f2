"""GET /stats: numbers of agreements and events, for plots."""

from typing import Any

import msgspec
from litestar import Response

from registry.http.answer import JSON, Asked, digest, fresh_or_304
from registry.http.filters import filters_of, parameters_of
from registry.http.parameters import BadParameter, query
from registry.http.principal import principal_of
from registry.http.routing import Content, Operation, read
from registry.projections.activity import ACTIVITY, Stats, StatsFilters, stats
from registry.projections.views import Views

NAMES = tuple(field.encode_name for field in msgspec.structs.fields(StatsFilters))

_encode = msgspec.json.Encoder().encode


@read(
    "/stats",
    Operation(
        tag="Agreements",
        reads=(ACTIVITY,),
        parameters=parameters_of(StatsFilters),
        answers={200: Content(JSON, Stats)},
        headers={"Registry-Position": "Everything up to this position of the log is counted"},
        problems=(400,),
    ),
)
async def get_stats(request: Asked) -> Response[Any]:
    """Count agreements and events

    Agreements by status on a day and by kind, events by type, and how many were recorded and happened over time.
    """
    given = query(request, *NAMES, "known_as_of")
    if "known_as_of" in given:
        raise BadParameter("known_as_of", "is for one agreement; numbers tell what is known now")
    views: Views = request.app.state.views
    filters = filters_of(StatsFilters, given, {})
    found, position = await views.read(stats, filters, sight=principal_of(request).sight)
    content = _encode(found)
    return fresh_or_304(request, content, etag=digest(content), headers={"Registry-Position": str(position)})
