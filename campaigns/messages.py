"""The messages of a customer, as far as Orfèvre knows: files that left with her contact point."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse

from campaigns.models import ListDownload
from consent.good_faith import Message


def messages_of(customer_id: int, since: datetime, until: datetime) -> Iterator[Message]:
    """Yield the downloads of lists that hold the customer, between two instants."""
    downloads = ListDownload.objects.filter(
        target_list__members__customer=customer_id, at__gte=since, at__lt=until
    ).select_related("target_list__campaign")
    for download in downloads.distinct().order_by("at"):
        campaign = download.target_list.campaign
        yield Message(
            download.at,
            campaign.channel,
            campaign.name,
            reverse("campaigns:list", args=[download.target_list_id]),
        )
