"""``nmbench train`` from end to end on a suite in miniature: files, resume, comparison, faults."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from suites_train import write_suite
from typer.testing import CliRunner

from nmbench import train_commands
from nmbench.cli import app
from nmbench.errors import DataMissing, InputError
from nmbench.network.lower import lower
from nmbench.network.nir_file import read_nir
from nmbench.training.compare import compare
from nmbench.training.provenance import Provenance, read_provenance
from nmbench.training.tasks import tasks, trained_apart


@pytest.fixture(autouse=True)
def _torch_settings() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path, str]]:
    """Train two seeds of the base network once; return suite, output and what was printed."""
    folder = tmp_path_factory.mktemp("train")
    suite = write_suite(folder / "suite")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NMBENCH_CACHE", str(folder / "cache"))
        patch.setattr("nmbench.training.baseline.EPOCHS", 2)
        done = run(suite, folder / "out", "digits", "--seeds", "2")
        yield suite, folder / "out", done


def run(suite: Path, out: Path, *arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["train", *arguments, "--suite", str(suite), "--out", str(out)])
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


def provenance(out: Path, name: str = "digits-base") -> Provenance:
    return read_provenance(out / f"{name}.json")


def test_network_and_provenance_agree(trained: tuple[Path, Path, str]) -> None:
    suite, out, said = trained
    made = provenance(out)
    path = out / "digits-base.nir"
    assert made.sha256 == hashlib.sha256(path.read_bytes()).hexdigest() == made.seeds.runs[0].sha256
    assert [r.seed for r in made.seeds.runs] == [0, 1]
    assert made.seeds.runs[0].sha256 != made.seeds.runs[1].sha256
    assert made.accuracy.value == made.seeds.runs[0].accuracy
    assert made.seeds.mean == pytest.approx(np.mean([r.accuracy for r in made.seeds.runs]))
    assert made.early_answer[-1].time_s == pytest.approx(0.03)
    assert made.early_answer[-1].accuracy == made.accuracy.value
    assert made.held_out is not None
    assert made.train.samples + made.test.samples == 50
    assert 4 <= made.held_out.best_epoch <= 6, "only quantised epochs are candidates"
    assert "epoch 6/6" in said
    assert "nothing shipped" in said

    graph, sha256 = read_nir(path)
    assert json.loads(graph.metadata["dialect"])["dt"] == 0.005
    assert graph.metadata["recipe_sha256"] == made.recipe_sha256
    network = lower(graph, tasks(str(suite), "digits", "base", None)[0].workload.dialect, sha256)
    weights = sum(int(np.count_nonzero(p.weight)) for p in network.projections)
    assert 0.8 * made.synapses <= weights <= made.synapses == 16 * 289 + 16 * 16 + 16 * 10


def test_synaptic_events_stand_by_layer_and_against_the_plain_input(trained: tuple[Path, Path, str]) -> None:
    made = provenance(trained[1])
    layers = made.activity.layers
    assert [layer.name for layer in layers] == ["neurons1", "readout"]
    total = sum(layer.feed_forward + layer.recurrent for layer in layers)
    assert total == pytest.approx(made.activity.synaptic_events)
    assert sum(layer.share for layer in layers) == pytest.approx(1)
    assert made.activity.plain_input_synaptic_events == pytest.approx(48 * made.activity.input_events)
    # three delays a pair of neurons in place of one, of which half are pruned: 6, on average over addresses
    assert made.activity.input_cut == pytest.approx(6, rel=0.4)
    assert made.activity.input_cut == pytest.approx(
        made.activity.plain_input_synaptic_events / layers[0].feed_forward
    )


def test_what_is_finished_is_not_trained_again(trained: tuple[Path, Path, str], tmp_path: Path) -> None:
    suite, out, _ = trained
    copy = tmp_path / "out"
    shutil.copytree(out, copy)
    (copy / "parts" / "digits-base-seed1.json").unlink()
    said = run(suite, copy, "digits", "--seeds", "2")
    assert "seed 0: epoch" not in said
    assert "seed 1: epoch 1/6" in said, "a seed without its record is trained"
    assert provenance(copy).seeds.runs[1].sha256 == provenance(out).seeds.runs[1].sha256


def test_another_recipe_is_trained_anew(trained: tuple[Path, Path, str], tmp_path: Path) -> None:
    suite, out, _ = trained
    other, copy = tmp_path / "suite", tmp_path / "out"
    shutil.copytree(suite, other)
    shutil.copytree(out, copy)
    recipe = other / "recipes" / "digits-base.yaml"
    recipe.write_text("# a comment changes nothing\n" + recipe.read_text())
    assert "epoch" not in run(other, copy, "digits")
    recipe.write_text(recipe.read_text().replace("learning_rate: 0.01", "learning_rate: 0.02"))
    said = run(other, copy, "digits")
    assert "of another recipe" in said
    assert "seed 0: epoch 6/6" in said


def test_all_is_compared_with_what_is_shipped(trained: tuple[Path, Path, str], tmp_path: Path) -> None:
    suite, out, _ = trained
    shipped = tmp_path / "suite"
    shutil.copytree(suite, shipped)
    (shipped / "networks").mkdir()
    for kind in ("nir", "json"):
        shutil.copy(out / f"digits-base.{kind}", shipped / "networks")
    assert "the same bytes" in run(shipped, out, "all")
    # a shipped network that was better by more than any margin
    record = json.loads((shipped / "networks" / "digits-base.json").read_text())
    record["accuracy"]["value"] = 1.0
    record["sha256"] = "0" * 64
    record["seeds"]["sd"] = 0.0
    for one in record["seeds"]["runs"]:
        one["accuracy"] = 1.0
    record["seeds"]["mean"] = 1.0
    record["temporal_gain"] = 1.0 - record["counts_only"]["accuracy"]
    (shipped / "networks" / "digits-base.json").write_text(json.dumps(record))
    task = tasks(str(shipped), "all", "base", None)[0]
    compared = compare(task, provenance(out))
    assert compared.margin == 0
    assert compared.fell_short
    assert "too low" in run(shipped, out, "all", code=1)


def test_all_does_without_data_that_are_not_here(
    trained: tuple[Path, Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, out, _ = trained
    wider = tmp_path / "wider"
    shutil.copytree(suite, wider)
    digits = (suite / "digits.yaml").read_text()
    real_alone = digits.replace("name: digits", "name: touch").replace(
        "source: digits-saccade", "source: nmnist"
    )
    (wider / "touch.yaml").write_text(real_alone.replace("    options: {limit: 5, saccade_us: 10000}\n", ""))
    (wider / "suite.yaml").write_text(
        (suite / "suite.yaml").read_text().replace("[digits]", "[touch, digits]")
    )
    monkeypatch.setenv("NMBENCH_DATA", str(tmp_path / "nothing"))
    said = run(wider, out, "all")
    assert "is left out" in said and "nmbench data fetch nmnist" in said
    assert "digits-base" in said.split("Network")[-1]
    done = CliRunner().invoke(app, ["train", "touch", "--suite", str(wider), "--out", str(out)])
    assert isinstance(done.exception, DataMissing)
    assert str(tmp_path) not in provenance(out).command


def test_words_to_spot_are_trained_apart_and_that_is_said() -> None:
    assert trained_apart("temporal") == ["running-words"]
    assert "running-words" not in {task.workload.name for task in tasks("temporal", "all", "base", None)}


def test_a_provenance_of_an_older_schema_is_not_compared_with(
    trained: tuple[Path, Path, str], tmp_path: Path
) -> None:
    suite, out, _ = trained
    older = tmp_path / "suite"
    shutil.copytree(suite, older)
    (older / "networks").mkdir()
    (older / "networks" / "digits-base.json").write_text('{"schema": "nmbench.provenance/1"}')
    assert "nothing shipped" in run(older, out, "digits")


def test_a_small_network_stands_beside(trained: tuple[Path, Path, str]) -> None:
    suite, out, _ = trained
    said = run(suite, out, "digits", "--size", "all")
    assert "digits-small, seed 0: epoch 6/6" in said
    assert "digits-base, seed 0" not in said
    assert provenance(out, "digits-small").size == "small"


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_commands, "find_spec", lambda name: None)
    done = CliRunner().invoke(app, ["train", "digits-saccade"])
    assert isinstance(done.exception, InputError)
    assert "pip install nmbench[train]" in str(done.exception)
    assert "torch==2.13.0" in str(done.exception)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["digit"], "did you mean 'digits'"),
        (["digits", "--size", "bas"], "did you mean 'base'"),
        (["digits", "--data", "nmnst"], "did you mean 'nmnist'"),
        (["digits", "--device", "gpu"], "neither 'cpu' nor 'cuda'"),
    ],
)
def test_faults_are_told(arguments: list[str], said: str, tmp_path: Path) -> None:
    suite = write_suite(tmp_path / "suite")
    done = CliRunner().invoke(app, ["train", *arguments, "--suite", str(suite)])
    assert isinstance(done.exception, InputError)
    assert said in str(done.exception)
