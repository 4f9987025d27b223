"""The queues: one for each kind of work, so that workers can be given to one or to all."""

POLL = "poll"
ROUTE = "route"
DELIVER = "deliver"
UPKEEP = "upkeep"

ALL = (POLL, ROUTE, DELIVER, UPKEEP)
