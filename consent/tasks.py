"""The Celery tasks of consent."""

from celery import shared_task

from consent.mails import send_due_mails


@shared_task(name="orfevre.send_mails")
def send_mails() -> None:
    """Send the mails that are due; safe to receive twice, or never (the sweeper rings again)."""
    send_due_mails()
