"""Every recipe can be read, and sees its workload's samples as the harness does."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from nmbench.errors import InputError
from nmbench.training.model import Net
from nmbench.training.recipe import FOLDER, read_recipe

SUITE = Path(__file__).parents[2] / "workloads" / "temporal"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def workload(recipe: str) -> dict:
    name = recipe.rsplit("-", 1)[0].removesuffix("-fsdd")
    return yaml.safe_load((SUITE / f"{name}.yaml").read_text(encoding="utf-8"))


def test_every_workload_has_a_base_recipe() -> None:
    suite = yaml.safe_load((SUITE / "suite.yaml").read_text(encoding="utf-8"))
    assert {f"{name}-base" for name in suite["workloads"]} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_recipe_agrees_with_its_workload(name: str) -> None:
    recipe, wanted = read_recipe(name), workload(name)
    assert recipe.dt_s == wanted["dialect"]["dt"]
    assert recipe.steps == wanted["window"]["steps"]
    steps = [(step["name"], step["options"]) for step in wanted.get("transforms", [])]
    assert [(kind, dict(options)) for kind, options in recipe.transforms] == steps


def test_small_networks_have_about_a_quarter_of_the_weights() -> None:
    shapes = {"digits-saccade": (2, 34, 34), "gesture": (2, 32, 32), "spoken-digits": (140,)}
    for name, shape in shapes.items():
        size = [
            sum(p.numel() for p in Net(shape, 10, read_recipe(f"{name}-{s}")).parameters())
            for s in ("small", "base")
        ]
        assert 0.15 < size[0] / size[1] < 0.35


def test_an_unknown_recipe_is_told_with_its_near_miss() -> None:
    with pytest.raises(InputError, match="did you mean 'gesture-base'"):
        read_recipe("gestur-base")


def test_all_faults_of_a_recipe_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nmbench.training.recipe.FOLDER", tmp_path)
    (tmp_path / "bad.yaml").write_text("dt_s: -1\nsteps: 3\nlayers: []\nepoch: 4\n")
    with pytest.raises(InputError) as error:
        read_recipe("bad")
    for part in ("dt_s", "layers", "epoch:", "tau_syn_s", "bad.yaml"):
        assert part in str(error.value)
