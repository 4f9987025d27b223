"""Calls of a client of v1 to an address, and how they fail."""

import pytest

from connectors.tps.errors import (
    TpsFailure,
)
from connectors.tps.v1.client import V1Client
from tests.connectors.tps.samples import TOKEN, student_form

PATIENT = {"connect_timeout": 20.0, "read_timeout": 20.0, "total_timeout": 40.0}


LIST = b'{"dossiers":[],"pagination":{"page":1,"resultats_par_page":100,"nombre_de_page":0}}'


def client_of(url: str, **options: float) -> V1Client:
    limits = {**PATIENT, **options}
    return V1Client(base_url=url, token=lambda: TOKEN, **limits)  # type: ignore[arg-type]


def failure_at(url: str, **options: float) -> TpsFailure:
    with client_of(url, **options) as client, pytest.raises(TpsFailure) as caught:
        client.read(student_form(), 7, ())
    return caught.value
