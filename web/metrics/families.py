"""Every metric: its name, what it says, and its labels. There are no others."""

from dataclasses import dataclass
from enum import StrEnum


class Label(StrEnum):
    """What a metric may be divided by. Each has few values, and none names a person."""

    PROCEDURE = "procedure"
    PERMIT_TYPE = "permit_type"
    DEPARTMENT = "department"
    CHANNEL = "channel"
    OUTCOME = "outcome"
    STATUS = "status"
    CAUSE = "cause"
    KIND = "kind"
    WHAT = "what"
    PART = "part"
    VERSION = "version"
    RULE_SET = "rule_set"


class Shape(StrEnum):
    """How Prometheus reads a metric."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric; the name of a counter goes without its `_total`."""

    name: str
    help: str
    labels: tuple[Label, ...] = ()
    shape: Shape = Shape.GAUGE

    @property
    def adds_up(self) -> bool:
        """Whether values under one label are added; of instants and ages the greatest counts."""
        return self.shape is not Shape.GAUGE or not self.name.endswith("_seconds")


_DOSSIER = (Label.PROCEDURE, Label.PERMIT_TYPE, Label.DEPARTMENT, Label.OUTCOME)

BUILD = Metric("wif_build_info", "The version that serves this page.", (Label.VERSION,))
DATABASE = Metric("wif_database_up", "Whether the database could be read.")
RULE_SET = Metric("wif_rule_set_info", "The rule set in force.", (Label.RULE_SET,))
ACTIVATED = Metric(
    "wif_rule_set_activated_timestamp_seconds", "When the rule set was put in force."
)
DOSSIERS = Metric("wif_dossiers", "Dossiers that are stored, by where they stand.", _DOSSIER)
DELIVERIES = Metric(
    "wif_deliveries",
    "Deliveries that are stored, by where they stand.",
    (Label.CHANNEL, Label.OUTCOME),
)
ATTEMPTS = Metric(
    "wif_delivery_events",
    "Deliveries sent, retried, lost with their worker, dead, cancelled and replayed so far.",
    (Label.CHANNEL, Label.OUTCOME),
    Shape.COUNTER,
)
SEEN = Metric(
    "wif_filed_to_seen_seconds",
    "From the deposit in TPS of a new dossier until it was first listed.",
    (),
    Shape.HISTOGRAM,
)
SENT = Metric(
    "wif_filed_to_sent_seconds",
    "From the deposit in TPS of a new dossier until its office was told.",
    (Label.CHANNEL,),
    Shape.HISTOGRAM,
)
WAITING = Metric(
    "wif_waiting",
    "Dossiers never read, deliveries not sent, dossiers with the fallback unit or in quarantine.",
    (Label.WHAT,),
)
OLDEST = Metric(
    "wif_oldest_waiting_seconds", "For how long the oldest of them has waited.", (Label.WHAT,)
)
DEAD = Metric("wif_dead_deliveries", "Dead deliveries by cause.", (Label.CAUSE,))
PROCEDURE = Metric(
    "wif_procedure_status",
    "Where a procedure stands: active, stopped or paused.",
    (Label.PROCEDURE, Label.STATUS),
)
POLLED = Metric(
    "wif_procedure_last_poll_timestamp_seconds",
    "When a procedure was last polled with success.",
    (Label.PROCEDURE,),
)
LAG = Metric(
    "wif_procedure_poll_lag_seconds",
    "For how long an active procedure was not polled with success.",
    (Label.PROCEDURE,),
)
FAILURES = Metric("wif_procedure_poll_failures", "Polls that failed in a row.", (Label.PROCEDURE,))
REQUESTS = Metric(
    "wif_tps_requests",
    "Requests to TPS by HTTP status, or by what failed before there was one.",
    (Label.STATUS,),
    Shape.COUNTER,
)
LIMIT = Metric("wif_tps_limit_ratio", "The share of the request limit that is used up.")
BREAKERS = Metric("wif_breakers_open", "Breakers that are not closed.", (Label.KIND,))
INCIDENTS = Metric("wif_incidents", "Incidents that last.", (Label.KIND,))
SEALED = Metric("wif_audit_sealed_timestamp_seconds", "When the audit log was last sealed.")
UNSEALED = Metric(
    "wif_audit_unsealed_seconds", "For how long the oldest unsealed audit line has waited."
)
PARTS = Metric(
    "wif_part_seen_timestamp_seconds",
    "When beat, or a worker on a queue, was last seen alive.",
    (Label.PART,),
)
HEARD = Metric(
    "wif_hint_heard_timestamp_seconds",
    "When TPS last sent a hint about a procedure.",
    (Label.PROCEDURE,),
)
HINTS = Metric(
    "wif_hints",
    "Requests at the addresses of hints that this process answered.",
    (Label.KIND, Label.OUTCOME),
    Shape.COUNTER,
)
DURATION = Metric("wif_metrics_duration_seconds", "How long it took to collect these metrics.")

ALL = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
