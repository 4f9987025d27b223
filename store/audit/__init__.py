"""The audit log: its lines, how they are sealed, checked, proved and exported."""
