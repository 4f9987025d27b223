"""`wif serve`: hints in; metrics, health and pages out. It may be missing without harm."""
