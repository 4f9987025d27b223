"""Celery: thin tasks around the use cases. `celery -A tasks worker` and `celery -A tasks beat`."""
