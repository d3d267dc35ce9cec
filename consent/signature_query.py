"""The statement that makes the texts of `consent.signatures`; a page of SQL and its dialects."""

from collections.abc import Collection, Iterable

from django.db import connection

from consent.facts import GRANTED
from consent.facts_query import OWN_ACTS
from consent.ledger import PERMISSIVE
from mdm.models import CARRIED_KINDS

TEXTS = """
WITH asked AS MATERIALIZED ({asked}),
records AS MATERIALIZED (
    SELECT record.id, record.customer_id, record.status = 'active' AS is_active,
           record.birth_date, record.source_created_at, record.source_updated_at,
           CASE WHEN record.source_id {among_brokers} THEN 0 ELSE 1 END AS is_own,
           CASE WHEN record.batch_id {among_released} THEN 1 ELSE 0 END AS is_checked
    FROM asked {record_of_asked}
),
{far}
sales AS MATERIALIZED (
    SELECT records.customer_id, sale.contact_point_id, sale.sold_on,
           CASE WHEN sale.sold_on > %(day)s THEN 'later ' ELSE '' END
           || {bought} || {sale_family} AS text
    FROM records {sale_of_record}
),
contracts AS MATERIALIZED (
    SELECT records.customer_id, contract.starts_on,
           CASE WHEN contract.starts_on > %(day)s THEN 'later ' ELSE '' END
           || CASE WHEN contract.ends_on < %(day)s THEN 'ended ' ELSE '' END
           || {contract_family} AS text
    FROM records {contract_of_record}
),
lives AS MATERIALIZED (
    SELECT asked.customer_id, customer.status, {age} AS age,
           COALESCE(known.is_own, 0) AS is_own, COALESCE(known.is_checked, 0) AS is_checked,
           COALESCE(signed.text, '') AS contracts,
           {created} AS created, {sold} AS sold, {started} AS started
    FROM asked {customer_of_asked}
    LEFT JOIN (
        SELECT customer_id, MAX(CASE WHEN birth_date <= %(utc_day)s THEN birth_date END) AS born,
               MAX(CASE WHEN source_created_at <= %(at)s THEN source_created_at END) AS created_at,
               MAX(is_own) AS is_own, MAX(is_checked) AS is_checked
        FROM records WHERE is_active GROUP BY customer_id
    ) known ON known.customer_id = asked.customer_id
    LEFT JOIN (
        SELECT customer_id, MAX(sold_on) AS sold_on
        FROM sales WHERE sold_on <= %(day)s GROUP BY customer_id
    ) sold ON sold.customer_id = asked.customer_id
    LEFT JOIN (
        SELECT customer_id, {texts} AS text,
               MAX(CASE WHEN starts_on <= %(day)s THEN starts_on END) AS started_on
        FROM contracts GROUP BY customer_id
    ) signed ON signed.customer_id = asked.customer_id
),
quiet AS MATERIALIZED (
    -- Whoever was in contact lately anyway needs no look into the ledger.
    SELECT records.id, records.customer_id
    FROM lives JOIN records ON records.customer_id = lives.customer_id
    WHERE 'lately' NOT IN (lives.created, lives.sold, lives.started)
),
acts AS MATERIALIZED (
    SELECT quiet.customer_id, MAX(event.occurred_at) AS acted_at
    FROM quiet {event_of_record}
    WHERE event.actor_type IN ({own_acts}) AND event.type IN ({permissive})
      AND event.occurred_at <= %(at)s
      AND NOT EXISTS (
          SELECT 1 FROM consent_consentevent annulment WHERE annulment.annuls_id = event.id
          AND annulment.type = 'retracted' AND annulment.recorded_at <= %(known_at)s
      )
    GROUP BY quiet.customer_id
),
held AS MATERIALIZED (
    SELECT records.customer_id, carried.contact_point_id,
           MAX(COALESCE(records.source_updated_at, {epoch})) AS updated_at
    FROM {carriers} {carried_by_record}
    WHERE records.is_active AND carried.attribute IN ({attributes}) {only}
    GROUP BY records.customer_id, carried.contact_point_id
),
points AS MATERIALIZED (
    SELECT held.customer_id, held.updated_at, point.id, point.kind, point.value, point.status,
           point.audience
    FROM held {point_held} WHERE point.kind IN ({kinds})
),
several AS MATERIALIZED (
    SELECT customer_id FROM points GROUP BY customer_id HAVING COUNT(*) > 1
),
ranked AS MATERIALIZED (
    SELECT points.customer_id, points.id, points.updated_at, CASE
               WHEN {is_foreign} THEN 'of ' || points.customer_id
               WHEN points.value IN ({lower}, golden.phone) THEN '' ELSE 'second' END AS rank
    FROM several JOIN points ON points.customer_id = several.customer_id
    {golden_of_point}
),
placed AS MATERIALIZED (
    SELECT customer_id, id, rank, ROW_NUMBER() OVER (
        PARTITION BY customer_id ORDER BY rank, updated_at DESC, id
    ) AS place
    FROM ranked
),
states AS MATERIALIZED (
    SELECT state.customer_id, state.contact_point_id, state.channel, state.purpose_id,
           state.state, state.since, state.renewed_at, state.evidence_level,
           state.deciding_event_id
    FROM asked {state_of_asked}
    WHERE state.channel IN (%(channel)s, '*')
      AND (state.purpose_id = %(purpose)s OR state.purpose_id IS NULL)
),
permissions AS MATERIALIZED (
    SELECT states.customer_id, states.contact_point_id, states.since, states.state,
           states.evidence_level, states.deciding_event_id AS event_id, event.actor_type,
           {given} AS given
    FROM states {event_that_decided}
    WHERE states.channel = %(channel)s AND states.purpose_id = %(purpose)s
),
refusals AS MATERIALIZED (
    SELECT customer_id, contact_point_id, since, state || channel || evidence_level AS text
    FROM states WHERE state NOT IN ({granted}) AND since IS NOT NULL
      AND (contact_point_id IS NULL OR channel = '*' OR purpose_id IS NULL)
),
struck AS MATERIALIZED ({struck}),
residents AS MATERIALIZED (SELECT DISTINCT customer_id FROM ({residents}) listed),
opposed AS MATERIALIZED (
    SELECT customer_id, id, {texts} AS text FROM (
        SELECT points.customer_id, points.id, refusals.text || {than_refusal} AS text
        FROM refusals JOIN points ON points.customer_id = refusals.customer_id
        LEFT JOIN permissions ON permissions.customer_id = points.customer_id
            AND permissions.contact_point_id = points.id
        WHERE refusals.contact_point_id IS NULL OR refusals.contact_point_id = points.id
        UNION ALL
        SELECT points.customer_id, points.id, struck.text || {than_line}
        FROM struck JOIN points ON points.id = struck.contact_point_id
        LEFT JOIN permissions ON permissions.customer_id = points.customer_id
            AND permissions.contact_point_id = points.id
    ) opposing GROUP BY customer_id, id
),
unreached AS MATERIALIZED (
    -- What refuses a person as a whole is all there is about whoever has no contact point.
    SELECT customer_id, {texts} AS text FROM refusals
    WHERE contact_point_id IS NULL GROUP BY customer_id
),
bought AS MATERIALIZED (
    SELECT customer_id, contact_point_id, {texts} AS text FROM sales
    WHERE contact_point_id IS NOT NULL GROUP BY customer_id, contact_point_id
),
paused AS MATERIALIZED (
    SELECT DISTINCT contact_point_id FROM consent_pause
    WHERE starts_at <= %(at)s AND ends_at > %(at)s
),
numbers AS MATERIALIZED ({numbers}),
called AS MATERIALIZED ({called}),
looks AS MATERIALIZED (
    SELECT points.customer_id, points.id, placed.place, placed.rank,
           points.kind, points.status, points.audience, numbers.text AS number,
           permissions.state, permissions.evidence_level, permissions.actor_type,
           permissions.given, permissions.event_id, opposed.text AS opposed,
           bought.text AS bought, paused.contact_point_id IS NOT NULL AS is_paused
    FROM points
    LEFT JOIN placed ON placed.customer_id = points.customer_id AND placed.id = points.id
    LEFT JOIN permissions ON permissions.customer_id = points.customer_id
        AND permissions.contact_point_id = points.id
    LEFT JOIN opposed ON opposed.customer_id = points.customer_id AND opposed.id = points.id
    LEFT JOIN bought ON bought.customer_id = points.customer_id
        AND bought.contact_point_id = points.id
    LEFT JOIN paused ON paused.contact_point_id = points.id
    LEFT JOIN numbers ON numbers.contact_point_id = points.id
),
joined AS MATERIALIZED (
    -- Most have one contact point: what is known of it stays in its columns, which costs less.
    SELECT customer_id, {place} AS places, kind, status, audience, number, state, evidence_level,
           actor_type, given, opposed, bought, is_paused
    FROM looks WHERE place IS NULL
    UNION ALL
    SELECT customer_id, {join_places}, {join_looks}, '', '', '', '', 0, '', '', '', '', {no}
    FROM looks WHERE place IS NOT NULL GROUP BY customer_id
),
texts AS (
    SELECT lives.customer_id, joined.places, lives.status AS whose, lives.age, lives.contracts,
           lives.is_own, lives.is_checked, residents.customer_id IS NOT NULL AS is_resident,
           called.count AS called, CASE
               WHEN 'lately' IN (lives.created, lives.sold, lives.started, {acted}) THEN 'lately'
               ELSE lives.created || ' ' || lives.sold || ' ' || lives.started || ' ' || {acted}
           END AS contact,
           joined.kind, joined.status, joined.audience, joined.number, joined.state,
           joined.evidence_level, joined.actor_type, joined.given, joined.bought,
           joined.is_paused,
           CASE WHEN joined.customer_id IS NULL THEN unreached.text ELSE joined.opposed END
               AS opposed
    FROM lives
    LEFT JOIN joined ON joined.customer_id = lives.customer_id
    LEFT JOIN unreached ON unreached.customer_id = lives.customer_id
    LEFT JOIN acts ON acts.customer_id = lives.customer_id
    LEFT JOIN called ON called.customer_id = lives.customer_id
    LEFT JOIN residents ON residents.customer_id = lives.customer_id
)
"""
COLUMNS = (
    "whose, age, is_own, is_checked, is_resident, contracts, called, contact, kind, status,"
    " audience, number, state, evidence_level, actor_type, given, bought, is_paused, opposed"
)
"""What is told apart: customers alike in all of them get the same answer."""


