"""The ways by which those who run the service are told of an incident."""
