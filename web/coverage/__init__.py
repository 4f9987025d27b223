"""The coverage matrix of a rule set as one page."""
