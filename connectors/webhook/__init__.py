"""Webhooks: a unit's own system gets a signed JSON document by POST (Standard Webhooks 1.0)."""
