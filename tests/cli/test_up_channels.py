"""`wif up` starts the workers of other channels where a unit has one, whatever it is set by."""

from dataclasses import replace

from cli.service import uses_other_channels
from config.document import compile_document
from config.settings import read
from routing.units import UnitChannel
from tests.fixtures import shipped_rules


def test_a_channel_of_a_unit_is_served_though_no_setting_names_it() -> None:
    rules = compile_document(shipped_rules.document())
    unit = rules.units["UD075"]
    other = replace(unit, channels=(*unit.channels, UnitChannel("pager", "0")))
    changed = replace(rules, units={**rules.units, "UD075": other})

    assert uses_other_channels(read(), changed)


def test_settings_for_a_channel_that_may_come_are_enough() -> None:
    rules = compile_document(shipped_rules.document())
    assert not uses_other_channels(read(), rules)
    assert uses_other_channels(read(tps_write_back=True), rules)
