"""The exception that ends work whose time is up, wherever it stands."""


class TimeLimitReached(Exception):
    """The soft time limit of a task ran out, or its worker must stop: store what is done, end."""
