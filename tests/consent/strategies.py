"""Hypothesis strategies for consent events, facts and questions, sound ones and nonsense."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from consent.facts import (
    ANY,
    Actor,
    Audience,
    ChannelCode,
    ContractFact,
    Facts,
    Nature,
    Objection,
    Offer,
    Permission,
    PersonFacts,
    PointFacts,
    Question,
    SaleFact,
    State,
)
from consent.states import Event, EventType, Key

START = datetime(2026, 1, 1, tzinfo=UTC)
# Few distinct instants, so that equal ones and both sides of every limit are met often.
instants = st.integers(-48, 24).map(lambda months: START + timedelta(days=30 * months))
channels = st.sampled_from(["email", "phone"])
purposes = st.sampled_from(["marketing", "news"])
points = st.sampled_from([1, 2])
evidence = st.integers(0, 4)
actors = st.sampled_from(list(Actor))
families = st.sampled_from(["shoes", "tea", ""])
RESTRICTIVE = [EventType.REFUSED, EventType.WITHDRAWN, EventType.OBJECTION]


@st.composite
def events(draw: st.DrawFn, *, restrictive: bool | None = None) -> Event:
    """Draw an event as the ledger could hold it: grants name a whole key, refusals may be wide."""
    types = RESTRICTIVE if restrictive else list(EventType)
    kind = draw(st.sampled_from(types))
    is_wide = kind in RESTRICTIVE
    key = Key(
        draw(points | st.none() if is_wide else points),
        draw(channels | st.just(ANY) if is_wide else channels),
        draw(purposes | st.just(ANY) if is_wide else purposes),
    )
    return Event(
        event_id=draw(st.integers(1, 10**6)),
        type=kind,
        key=key,
        recorded_at=draw(instants),
        occurred_at=draw(instants | st.none()),
        actor=draw(actors),
        evidence=draw(evidence),
        expires_at=draw(instants | st.none()),
    )


ledgers = st.lists(events(), max_size=8, unique_by=lambda event: event.event_id)
keys = st.builds(Key, points, channels, purposes)
objections = st.builds(
    Objection,
    since=instants,
    state=st.sampled_from([State.OBJECTED, State.REFUSED, State.WITHDRAWN]),
    channel=channels | st.just(ANY),
    purpose=purposes | st.just(ANY),
    evidence=evidence,
)
permissions = st.builds(
    Permission,
    state=st.sampled_from(list(State)),
    since=instants | st.none(),
    expires_at=instants | st.none(),
    evidence=evidence,
    actor=actors,
    renewed_at=instants | st.none(),
)
sales = st.builds(SaleFact, st.integers(1, 9), instants, families, points | st.none())
contracts = st.builds(ContractFact, st.integers(1, 9), instants, instants | st.none(), families)
persons = st.builds(
    PersonFacts,
    status=st.sampled_from(["active", "active", "active", "erased"]),
    birth_date=st.none() | st.dates(date(1950, 1, 1), date(2015, 1, 1)),
    restricted_since=st.none() | instants,
    objections=st.lists(objections, max_size=2).map(tuple),
    sales=st.lists(sales, max_size=2).map(tuple),
    contracts=st.lists(contracts, max_size=2).map(tuple),
    last_contact_at=instants | st.none(),
    is_informed=st.sampled_from([True, False, None]),
)
point_facts = st.builds(
    PointFacts,
    points,
    kind=st.sampled_from(["email", "phone", "post"]),
    status=st.sampled_from(["usable", "usable", "bounced"]),
    audience=st.sampled_from(list(Audience)),
    permission=permissions,
    objections=st.lists(objections, max_size=1).map(tuple),
    suppressions=st.lists(objections, max_size=1).map(tuple),
    paused_until=instants | st.none(),
)
facts = st.builds(Facts, persons, point_facts | st.none())
offers = st.builds(
    Offer,
    purpose=purposes,
    nature=st.sampled_from(list(Nature)),
    families=st.frozensets(families, max_size=2),
    sector=st.sampled_from(["", "", "energy_renovation"]),
    is_professional=st.booleans(),
)
questions = st.builds(Question, st.sampled_from(list(ChannelCode)), offers, instants)
nonsense = st.none() | st.integers() | st.text(max_size=3) | st.datetimes()
nonsense_facts = st.builds(
    Facts,
    st.builds(
        PersonFacts,
        birth_date=nonsense,
        restricted_since=nonsense,
        objections=nonsense,
        last_contact_at=nonsense,
    )
    | nonsense,
    st.builds(PointFacts, nonsense, kind=nonsense, audience=nonsense, permission=nonsense)
    | nonsense,
)
nonsense_questions = st.builds(Question, nonsense | channels, offers | nonsense, nonsense)
