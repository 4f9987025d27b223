"""The GraphQL API v2 of the simulated TPS."""
