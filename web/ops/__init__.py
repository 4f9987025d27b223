"""`/ops`: the page of those who run the service."""
