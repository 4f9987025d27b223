"""Public statistics: dossiers counted by day, and the figures of a month that may be published."""
