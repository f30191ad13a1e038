from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nmbench import registry
from nmbench.errors import InputError

PLUGIN = """
import numpy as np
from nmbench.platforms.base import Answer, Platform, PlatformInfo, Session

class Zero(Session):
    def __init__(self, network): self.classes = network.populations[network.output].size
    def infer(self, batch):
        return Answer(np.zeros((len(batch), batch.steps, self.classes), np.float32))

class Mine(Platform):
    info = PlatformInfo(name="{name}", version=1, family="mine", summary="zero", clock="wall")
    def load(self, network): return Zero(network)

PLATFORMS = [Mine()]
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_built_in_platforms_are_what_their_names_say() -> None:
    for entry in registry.platforms().values():
        info = entry.make().info
        assert (info.name, info.family) == (entry.name, entry.family)


def test_a_run_without_names_takes_the_table_alone() -> None:
    """Every card is a platform; those that a run takes by default have a committed record each."""
    known = registry.platforms()
    usual = [e.name for e in registry.select([], known)]
    assert usual == list(registry.BY_DEFAULT) == [e.name for e in known.values()][: len(usual)]
    assert known.keys() - set(usual) >= {"hala-point", "spinnaker-spinn3", "gpu-v100", "dummy"}
    assert "cpu-host" not in known, "prices wall times, runs nothing"
    assert {e.name for e in registry.select(["gpu"], known)} == {"gpu-h100", "gpu-jetson"}


def test_a_platform_answers_to_its_aliases() -> None:
    known = registry.platforms()
    assert [e.name for e in registry.select(["loihi1", "spinn-3", "loihi"], known)] == [
        "loihi",
        "spinnaker-spinn3",
    ]
    with pytest.raises(InputError, match="did you mean 'spinn-"):
        registry.select(["spinn-4"], known)


def test_a_variant_changes_with_its_base() -> None:
    known = registry.platforms()
    assert [path.stem for path in known["hala-point-capacity"].files] == [
        "hala-point-capacity",
        "hala-point",
        "loihi2",
    ]
    assert known["hala-point"].fingerprint() != known["loihi2"].fingerprint()


def test_what_there_is_is_known_without_reading_a_card() -> None:
    code = (
        "import sys; from nmbench import registry; registry.select([], registry.platforms());"
        "heavy = ('numpy', 'nmbench.energy.card', 'nmbench.platforms.modelled');"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "card"), [("loihi", "loihi"), ("V100", "gpu-v100"), ("numba-event", "cpu-host")]
)
def test_the_card_of_a_platform(name: str, card: str) -> None:
    assert registry.card_of(name).name == card


def test_no_card_no_platform() -> None:
    with pytest.raises(InputError, match="dummy: states neither energy"):
        registry.card_of("dummy")
    with pytest.raises(InputError, match="unknown platform 'loihl': did you mean 'loihi'"):
        registry.card_of("loihl")


def test_a_plugin_is_found_and_selected_by_name_or_family(tmp_path: Path) -> None:
    known = registry.platforms([write(tmp_path / "p.py", PLUGIN.format(name="my-chip"))])
    assert [e.name for e in registry.select(["my-chip"], known)] == ["my-chip"]
    assert [e.name for e in registry.select(["mine"], known)] == ["my-chip"]
    assert {e.name for e in registry.select(["gpu"], known)} == {"gpu-h100", "gpu-jetson"}
    assert [e.name for e in registry.select(["loihi"], known)] == ["loihi"], "an exact name is one platform"
    assert "dummy" not in {e.name for e in registry.select([], known)}
    assert "my-chip" in {e.name for e in registry.select([], known)}


def test_every_unknown_platform_is_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        registry.select(["loihl", "gpuu"], registry.platforms())
    assert len(caught.value.faults) == 2
    assert "did you mean 'loihi'" in caught.value.faults[0]
    assert "did you mean 'gpu'" in caught.value.faults[1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1/0", "ZeroDivisionError on import"),
        ("PLATFORMS = []", "needs PLATFORMS"),
        ("PLATFORMS = [3]", "needs PLATFORMS"),
        (PLUGIN.format(name="loihi"), "'loihi' is there already"),
    ],
)
def test_faulty_plugins(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        registry.platforms([write(tmp_path / "p.py", text)])
    with pytest.raises(InputError, match="no such file"):
        registry.platforms([tmp_path / "gone.py"])


def test_a_changed_plugin_is_another_platform(tmp_path: Path) -> None:
    path = write(tmp_path / "p.py", PLUGIN.format(name="my-chip"))
    before = registry.platforms([path])["my-chip"].fingerprint()
    write(path, PLUGIN.format(name="my-chip") + "# changed")
    assert registry.platforms([path])["my-chip"].fingerprint() != before
