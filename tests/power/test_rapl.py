"""RAPL against a powercap tree whose energy is known."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_meters import AMD_RANGE_UJ, INTEL_RANGE_UJ, FakeClock, Powercap
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nmbench.power.meter import Mark, MeterError, NoMeter
from nmbench.power.rapl import Rapl, open_rapl
from nmbench.power.zones import Zone, find_zones, read_text


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def tree(tmp_path: Path, clock: FakeClock) -> Powercap:
    return Powercap(tmp_path / "sys", clock)


def opened(tree: Powercap) -> Rapl:
    meter = open_rapl(tree.sysfs, tree.read, tree.clock)
    assert isinstance(meter, Rapl), meter
    return meter


def reason(tree: Powercap) -> str:
    meter = open_rapl(tree.sysfs, tree.read, tree.clock)
    assert isinstance(meter, NoMeter)
    return meter.reason


def window(meter: Rapl, clock: FakeClock, seconds: float) -> tuple[Mark, Mark]:
    since = meter.mark()
    clock.sleep(seconds)
    return since, meter.mark()


def test_two_sockets_are_summed_and_memory_and_platform_stand_beside(tree: Powercap) -> None:
    tree.add("intel-rapl:0", "package-0", 40.0)
    tree.add("intel-rapl:0:0", "core", 30.0)
    tree.add("intel-rapl:0:1", "dram", 3.0)
    tree.add("intel-rapl:1", "package-1", 25.0)
    tree.add("intel-rapl:1:0", "dram", 2.0)
    tree.add("intel-rapl:2", "psys", 90.0)
    meter = opened(tree)
    marks = window(meter, tree.clock, 2.0)
    assert meter.joules(*marks) == pytest.approx(130.0, abs=1e-5)
    assert meter.beside(*marks) == pytest.approx({"dram": 10.0, "psys": 180.0}, abs=1e-5)
    assert meter.info.boundary == "chip_total"
    assert "package-0, package-1" in meter.info.covers


def test_the_second_register_of_a_package_is_not_counted_again(tree: Powercap) -> None:
    tree.add("intel-rapl:0", "package-0", 40.0)
    tree.add("intel-rapl-mmio:0", "package-0", 40.0)
    (tree.sysfs / "class" / "powercap" / "intel-rapl").mkdir()
    (tree.sysfs / "class" / "powercap" / "dtpm").mkdir()
    meter = opened(tree)
    assert meter.joules(*window(meter, tree.clock, 1.0)) == pytest.approx(40.0, abs=1e-5)


def test_dies_that_show_one_counter_are_counted_once(tree: Powercap) -> None:
    tree.add("intel-rapl:0", "package-0-die-0", 68.0)
    tree.add("intel-rapl:1", "package-0-die-1", 68.0)  # AMD Zen 1 and 2: the socket's counter again
    meter = opened(tree)
    assert meter.joules(*window(meter, tree.clock, 1.0)) == pytest.approx(68.0, abs=1e-5)


def test_dies_with_counters_of_their_own_are_summed(tree: Powercap) -> None:
    tree.add("intel-rapl:0", "package-0-die-0", 68.0, start_uj=5_000_000_000)
    tree.add("intel-rapl:1", "package-0-die-1", 50.0, start_uj=9_000_000_000)
    meter = opened(tree)
    assert meter.joules(*window(meter, tree.clock, 1.0)) == pytest.approx(118.0, abs=1e-5)


def test_sockets_that_happen_to_agree_are_both_counted(tree: Powercap) -> None:
    tree.add("intel-rapl:0", "package-0", 68.0)
    tree.add("intel-rapl:1", "package-1", 68.0)
    meter = opened(tree)
    assert meter.joules(*window(meter, tree.clock, 1.0)) == pytest.approx(136.0, abs=1e-5)


@given(
    start=st.integers(0, INTEL_RANGE_UJ),
    counted=st.integers(0, INTEL_RANGE_UJ),
)
def test_one_wrap_is_exact(start: int, counted: int) -> None:
    zone = Zone(Path("x"), "package-0", "package", 0, INTEL_RANGE_UJ)
    assert zone.uj_between(start, (start + counted) % (INTEL_RANGE_UJ + 1)) == counted


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(watts=st.floats(1, 500), seconds=st.floats(0.5, 60), below=st.integers(0, 30_000_000_000))
def test_a_window_over_a_wrap_has_the_true_energy(
    tmp_path_factory: pytest.TempPathFactory, watts: float, seconds: float, below: int
) -> None:
    tree = Powercap(tmp_path_factory.mktemp("wrap") / "sys", FakeClock())
    tree.add("intel-rapl:0", "package-0", watts, start_uj=AMD_RANGE_UJ - below)
    meter = opened(tree)
    assert meter.joules(*window(meter, tree.clock, seconds)) == pytest.approx(watts * seconds, abs=1e-5)


def test_a_window_in_which_a_counter_could_wrap_twice_is_refused(tree: Powercap) -> None:
    tree.add("intel-rapl:0", "package-0", 400.0)
    meter = opened(tree)
    assert meter.info.longest_s == pytest.approx(65.5, abs=0.1)  # 65.5 kJ at 1 kW
    with pytest.raises(MeterError, match=r"too long for rapl.*wrap twice"):
        meter.joules(*window(meter, tree.clock, 70.0))


def test_a_counter_that_is_set_back_is_no_wrap(tree: Powercap) -> None:
    tree.add("intel-rapl:0", "package-0", lambda t: 1000.0 + t if t < 1 else 10.0 + t)
    meter = opened(tree)
    with pytest.raises(MeterError, match="set back"):
        meter.joules(*window(meter, tree.clock, 2.0))


def test_counters_that_stand_still_are_no_meter(tree: Powercap) -> None:
    tree.add("intel-rapl:0", "package-0", 0.0)
    tree.add("intel-rapl:1", "package-1", 20.0)
    assert "stand still (package-0)" in reason(tree)


def test_memory_that_stands_still_is_left_out(tree: Powercap) -> None:
    tree.add("intel-rapl:0", "package-0", 20.0)
    tree.add("intel-rapl:0:0", "dram", 0.0)
    meter = opened(tree)
    assert meter.beside(*window(meter, tree.clock, 1.0)) == {}


def test_several_platforms_are_left_out(tree: Powercap) -> None:
    tree.add("intel-rapl:0", "package-0", 20.0)
    tree.add("intel-rapl:1", "psys-0", 50.0)
    tree.add("intel-rapl:2", "psys-1", 50.0)
    meter = opened(tree)
    assert meter.beside(*window(meter, tree.clock, 1.0)) == {}


def test_a_counter_that_stops_midway_is_told(tree: Powercap) -> None:
    tree.add("intel-rapl:0", "package-0", lambda t: min(t, 0.5))
    meter = opened(tree)
    tree.clock.sleep(1.0)
    with pytest.raises(MeterError, match=r"package-0.*stood still for 2 s"):
        meter.joules(*window(meter, tree.clock, 2.0))


def test_no_permission_names_the_remedy(tree: Powercap) -> None:
    tree.add("intel-rapl:0", "package-0")
    tree.denied = True
    assert "CVE-2020-8694" in reason(tree)
    assert "udev" in reason(tree)


def test_permission_taken_away_midway(tree: Powercap) -> None:
    tree.add("intel-rapl:0", "package-0")
    meter = opened(tree)
    tree.denied = True
    with pytest.raises(MeterError, match="RAPL package-0: Permission denied"):
        meter.mark()


def test_no_tree_and_no_package(tree: Powercap, tmp_path: Path) -> None:
    absent = open_rapl(tmp_path / "nothing")
    assert isinstance(absent, NoMeter)
    assert "powercap is absent" in absent.reason
    tree.add("intel-rapl:0:0", "core")
    assert "shows no RAPL package" in reason(tree)


@pytest.mark.parametrize("limit", ["0", "-5", "many", ""])
def test_a_zone_without_its_range_is_refused(tree: Powercap, limit: str) -> None:
    tree.add("intel-rapl:0", "package-0")
    (tree.sysfs / "class" / "powercap" / "intel-rapl:0" / "max_energy_range_uj").write_text(limit)
    assert "max_energy_range_uj" in reason(tree)


def test_a_zone_whose_file_is_missing(tree: Powercap) -> None:
    tree.add("intel-rapl:0", "package-0")
    (tree.sysfs / "class" / "powercap" / "intel-rapl:0" / "max_energy_range_uj").unlink()
    assert "intel-rapl:0: No such file" in reason(tree)


@pytest.mark.parametrize("content", ["-1", "12 13", "1e9", "٣", "9" * 18, "x" * 10_000_000])
def test_a_counter_that_is_no_number_is_told(tree: Powercap, content: str) -> None:
    tree.add("intel-rapl:0", "package-0")
    (tree.sysfs / "class" / "powercap" / "intel-rapl:0" / "energy_uj").write_text(content)
    (zone,) = find_zones(tree.sysfs)
    with pytest.raises(MeterError, match="is no number up to") as told:
        zone.read(read_text)
    assert len(str(told.value)) < 200


def test_a_zone_outside_sysfs_is_refused(tree: Powercap, tmp_path: Path) -> None:
    tree.add("intel-rapl:0", "package-0")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "name").write_text("package-1")
    (tree.sysfs / "class" / "powercap" / "intel-rapl:1").symlink_to(elsewhere)
    assert "intel-rapl:1 is a link that leaves sysfs" in reason(tree)


def test_a_container_that_hides_the_zones(tree: Powercap) -> None:
    (tree.sysfs / "class" / "powercap" / "intel-rapl:0").symlink_to(tree.sysfs / "devices" / "masked")
    assert "outside of the container" in reason(tree)


def test_names_that_are_no_zone_are_not_looked_into(tree: Powercap) -> None:
    tree.add("intel-rapl:0", "package-0", 20.0)
    for name in ("intel-rapl:x", "intel-rapl:0 ", "intel-rapl:", "intel-rapl:0:1:2:3:4"):
        (tree.sysfs / "class" / "powercap" / name).mkdir()
    assert len(find_zones(tree.sysfs)) == 1