_CALLED = """
    SELECT records.customer_id, COUNT(*) AS count
    FROM records {attempt_of_record}
    WHERE attempt.called_at > %(calls_since)s AND attempt.called_at <= %(at)s
    GROUP BY records.customer_id
"""
_NOT_CALLED = "SELECT 0 AS customer_id, 0 AS count WHERE 1 = 0"


def words(kinds: Collection[str], *, pairs: bool, dense: bool) -> dict[str, str]:
    """Return what fills the places of `TEXTS`.

    With `pairs`, contact points are named as well; `dense` says that the keys are most of those
    between the first and the last.
    """
    own, joins = _DIALECTS[connection.vendor], _joins(dense=dense)
    named = "asked JOIN records ON records.customer_id = asked.customer_id"
    return {
        **own,
        "asked": own["pairs" if pairs else "keys"],
        "carriers": named if pairs else "records",
        "only": "AND carried.contact_point_id = asked.contact_point_id" if pairs else "",
        **joins,
        "far": own["far"] if dense else "",
        "called": (_CALLED if "phone" in kinds else _NOT_CALLED).format(**joins),
        "among_brokers": own["among"].format("brokers", "bigint"),
        "among_released": own["among"].format("released", "bigint"),
        **_dates(),
        "sale_family": _family("sale", own["among"].format("families", "text")),
        "contract_family": _family("contract", own["among"].format("families", "text")),
        "kinds": _listed(kinds),
        "attributes": _listed(name for name, kind in CARRIED_KINDS.items() if kind in kinds),
        "granted": _listed(GRANTED),
        "own_acts": _listed(OWN_ACTS),
        "permissive": _listed(PERMISSIVE),
        "texts": own["join"].format("text"),
        "place": _PLACE,
        "join_places": own["join_all"].format(_PLACE),
        "join_looks": own["join_all"].format(_LOOK),
    }


