"""The REST API v1 of the simulated TPS."""
