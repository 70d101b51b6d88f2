"""What the registry of the page tests knows: the story, an agreement with every type of event, and hostile texts."""

import json
from pathlib import Path
from typing import Any

import httpx

from registry.api.example_events import posted_examples

STORY_ID = "pak-slv-2025-digital-assets"
STORY = Path(__file__).parents[2] / "services" / "registry" / "cli" / "story"
BATCH = "application/cloudevents-batch+json"
LONG = "x" * 10_000
TEXTS = (
    "<script>document.title = 'taken'</script>",
    "\"'><img src=x onerror=alert(1)></title></svg>",
    "مرحبا بالعالم، هذا نص من اليمين إلى اليسار",
    "\U0001f30d\U0001f469\u200d\U0001f469\u200d\U0001f467 \U00020bb7 \u6f22\u5b57 e\u0301\u202e reversed",
    LONG,
)
"""Texts that break pages which are not careful."""

Event = dict[str, Any]


def story() -> list[Event]:
    """Two reports, the first before the second."""
    return [json.loads(line) for name in ("report_a", "report_b") for line in lines_of(name)]


def lines_of(report: str) -> list[str]:
    return (STORY / f"{report}.ndjson").read_text("utf-8").splitlines()


def of(name: str) -> str:
    """The source that says one thing."""
    return f"https://{name}.example/"


def every_type() -> list[Event]:
    """One agreement with an event of every type, but for what would empty it again."""
    examples = {type_.split(".")[1]: event for type_, event in posted_examples().items()}
    last = (
        "event-corrected",
        "event-retracted",
        "dispute-resolved",
        "duplicate-merged",
        "agreement-retracted",
    )
    # A source each, as one source claims nothing twice.
    made = [{**event, "source": of(name)} for name, event in examples.items() if name not in last]

    def act(name: str, id: str, source: str, data: dict[str, Any]) -> None:
        made.append({**examples[name], "id": id, "source": source, "data": data})

    founder, signing, other = of("registered"), of("signed"), of("other")
    target = {"source": signing, "id": "signed-1", "type": "agreement.signed.v1"}
    signed = {**examples["signed"]["data"], "occurred": "2025-07-15"}
    correction = {"target": target, "replacement": signed, "reason": "x", "kind": "entry-error"}
    act("event-corrected", "c", signing, correction)
    linked = {"source": of("linked"), "id": "linked-1"}
    act("event-retracted", "r", of("linked"), {"target": linked, "reason": "x"})
    act("classified", "d", other, {"kind": "treaty", "legal_character": "binding"})
    chosen = {"source": other, "id": "d"}
    act(
        "dispute-resolved",
        "s",
        founder,
        {"predicate": "kind", "chosen": chosen, "rationale": {"en": "The text."}},
    )
    for id, days in (("one", "2025-07-20"), ("two", "2025-07-2X")):
        held = {"engagement_id": id, "kind": "call", "start": days, "end": "2025-07-30"}
        act("engagement-held", f"held-{id}", of(id), held)
    act("duplicate-merged", "m", founder, {"what": "engagement", "kept_id": "one", "dropped_id": "two"})
    fact = {"fact_id": "a-day", "about": "pak", "predicate": "founded", "date": "1947-08~"}
    act("fact-recorded", "a-day", other, fact)
    return [{**event, "subject": "of-every-type"} for event in made]


def hostile() -> list[Event]:
    """An agreement of which every text is hostile."""
    made: list[Event] = []

    def add(name: str, /, **data: Any) -> None:
        made.append(
            {
                "specversion": "1.0",
                "id": f"e{len(made) + 1}",
                "source": "https://hostile.example/" + "a" * 450,
                "type": f"agreement.{name}.v1",
                "subject": "hostile-texts",
                "data": {field.rstrip("_"): value for field, value in data.items()},
            }
        )

    one, other = (
        {"id": id, "kind": "other", "name": {"en": text}} for id, text in zip("ab", TEXTS, strict=False)
    )
    add(
        "registered",
        title={"en": " ".join(TEXTS)},
        parties=[one, other],
        subjects=[text[:900] for text in TEXTS],
    )
    person = {"person_id": "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11", "name": LONG[:900]}
    actor = {"person": person, "on_behalf_of": "a"}
    signatures = [{"party": "a", "actor": actor, "capacity": TEXTS[0]}, {"party": "b"}]
    add("signed", signatures=signatures, occurred="2025-07-16", place={"name": LONG[:900]})
    for number, text in enumerate(TEXTS):
        add("cooperation-area-added", area_id=f"area-{number}", label={"en": text}, state="agreed")
        add(
            "engagement-planned",
            engagement_id=f"v{number}",
            kind="visit",
            label={"en": text},
            certainty="expected",
            topics=[text[:900]],
        )
        add("commitment-made", commitment_id=f"c{number}", text={"en": text}, by=["a"], strength="aim")
        add("follow-up-scheduled", follow_up_id=f"f{number}", text={"ar": text}, due="2025-08")
        add("institution-linked", institution_id=f"i{number}", name={"en": text}, party="a", role="lead")
        add(
            "statement-recorded",
            statement_id=f"s{number}",
            attribution="anonymous",
            gist={"en": text},
            quoted=True,
        )
        add("fact-recorded", fact_id=f"x{number}", about="b", predicate=text[:100], text={"en": text})
        add(
            "publication-recorded",
            publication_id=f"p{number}",
            title=text[:900],
            url="https://example.com/" + "a" * 900,
        )
    add(
        "fact-recorded",
        fact_id="number",
        about="b",
        predicate="number",
        quantity={"value": "-" + "9" * 30 + "." + "9" * 30, "unit": "USD", "comparator": "eq"},
    )
    add(
        "amended", amendment_id="one", summary={"en": TEXTS[1]}, effective="2025-08-01", articles=[LONG[:900]]
    )
    add("suspended", from_="2025-09", reason=TEXTS[0])
    return made


def tell(url: str) -> int:
    """Post everything; give the last position."""
    last = 0
    with httpx.Client(base_url=url) as client:
        for events in (story()[:29], story()[29:], every_type(), hostile()):
            answer = client.post("/events", content=json.dumps(events), headers={"Content-Type": BATCH})
            assert answer.status_code == 201, answer.text
            last = answer.json()[-1]["position"]
        seen = client.get("/", params={"min_position": last}, headers={"Prefer": "wait=30"})
        assert seen.status_code == 200, seen.text
    return last
