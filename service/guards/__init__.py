"""What guards calls to the outside: breakers, throttle, time limits, state shared through Redis."""
