"""The `wif` command."""
