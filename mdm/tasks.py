"""The Celery tasks: run the job whose id the message carries, and show that a worker lives."""

from celery import shared_task

from mdm import heartbeats, jobs


@shared_task(name="orfevre.run_job")
def run_job(job_id: str) -> None:
    """Run a job if it still waits; safe to receive twice, or never (the sweeper rings again)."""
    jobs.execute(job_id)


@shared_task(name="orfevre.pulse")
def pulse() -> None:
    """Answer the sweeper: the way from broker to worker to database is open."""
    heartbeats.beat(heartbeats.WORKER)
