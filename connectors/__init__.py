"""The outside world, one folder each: it speaks its protocol and returns routing's types."""