def _joins(*, dense: bool) -> dict[str, str]:
    """Return how each table is entered."""
    own = _DIALECTS[connection.vendor]
    return {
        place: own[kind if dense or kind not in _RANGES else "each"].format(*parts)
        for place, (kind, *parts) in _JOINS.items()
    }


def _dates() -> dict[str, str]:
    """Return what is said of each date: on which side of the question's instants it lies."""
    return {
        "bought": _side("sale.sold_on", "bought"),
        "age": _side("known.born", "adult", "joint"),
        "created": _side("known.created_at", "quiet", last="lately"),
        "sold": _side("sold.sold_on", "quiet_day", last="lately"),
        "started": _side("signed.started_on", "quiet_day", last="lately"),
        "acted": _side("acts.acted_at", "quiet", last="lately"),
        "given": "CASE WHEN states.since > %(at)s THEN 'later ' ELSE '' END || "
        + _side("states.since", "stale")
        + " || CASE WHEN states.renewed_at > %(at)s THEN ' later ' ELSE ' ' END || "
        + _side("states.renewed_at", "stale"),
        "than_refusal": _compared("permissions.since", "refusals.since"),
        "than_line": _compared("permissions.since", "struck.since"),
    }


_JOINS = {
    "record_of_asked": ("near", "mdm_sourcerecord", "record", "customer_id", "asked.customer_id"),
    "customer_of_asked": ("near", "mdm_customer", "customer", "id", "asked.customer_id"),
    "state_of_asked": (
        "near", "consent_permissionstate", "state", "customer_id", "asked.customer_id"
    ),
    "sale_of_record": ("beside", "mdm_sale", "sale", "record_id", "records.id"),
    "contract_of_record": ("beside", "mdm_contract", "contract", "record_id", "records.id"),
    "event_of_record": ("each", "consent_consentevent", "event", "source_record_id", "quiet.id"),
    "carried_by_record": (
        "beside", "mdm_recordcontactpoint", "carried", "record_id", "records.id"
    ),
    "point_held": ("each", "mdm_contactpoint", "point", "id", "held.contact_point_id"),
    "golden_of_point": (
        "any", "mdm_goldenrecord", "golden", "customer_id", "points.customer_id"
    ),
    "event_that_decided": (
        "any", "consent_consentevent", "event", "id", "states.deciding_event_id"
    ),
    "attempt_of_record": (
        "each", "consent_callattempt", "attempt", "source_record_id", "records.id"
    ),
}  # fmt: skip
"""Every table is entered by an index, row by row of what is asked: a planner that guesses wrongly
reads a table of millions for each chunk, or compares all of a chunk with all of it. Where most
keys from the first to the last are asked, what is kept by customers is read from one to the other
instead ("near"). A customer is named after her oldest record, so what is kept by records is read
likewise, and row by row for those of her records that came later ("beside")."""
_RANGES = frozenset({"near", "beside"})


