"""What a visitor may ask of the web process: sizes in bytes, durations in seconds."""

HEADER_BYTES = 16_384
"""Of the request line and all headers."""

BODY_BYTES = 65_536
"""Of a request: a batch of 100 events has some 15,000."""

EXCHANGE_SECONDS = 20.0
"""For a request and its answer, from the first byte to the last: longer than TPS waits for the
answer to a hint (10 or 15 s), and enough for a page over a bad line."""

IDLE_SECONDS = 5
"""A connection on which nothing is asked any more is closed."""

CONNECTIONS = 500
"""At the same time, on each address; a request beyond it is told to come back."""

THREADS = 3
"""Requests that work with the database at the same time: fewer than its pool has connections, of
which one is for hints."""

HINTS_PER_SECOND = 500
"""Of those that know a secret; TPS has some thousands of events a day."""

GRACE_SECONDS = 5
"""For answers under way when the process is told to stop."""
