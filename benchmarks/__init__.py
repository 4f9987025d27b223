"""What `make bench` runs: how fast the service is, next to what cannot be avoided."""
