"""Celery: thin tasks around the use cases. `wif worker` and `wif beat` start it."""

from wif_launcher import refuse_foreign_modules

# `celery -A tasks` puts the working directory first in the path of modules.
refuse_foreign_modules()
