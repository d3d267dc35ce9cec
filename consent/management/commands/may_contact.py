"""`manage.py may_contact`: the gate's answer for one customer or contact point."""

import json
from argparse import ArgumentParser
from datetime import date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import get_default_timezone, localdate, now
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from consent.days import last_instant
from consent.evaluation import Outcome, may_contact, may_use_contact_point, offer_for
from consent.models import Channel, ConsentEvent, Purpose
from mdm.identity import UnknownCustomer, resolve
from mdm.models import ContactPoint, Customer
from mdm.standardise.phones import standardise_phones


class Command(BaseCommand):
    """Ask the gate."""

    help = "Say whether a customer or a contact point may be contacted, by which rule and why."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take whom, how, what for and when."""
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("--customer", metavar="ID", help="a customer id ever issued")
        whom.add_argument("--contact-point", metavar="VALUE", help="an e-mail address or a number")
        parser.add_argument("--channel", required=True, help=", ".join(Channel.values))
        parser.add_argument("--purpose", required=True, help="the code of a purpose")
        parser.add_argument(
            "--family", action="append", default=[], help="what the offer is about; repeatable"
        )
        parser.add_argument("--at", help="day or instant of the contact (default: now)")
        parser.add_argument("--known-at", help="day or instant of the knowledge (default: now)")
        parser.add_argument("--json", action="store_true", help="one JSON object, nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the answer; a refusal of the gate is an answer, not a failure."""
        at = _instant(options["at"], "--at")
        known_at = _instant(options["known_at"], "--known-at")
        offer = offer_for(
            Purpose.objects.filter(code=options["purpose"]).first(),
            families=options["family"],
            at=at,
        )
        question = {"channel": options["channel"], "offer": offer, "at": at, "known_at": known_at}
        outcome = _ask(options["customer"], options["contact_point"], question)
        report = _report(outcome, options, at, known_at)
        if options["json"]:
            self.stdout.write(json.dumps(report, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(_lines(report)))


def _ask(customer: str | None, contact_point: str | None, question: dict[str, Any]) -> Outcome:
    if customer is not None:
        try:
            return may_contact(resolve(customer), **question)
        except UnknownCustomer as error:
            raise CommandError(f"--customer: {error}") from error
    point = _contact_point(contact_point or "")
    outcome = may_use_contact_point(point, **question) if point else None
    if outcome is None:
        raise CommandError(_("--contact-point: no customer carries this contact point."))
    return outcome


def _contact_point(text: str) -> ContactPoint | None:
    numbers = [phone.value for phone in standardise_phones(text, "FR")]
    values = [text.strip().casefold(), *numbers]
    return ContactPoint.objects.filter(value__in=values).order_by("pk").first()


def _instant(text: str | None, option: str) -> datetime:
    """Read a day (its last instant; for today, now) or an instant; now without a text."""
    if text is None:
        return now()
    try:
        moment: datetime | date | None = parse_date(text) or parse_datetime(text)
    except ValueError:
        moment = None
    if isinstance(moment, datetime):
        return moment if moment.tzinfo else moment.replace(tzinfo=get_default_timezone())
    if moment is None:
        raise CommandError(
            _("%(option)s: write a day (2026-03-03) or an instant (2026-03-03T10:00).")
            % {"option": option}
        )
    return now() if moment == localdate() else last_instant(moment)


def _report(
    outcome: Outcome, options: dict[str, Any], at: datetime, known_at: datetime
) -> dict[str, Any]:
    answer = outcome.answer
    event = ConsentEvent.objects.filter(pk=answer.deciding_event or 0).first()
    customer = Customer.objects.filter(pk=outcome.customer_id).first()
    return {
        "allowed": answer.allowed,
        "rule": answer.rule,
        "basis": str(answer.basis),
        "reason": answer.reason,
        "law": answer.law,
        "failed": list(answer.failed_gates),
        "customer": customer.display_id if customer else None,
        "channel": options["channel"],
        "purpose": options["purpose"],
        "families": options["family"],
        "at": at.isoformat(),
        "known_at": known_at.isoformat(),
        "evidence_level": event.evidence_level if event else None,
        "deciding_event": str(event.uuid) if event else None,
        "deciding_fact": answer.deciding_fact or None,
        "list": answer.list_name or None,
        "obligations": answer.duties,
        "valid_until": answer.valid_until.isoformat() if answer.valid_until else None,
        "policy": answer.policy,
    }


def _lines(report: dict[str, Any]) -> list[str]:
    verdict = pgettext("permission", "allowed" if report["allowed"] else "refused")
    lines = [f"{report['customer']} · {report['channel']} · {report['purpose']}: {verdict}"]
    lines.append(f"{report['rule']}  {report['reason']}  ({report['law']})")
    others = [rule for rule in report["failed"] if rule != report["rule"]]
    if others:
        lines.append(_("Also refused by %(rules)s.") % {"rules": ", ".join(others)})
    lines += [f"- {duty}" for duty in report["obligations"]]
    lines.append(_("Answered by policy pack %(code)s.") % {"code": report["policy"]})
    return lines
