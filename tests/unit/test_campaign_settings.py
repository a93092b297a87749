"""What a supervisor may set of a campaign."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cadencia.dialer.settings import changed_settings
from cadencia.domain.dialing import CampaignSettings, Mode
from cadencia.errors import Refused, Words


def test_a_new_campaign_is_predictive_and_aims_at_its_cap() -> None:
    settings = CampaignSettings()
    assert (settings.mode, settings.abandonment_cap, settings.abandonment_target) == (Mode.PREDICTIVE, 0.03, None)
    assert settings.cancel_late
    assert settings.weight == 1.0


def test_settings_that_were_stored_before_a_setting_was_there_are_read() -> None:
    old = b'{"mode":"progressive","ratio":1.2,"ring_s":25,"abandonment_cap":0.02}'
    assert msgspec.json.decode(old, type=CampaignSettings) == CampaignSettings(
        mode=Mode.PROGRESSIVE, abandonment_cap=0.02
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"weight": 0.05}, "0.1 to 10"),
        ({"weight": "2"}, "weight"),
        ({"cancel_late": 1}, "true or false"),
        ({"preview_auto_dial": "no"}, "true or false"),
        ({"preview_s": 4}, "5 to 300"),
        ({"preview_s": 20.5}, "whole"),
        ({"abandonment_target": 0.031}, "above the cap"),
        ({"abandonment_target": 0.02, "abandonment_cap": 0.01}, "above the cap"),
        ({"abandonment_target": True}, "abandonment_target"),
        ({"mode": "ludicrous"}, "ludicrous"),
        ({"ring_s": 20.5}, "whole"),
        ({"no_such": 1}, "no_such"),
        ({"ratio": None}, "ratio"),
    ],
)
def test_what_makes_no_sense_is_refused_in_both_languages(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(Refused, match=told) as refused:
        changed_settings(CampaignSettings(), changes)
    said = refused.value.message
    assert isinstance(said, Words)
    assert said.es != str(said)


def test_preview_has_its_time_and_what_happens_at_its_end() -> None:
    changes = {"mode": "preview", "preview_s": 300, "preview_auto_dial": False}
    settings = changed_settings(CampaignSettings(), changes)
    assert (settings.mode, settings.preview_s, settings.preview_auto_dial) == (Mode.PREVIEW, 300, False)


def test_a_cap_cannot_be_lowered_under_the_target() -> None:
    settings = changed_settings(CampaignSettings(), {"abandonment_target": 0.02, "weight": 2})
    assert (settings.abandonment_target, settings.weight) == (0.02, 2.0)
    with pytest.raises(Refused):
        changed_settings(settings, {"abandonment_cap": 0.01})
    assert changed_settings(settings, {"abandonment_cap": 0.01, "abandonment_target": None}).abandonment_target is None