_PLACE = "COALESCE(place, 1) || '.' || id || '.' || COALESCE(event_id, 0)"
_LOOK = " || ';' || ".join(
    f"COALESCE(CAST({column} AS text), '')"
    for column in (
        "place", "rank", "kind", "status", "audience", "number", "state", "evidence_level",
        "actor_type", "given", "opposed", "bought", "is_paused",
    )
)  # fmt: skip


def _listed(codes: Iterable[str]) -> str:
    """Write codes of the rules, which hold no quotes, as a list."""
    return ", ".join(f"'{code}'" for code in sorted(codes)) or "''"


def _family(table: str, families: str) -> str:
    name = f"{table}.product_family"
    return (
        f"CASE WHEN {name} = '' THEN 'none' WHEN {name} {families} THEN 'offered' ELSE 'other' END"
    )


def _compared(left: str, right: str) -> str:
    return (
        f"CASE WHEN {left} > {right} THEN '>' WHEN {left} = {right} THEN '='"
        f" WHEN {left} < {right} THEN '<' ELSE '' END"
    )


def _side(value: str, *instants: str, last: str = "after") -> str:
    """Say between which instants a date lies, or the date itself when it is near one of them."""
    cases = [f"WHEN {value} IS NULL THEN ''"]
    for instant in instants:
        cases.append(f"WHEN {value} < %({instant}_from)s THEN 'before {instant}'")
        cases.append(f"WHEN {value} <= %({instant}_until)s THEN CAST({value} AS text)")
    return f"CASE {' '.join(cases)} ELSE '{last}' END"


