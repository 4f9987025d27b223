"""The REST API v1: deprecated, undocumented, and all that old servers have."""
