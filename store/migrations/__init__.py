"""Alembic migrations; `wif db upgrade` runs them."""
