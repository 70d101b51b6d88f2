"""The one list of read models."""

from registry.projections.activity import ACTIVITY
from registry.projections.agreements import AGREEMENTS
from registry.projections.calendar import CALENDAR
from registry.projections.engagements import ENGAGEMENTS
from registry.projections.facts import FACTS
from registry.projections.follow_ups import FOLLOW_UPS
from registry.projections.institutions_and_people import INSTITUTIONS_AND_PEOPLE
from registry.projections.model import ReadModel
from registry.projections.parties import PARTIES
from registry.projections.publications import PUBLICATIONS
from registry.projections.sources import SOURCES
from registry.projections.timeline import TIMELINE

CATALOGUE: tuple[ReadModel, ...] = (
    AGREEMENTS,
    PARTIES,
    TIMELINE,
    ENGAGEMENTS,
    FOLLOW_UPS,
    CALENDAR,
    INSTITUTIONS_AND_PEOPLE,
    FACTS,
    PUBLICATIONS,
    SOURCES,
    ACTIVITY,
)
