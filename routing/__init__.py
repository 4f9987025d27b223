"""The domain: what a dossier is, who is competent for it. Pure: no I/O, no clock, no settings."""
