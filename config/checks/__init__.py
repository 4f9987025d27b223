"""Checks between entries: what each file cannot say alone."""
