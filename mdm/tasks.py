"""The one Celery task: run the job whose id the message carries."""

from celery import shared_task

from mdm import jobs


@shared_task(name="orfevre.run_job")
def run_job(job_id: str) -> None:
    """Run a job if it still waits; safe to receive twice, or never (the sweeper rings again)."""
    jobs.execute(job_id)
