"""`wif doctor`: every check, by what it looks at."""
