"""The statement that reads all the gate looks at of some customers; a page of SQL.

Each kind of fact is one column of its only row: a JSON list, which the database writes. So one
round trip, and one snapshot, is enough for one person and for thousands.
"""

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection

from consent.facts import Actor
from consent.ledger import PERMISSIVE
from consent.memberships import Membership
from mdm.key_sets import key_query

OWN_ACTS = (Actor.PERSON, Actor.IMPORT)
"""Consents by the person, or reported of her by a source, are contacts and restart the three-year
clock. Refusals do not: they must never make anybody reachable."""

Told = list[list[Any]]
_SECTIONS = {
    "customers": (
        "customer.id, customer.status, golden.email, golden.phone",
        "asked {with} mdm_customer customer ON customer.id = asked.id"
        " LEFT JOIN mdm_goldenrecord golden ON golden.customer_id = customer.id",
    ),
    "records": (
        "home, birth_date, source_created_at, is_own, is_checked",
        "records WHERE is_active",
    ),
    "sales": (
        "home, sale.id, sale.sold_on, sale.product_family, sale.contact_point_id",
        "records {with} mdm_sale sale ON sale.record_id = records.id",
    ),
    "contracts": (
        "home, contract.id, contract.starts_on, contract.ends_on, contract.product_family",
        "records {with} mdm_contract contract ON contract.record_id = records.id",
    ),
    # A consent on a bad notice is void, but the person was there; a claim taken back is nothing.
    "acts": (
        "home, acted_at",
        """(
            SELECT home, MAX(event.occurred_at) AS acted_at
            FROM records {with} consent_consentevent event ON event.source_record_id = records.id
            WHERE {of_record} (
                event.actor_type IN ({own_acts}) AND event.type IN ({permissive})
                AND event.occurred_at <= %(at)s
                AND NOT EXISTS (
                    SELECT 1 FROM consent_consentevent annulment
                    WHERE annulment.annuls_id = event.id AND annulment.type = 'retracted'
                      AND annulment.recorded_at <= %(known_at)s
                )
            ) {end}
            GROUP BY home
        ) acts""",
    ),
    "points": (
        "home, point.id, point.kind, point.value, point.status, point.audience, source_updated_at",
        "records {with} mdm_recordcontactpoint carried ON carried.record_id = records.id"
        " {with} mdm_contactpoint point ON point.id = carried.contact_point_id"
        " WHERE is_active AND {of_record} (point.kind IN ({kinds})) {end}",
    ),
    # A pause follows the contact point to whoever carries it.
    "pauses": (
        "home, pause.contact_point_id, pause.ends_at",
        "records {with} mdm_recordcontactpoint carried ON carried.record_id = records.id"
        " {with} consent_pause pause ON pause.contact_point_id = carried.contact_point_id"
        " WHERE {of_record} (pause.starts_at <= %(at)s AND pause.ends_at > %(at)s) {end}",
    ),
    "calls": (
        "home, attempt.called_at",
        "records {with} consent_callattempt attempt ON attempt.source_record_id = records.id"
        " WHERE {of_record}"
        " (attempt.called_at > %(calls_since)s AND attempt.called_at <= %(at)s) {end}",
    ),
    "states": (
        "state.customer_id, state.contact_point_id, state.channel, purpose.code, state.state,"
        " state.since, state.evidence_level, event.actor_type, state.deciding_event_id,"
        " state.renewed_at",
        "asked {with} consent_permissionstate state ON state.customer_id = asked.id"
        " LEFT JOIN consent_purpose purpose ON purpose.id = state.purpose_id"
        " LEFT JOIN consent_consentevent event ON event.id = state.deciding_event_id"
        " {on_channel}",
    ),
    "registers": (
        "register",
        "(SELECT DISTINCT register FROM consent_suppressionlist WHERE is_in_force) listed",
    ),
}
_STATEMENT = """
WITH asked(id) AS MATERIALIZED ({keys}),
records AS MATERIALIZED (
    SELECT record.id, record.{home} AS home, record.status = 'active' AS is_active,
           record.birth_date, record.source_created_at, record.source_updated_at,
           source.broker = '' AS is_own,
           source.broker <> '' AND EXISTS (
               SELECT 1 FROM consent_sampledraw draw
               JOIN consent_quarantinedecision decision ON decision.draw_id = draw.id
               WHERE draw.batch_id = record.batch_id AND decision.outcome = 'released'
                 AND decision.decided_at <= %(known_at)s
           ) AS is_checked
    FROM asked {with} mdm_sourcerecord record ON record.{home} = asked.id
    {with} mdm_sourcesystem source ON source.id = record.source_id
)
SELECT {columns}
"""
_DIALECTS = {
    "postgresql": {
        "with": "JOIN",
        "listed": "json_agg(json_build_array({}))::text",
        "of_record": "",
        "of_asked": "",
        "end": "",
    },
    # SQLite's planner takes a CROSS JOIN in the order it is written: what is asked comes first.
    # For a condition on one table alone it would read all of that, to spare itself some look-ups;
    # so the condition stands in a CASE that looks at what is asked, too.
    "sqlite": {
        "with": "CROSS JOIN",
        "listed": "json_group_array(json_array({}))",
        "of_record": "CASE WHEN records.id > 0 THEN",
        "of_asked": "CASE WHEN asked.id > 0 THEN",
        "end": "END",
    },
}


