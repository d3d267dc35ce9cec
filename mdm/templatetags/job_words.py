"""What people read about a job, for templates."""

from django import template

from mdm import job_words

register = template.Library()
register.filter("of_key", lambda found, key: found.get(key, ""))
register.filter("job_kind", job_words.kind_label)
register.filter("job_icon", job_words.icon)
register.filter("job_phase", job_words.phase_label)
register.filter("job_result_url", job_words.result_url)
