"""Every mail of the service is signed once there is a certificate, and with a new one at once."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cli.doctor.command import examine
from cli.doctor.finding import DoctorCheck, State
from service.runtime import Runtime
from service.secret_rotation import settings_now
from service.watch_health import check
from store import incidents
from tests.fixtures.certificates import SENDER, pair, verified
from tests.fixtures.harness import Harness, WakeUpRecorder

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


def restart(harness: Harness) -> None:
    """Let the harness's runtime be as one that was started with the files that are there now."""
    old = harness.runtime
    old.close()
    now = settings_now()
    names = ("smime_certificate", "smime_key", "mail_from")
    settings = old.settings.model_copy(update={name: getattr(now, name) for name in names})
    harness.runtime = Runtime(settings, clock=old.clock, waker=WakeUpRecorder(), jitter=lambda: 0.0)


@pytest.fixture
def files(harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The files of the certificate and of the key, and a service that was started with them."""
    certificate, key = tmp_path / "smime.pem", tmp_path / "smime.key"
    used = pair()
    certificate.write_text(used.certificate)
    key.write_text(used.key)
    monkeypatch.setenv("WIF_SMIME_CERTIFICATE_FILE", str(certificate))
    monkeypatch.setenv("WIF_SMIME_KEY_FILE", str(key))
    monkeypatch.setenv("WIF_MAIL_FROM", SENDER)
    restart(harness)
    return certificate, key


def test_what_is_delivered_is_signed(
    harness: Harness, files: tuple[Path, Path], tmp_path: Path
) -> None:
    number = harness.file()
    harness.run()

    (path,) = harness.outbox.glob("*.eml")
    content = verified(path.read_bytes(), tmp_path)
    assert content is not None
    assert f"n=C2=B0 {number}".encode() in content


def test_a_new_pair_is_taken_on_though_its_files_come_one_after_the_other(
    harness: Harness, files: tuple[Path, Path], tmp_path: Path
) -> None:
    certificate, key = files
    following = pair(key=ec.generate_private_key(ec.SECP256R1()))
    before = harness.runtime.settings.smime_certificate
    certificate.write_text(following.certificate)
    harness.runtime.refresh()
    assert harness.runtime.settings.smime_certificate == before
    harness.file()
    harness.run()
    key.write_text(following.key)
    harness.runtime.refresh()
    assert harness.runtime.settings.smime_certificate == following.certificate.strip()
    harness.file()
    harness.run()

    mails = [path.read_bytes() for path in harness.outbox.glob("*.eml")]
    assert len(mails) == 2
    assert all(verified(mail, tmp_path) for mail in mails)


def doctor(harness: Harness, certificate: str | None = None) -> DoctorCheck:
    changes = {"smime_certificate": certificate}
    harness.runtime.settings = harness.runtime.settings.model_copy(update=changes)
    return next(each for each in examine(harness.runtime) if each.check == "signatures")


@pytest.mark.parametrize(("days", "state"), [(400, State.OK), (29, State.WARN), (-2, State.WRONG)])
def test_doctor_says_when_the_certificate_ends(harness: Harness, days: int, state: State) -> None:
    end = harness.now + timedelta(days=days)
    found = doctor(harness, pair(end=end).certificate)
    assert found.state is state
    assert f"{end:%F}" in found.advice


def test_doctor_says_that_mails_are_not_signed(harness: Harness) -> None:
    assert "WIF_SMIME_CERTIFICATE" in doctor(harness).advice


def test_an_incident_begins_thirty_days_before_the_end_and_is_over_with_a_new_certificate(
    harness: Harness,
) -> None:
    def lasting() -> list[str]:
        check(harness.runtime)
        with harness.runtime.database.read() as connection:
            return [each.kind.value for each in incidents.lasting(connection)]

    harness.register()
    certificate = pair(end=harness.now + timedelta(days=31)).certificate
    doctor(harness, certificate)
    assert "certificate-expires" not in lasting()
    harness.wait(days=2)
    assert "certificate-expires" in lasting()
    doctor(harness, pair().certificate)
    assert "certificate-expires" not in lasting()