class FactRows(NamedTuple):
    """What is stored, as rows of the columns above; days and instants as texts in ISO 8601.

    `home` is a record's customer, or the record itself where customers are supposed: then there
    are no `customers`. There are no `states` unless they were asked for.
    """

    customers: Told
    records: Told
    sales: Told
    contracts: Told
    acts: Told
    points: Told
    pauses: Told
    calls: Told
    states: Told
    registers: Told


def read_facts(
    members: Membership,
    *,
    at: datetime,
    known_at: datetime,
    calls_since: datetime,
    kinds: Collection[str],
    channel: str | None,
    with_states: bool,
) -> FactRows:
    """Read what is stored of customers, in one statement.

    `kinds` are the contact points wanted; `channel` narrows the stored states to one channel.
    """
    left_out = {
        "customers": members.homes is not None,
        "calls": "phone" not in kinds,
        "states": not with_states,
    }
    subquery, keys = key_query(members.homes or members.customer_ids)
    statement = _statement(
        connection.vendor,
        subquery.replace("%s", "%(keys)s"),
        tuple(sorted(kinds)),
        frozenset(name for name, is_out in left_out.items() if is_out),
        home="customer_id" if members.homes is None else "id",
        is_narrow=channel is not None,
    )
    instant = connection.ops.adapt_datetimefield_value
    values = {
        "keys": keys,
        "at": instant(at),
        "known_at": instant(known_at),
        "calls_since": instant(calls_since),
        "channel": channel,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    return FactRows(*(json.loads(told) if told else [] for told in row))


@lru_cache
def _statement(
    vendor: str,
    keys: str,
    kinds: tuple[str, ...],
    left_out: frozenset[str],
    *,
    home: str,
    is_narrow: bool,
) -> str:
    own = _DIALECTS[vendor]
    words = {
        **own,
        "keys": keys,
        "home": home,
        "kinds": _quoted(kinds),
        "own_acts": _quoted(OWN_ACTS),
        "permissive": _quoted(PERMISSIVE),
        "on_channel": "WHERE {of_asked} (state.channel IN (%(channel)s, '*')) {end}".format(**own)
        if is_narrow
        else "",
    }
    columns = [
        "NULL"
        if name in left_out
        else f"(SELECT {own['listed'].format(read)} FROM {tables.format(**words)})"  # noqa: S608
        for name, (read, tables) in _SECTIONS.items()
    ]
    return _STATEMENT.format(**words, columns=",\n".join(columns))


def _quoted(codes: Iterable[str]) -> str:
    """Write codes of the rules, which hold no quotes, as a list."""
    return ", ".join(f"'{code}'" for code in sorted(codes)) or "''"
