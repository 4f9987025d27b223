"""The use cases, one module each: poll, route, deliver, reassign, purge … No Celery."""
