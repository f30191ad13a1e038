"""Every recipe can be read for its workload, and faulty ones are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmbench.errors import InputError
from nmbench.registry import SUITES
from nmbench.training.model import Net
from nmbench.training.size import synapses
from nmbench.training.tasks import read_recipe, read_workload, suite_folder, tasks

SUITE = SUITES / "temporal"
NAMES = sorted(path.stem for path in (SUITE / "recipes").glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_fits_its_workload(name: str) -> None:
    workload = read_workload(SUITE / f"{name.rsplit('-', 1)[0]}.yaml")
    recipe = read_recipe(SUITE / "recipes" / f"{name}.yaml", workload)
    assert recipe.dt_s == workload.dialect.dt
    assert [(t.name, t.options) for t in workload.transforms] == [(k, dict(o)) for k, o in recipe.transforms]


@pytest.mark.parametrize("workload", ["digits-saccade", "spoken-digits", "fsdd", "braille"])
def test_every_size_has_a_recipe(workload: str) -> None:
    read = read_workload(SUITE / f"{workload}.yaml")
    for size in read.data[next(iter(read.data))].networks:
        assert f"{workload}-{size}" in NAMES


def test_sizes_are_in_order() -> None:
    shapes = {"digits-saccade": (2, 34, 34), "braille": (2, 1, 12), "spoken-digits": (140,), "fsdd": (140,)}
    for name, shape in shapes.items():
        workload = read_workload(SUITE / f"{name}.yaml")
        small, base, large = (
            synapses(Net(shape, 10, read_recipe(SUITE / "recipes" / f"{name}-{size}.yaml", workload)))
            for size in ("small", "base", "large")
        )
        assert small < 0.5 * base < base < 0.7 * large


def test_words_in_running_audio_are_left_to_their_own_command() -> None:
    assert "running-words" not in {task.workload.name for task in tasks("temporal", "all", "base", None)}


def test_an_unknown_recipe_is_told_with_its_near_miss() -> None:
    workload = read_workload(SUITE / "digits-saccade.yaml")
    with pytest.raises(InputError, match="did you mean 'digits-saccade-base'"):
        read_recipe(SUITE / "recipes" / "digit-saccade-base.yaml", workload)


def test_an_unknown_suite_is_told() -> None:
    with pytest.raises(InputError, match="temporal"):
        suite_folder("tempral")


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("steps: 3\nlayers: []\nepoch: 4\n", ["layers", "epoch:", "tau_syn_s", "bad.yaml"]),
        ("dt_s: 1\nsteps: 3\n", ["dt_s", "the workload says 0.01"]),
        ("- 1\n", ["a recipe is a mapping"]),
        ("a: [\n", ["not YAML"]),
    ],
)
def test_all_faults_of_a_recipe_are_told(content: str, parts: list[str], tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(content)
    with pytest.raises(InputError) as error:
        read_recipe(tmp_path / "bad.yaml", read_workload(SUITE / "digits-saccade.yaml"))
    for part in parts:
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("quantised_epochs: 31", "31 of 30 epochs"),
        ("quantised_epochs: 0\nheld_out: {by: sample, share: 0.1}", "held_out chooses"),
        ("prune_epochs: [1, 2]", "go together"),
    ],
)
def test_phases_that_do_not_fit_are_told(change: str, said: str, tmp_path: Path) -> None:
    text = (SUITE / "recipes" / "digits-saccade-base.yaml").read_text()
    changed = [line.split(":")[0] for line in change.splitlines()]
    kept = [line for line in text.splitlines() if line.split(":")[0] not in changed]
    (tmp_path / "changed.yaml").write_text("\n".join([*kept, change]))
    with pytest.raises(InputError, match=said):
        read_recipe(tmp_path / "changed.yaml", read_workload(SUITE / "digits-saccade.yaml"))