_DIALECTS: dict[str, dict[str, str]] = {
    "postgresql": {
        "keys": "SELECT unnest(%(keys)s::bigint[]) AS customer_id",
        "pairs": "SELECT * FROM unnest(%(keys)s::bigint[], %(points)s::bigint[])"
        " AS pair(customer_id, contact_point_id)",
        "struck": "SELECT * FROM unnest(%(struck)s::bigint[], %(struck_since)s::timestamptz[],"
        " %(struck_texts)s::text[]) AS line(contact_point_id, since, text)",
        "residents": "SELECT unnest(%(residents)s::bigint[]) AS customer_id",
        "numbers": "SELECT * FROM unnest(%(numbers)s::bigint[], %(number_kinds)s::text[])"
        " AS number(contact_point_id, text)",
        "among": "= ANY(%({0})s::{1}[])",
        "join": "string_agg(DISTINCT {}, ',')",
        "join_all": "string_agg({}, ',')",
        "each": "CROSS JOIN LATERAL (SELECT * FROM {0} {1} WHERE {1}.{2} = {3} OFFSET 0) {1}",
        "near": "JOIN (SELECT * FROM {0} WHERE {2} BETWEEN %(first)s AND %(last)s) {1}"
        " ON {1}.{2} = {3}",
        "beside": "JOIN (SELECT * FROM {0} WHERE {2} BETWEEN %(first)s AND %(last)s"
        " UNION ALL SELECT later.* FROM far CROSS JOIN LATERAL"
        " (SELECT * FROM {0} other WHERE other.{2} = far.id OFFSET 0) later) {1}"
        " ON {1}.{2} = {3}",
        "far": "far AS MATERIALIZED ("
        "SELECT id FROM records WHERE id NOT BETWEEN %(first)s AND %(last)s),",
        "any": "LEFT JOIN LATERAL (SELECT * FROM {0} {1} WHERE {1}.{2} = {3} OFFSET 0) {1}"
        " ON true",
        "epoch": "'epoch'",
        "no": "false",
        "lower": 'lower(golden.email COLLATE "C")',
        "is_foreign": "octet_length(golden.email) <> length(golden.email)",
    },
    "sqlite": {
        "keys": "SELECT value AS customer_id FROM json_each(%(keys)s)",
        "pairs": "SELECT CAST(key AS INTEGER) AS customer_id, value AS contact_point_id"
        " FROM json_each(%(points)s)",
        "struck": "SELECT json_extract(value, '$[0]') AS contact_point_id,"
        " json_extract(value, '$[1]') AS since, json_extract(value, '$[2]') AS text"
        " FROM json_each(%(struck)s)",
        "residents": "SELECT value AS customer_id FROM json_each(%(residents)s)",
        "numbers": "SELECT json_extract(value, '$[0]') AS contact_point_id,"
        " json_extract(value, '$[1]') AS text FROM json_each(%(numbers)s)",
        "among": "IN (SELECT value FROM json_each(%({0})s))",
        "join": "group_concat(DISTINCT {})",
        "join_all": "group_concat({})",
        "each": "CROSS JOIN {0} {1} ON {1}.{2} = {3}",
        "any": "LEFT JOIN {0} {1} ON {1}.{2} = {3}",
        "epoch": "'1970-01-01 00:00:00'",
        "no": "0",
        "lower": "lower(golden.email)",
        "is_foreign": "length(CAST(golden.email AS BLOB)) <> length(golden.email)",
    },
}
