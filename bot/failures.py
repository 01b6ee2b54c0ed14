"""Failures: of jobs, told apart and logged."""

import traceback

import structlog

from services.jobs import Job

log = structlog.get_logger()


def same(job: Job) -> Job:
    """The job wherever it is on its ladder."""
    return Job(job.tenant_id, job.target_id, job.kind, 0)


def log_failure(event: str, job: Job, error: Exception) -> None:
    log.error(
        event,
        kind=job.kind,
        target_id=str(job.target_id),
        tenant_id=str(job.tenant_id),
        trace="".join(traceback.format_exception(error)),
    )
