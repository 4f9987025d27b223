"""The gallery of mails: up to date, whole, and as mail readers want it."""

from pathlib import Path

import pytest

from connectors.mail.smime import signer_of
from release.mails import FOLDER, PICTURED, PICTURES, Sample, files, gallery
from routing.assignment import Event
from tests.fixtures.certificates import pair, verified

SAMPLES = list(gallery())
COLUMNS = 72
MOST_BYTES = 1_500_000

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)


def test_it_is_what_make_mails_writes() -> None:
    written = {name: (FOLDER / name).read_text(encoding="utf-8") for name, _ in files()}
    assert written == dict(files())


def test_nothing_old_lies_beside_and_pictures_are_small() -> None:
    pictures = {f"{name}-{picture}.png" for name in PICTURED for picture in PICTURES}
    assert {path.name for path in FOLDER.iterdir()} == {name for name, _ in files()} | pictures
    assert sum((FOLDER / name).stat().st_size for name in pictures) < MOST_BYTES


def test_every_event_is_in_it() -> None:
    shown = {str(sample.mail.message["X-WIF-Event"]) for sample in SAMPLES}
    assert {event.value for event in Event} <= shown


@each_sample
def test_plain_text_has_72_columns_but_for_addresses_and_commands(sample: Sample) -> None:
    _, _, text = sample.text.partition("\n\n")
    allowed = ("http", "Hash:", "First key:", "wif ", "--pin")
    long = [line for line in text.splitlines() if len(line) > COLUMNS]
    assert [line for line in long if not line.strip().startswith(allowed)] == []


@each_sample
def test_a_mail_to_a_unit_has_its_list_and_one_of_a_dossier_its_conversation(
    sample: Sample,
) -> None:
    message = sample.mail.message
    unit = message["X-WIF-Unit"]
    assert ("List-Id" in message) is (unit is not None)
    dossier = message.get("X-WIF-Dossier", "digest")
    assert ("References" in message) is (dossier != "digest")


@each_sample
def test_every_mail_can_be_signed(sample: Sample, tmp_path: Path) -> None:
    used = pair()
    signed = signer_of(used.certificate, used.key).sign(sample.mail.content)
    assert signed.isascii()
    assert verified(signed, tmp_path) is not None


def test_subjects_begin_alike_and_then_with_what_they_are_about() -> None:
    subjects = [str(s.mail.message["Subject"]) for s in SAMPLES if "X-WIF-Unit" in s.mail.message]
    assert all(subject.startswith("[WIF] ") for subject in subjects)
    assert len(set(subjects)) == len(subjects)
