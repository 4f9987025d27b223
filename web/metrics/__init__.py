"""`/metrics`: what Prometheus reads, counted from the database."""
