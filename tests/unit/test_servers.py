"""What a server may carry at this instant: channels, starts, and what it has not shown yet."""

from __future__ import annotations

import pytest

from cadencia.dialer.servers import Line, Server, Switch


async def nobody(factory: object) -> object:
    raise OSError("not asked")


def switch(*, channels: int = 100, rate_per_s: float = 20.0, **lines: Line) -> Switch:
    return Switch(Server("main", nobody, "u", "s", "hash", lines, channels=channels, rate_per_s=rate_per_s))


def test_the_tighter_of_server_and_trunk_decides() -> None:
    one = switch(channels=50, claro=Line(10, 5.0), etb=Line(200, 500.0))
    assert one.room("claro", calls=4, calls_on_trunk=4, now_s=0.0) == (6, 5)
    assert one.room("etb", calls=45, calls_on_trunk=1, now_s=0.0) == (5, 20)
    assert one.room("tigo", calls=0, calls_on_trunk=0, now_s=0.0) == (0, 0)


@pytest.mark.parametrize(
    ("line", "dialled"),
    [
        (Line(), "573001234567"),
        (Line(number="plus"), "+573001234567"),
        (Line(number="national"), "3001234567"),
        (Line(number="national", prefix="0357"), "03573001234567"),
    ],
)
def test_a_carrier_gets_numbers_as_it_wants_them(line: Line, dialled: str) -> None:
    assert line.dialled("+573001234567") == dialled


def test_starts_are_counted_on_both() -> None:
    one = switch(rate_per_s=20.0, claro=Line(100, 5.0))
    one.started("claro", 5, 0.0)
    assert one.room("claro", calls=5, calls_on_trunk=5, now_s=0.0)[1] == 0
    assert one.room("claro", calls=5, calls_on_trunk=5, now_s=1.0)[1] == 5


def test_a_server_that_shows_no_channels_gets_no_more_calls() -> None:
    """Its "Success" says nothing: only channels do."""
    one = switch(channels=1000, rate_per_s=20.0)
    one.starting.update(f"a{n}" for n in range(18))
    assert one.room("trunk", calls=18, calls_on_trunk=18, now_s=0.0)[0] == 2
    one.starting.update(f"b{n}" for n in range(10))
    assert one.room("trunk", calls=28, calls_on_trunk=28, now_s=0.0)[0] == 0
    one.starting.clear()
    assert one.room("trunk", calls=28, calls_on_trunk=28, now_s=0.0)[0] == 20


def test_a_slow_server_may_always_have_ten_under_way() -> None:
    assert switch(channels=1000, rate_per_s=1.0).room("trunk", calls=0, calls_on_trunk=0, now_s=0.0)[0] == 10


def test_a_trunk_that_is_missing_or_dead_carries_nothing() -> None:
    one = switch(claro=Line(), etb=Line())

    class Up:
        up = True

    one.session, one.synced = Up(), True  # type: ignore[assignment]
    assert one.carries("claro") and one.carries("etb") and not one.carries("tigo")
    one.missing = frozenset({"etb"})
    one.trunks["claro"].state = "UNAVAILABLE"
    assert not one.carries("claro") and not one.carries("etb")
