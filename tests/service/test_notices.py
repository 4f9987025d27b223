"""Whom a mail names: the unit's own contact, else the national one."""

from typing import Any

import pytest

from tests.fixtures import shipped_rules
from tests.fixtures.harness import Harness

NATIONAL, OWN = "Cellule nationale, 01 00 00 00 00", "Secrétariat, bureau 12"


def told(harness: Harness) -> str:
    harness.file()
    harness.run()
    (mail,) = harness.mails()
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


@pytest.fixture
def national(harness: Harness) -> Harness:
    changed = harness.runtime.settings.model_copy(update={"contact": NATIONAL})
    harness.runtime.settings = changed
    return harness


def test_the_national_contact_stands_where_the_unit_names_nobody(national: Harness) -> None:
    assert NATIONAL in told(national)


def test_a_unit_s_own_contact_stands_in_place_of_the_national_one(national: Harness) -> None:
    def edit(content: dict[str, Any]) -> None:
        shipped_rules.unit_of(content, "UD075")["contact"] = OWN

    shipped_rules.publish_edited(national.runtime, edit)
    text = told(national)
    assert OWN in text
    assert NATIONAL not in text
