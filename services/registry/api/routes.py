"""Every route of the API, for the composition root."""

from typing import Any

from litestar.types import ExceptionHandlersMap

from registry.api import (
    agreement_list,
    agreements,
    asyncapi,
    bundle,
    calendars,
    checkpoint,
    docs,
    engagement_list,
    entry,
    events,
    evidence_lists,
    feeds,
    follow_up_list,
    health,
    limits,
    log,
    meaning,
    openapi,
    parties,
    people,
    posting,
    problem_pages,
    projections,
    stats,
    tiles,
    type_schemas,
    witness,
)
from registry.http.principal import let_in
from registry.http.problems import answer_problem

route_handlers: list[Any] = [
    posting.options_events,  # before the others of its path, or the framework makes one of its own
    posting.post_events,
    events.get_events,
    events.get_event,
    entry.get_entry,
    agreement_list.get_agreements,
    agreement_list.get_agreement_timeline,
    parties.get_parties,
    parties.get_party,
    parties.get_pairs,
    parties.get_pair,
    agreements.get_agreement,
    agreements.get_agreement_events,
    meaning.get_explanation,
    meaning.get_claims,
    meaning.get_history,
    meaning.get_comparison,
    engagement_list.get_engagements,
    follow_up_list.get_follow_ups,
    people.get_institutions,
    people.get_people,
    evidence_lists.get_facts,
    evidence_lists.get_publications,
    evidence_lists.get_sources,
    stats.get_stats,
    calendars.get_calendar,
    calendars.get_party_calendar,
    calendars.get_agreement_calendar,
    feeds.get_feed,
    feeds.get_party_feed,
    feeds.get_agreement_feed,
    projections.get_projections,
    projections.post_rebuild,
    projections.post_check,
    projections.post_retry,
    projections.post_skip,
    log.get_log,
    log.get_inclusion,
    log.get_consistency,
    bundle.get_bundle,
    checkpoint.get_tlog_proof,
    checkpoint.get_checkpoint,
    checkpoint.get_keys,
    tiles.get_entries,
    tiles.get_tile,
    witness.post_checkpoint,
    health.get_healthz,
    health.get_readyz,
    limits.get_limits,
    openapi.get_openapi,
    asyncapi.get_asyncapi,
    type_schemas.get_schema,
    docs.get_docs,
    docs.get_index,
    problem_pages.get_problems,
    problem_pages.get_problem,
]
exception_handlers: ExceptionHandlersMap = {Exception: answer_problem}
"""None: ``let_in`` stands before every handler instead, which costs a tenth of a guard."""
before_request = let_in
"""For handlers of others in the same app; those above have it themselves."""
openapi_config = None
"""The description is put together in ``openapi``: the framework's documents its own shape of errors."""
