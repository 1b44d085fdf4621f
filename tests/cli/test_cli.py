"""The command: what it writes, what it says, and how it refuses."""

import dataclasses
import re
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import jsuper as js
from jsuper import cli

SMALL = ["--seeds", "2", "--steps", "30", "--batch", "64", "--cores", "2"]


@pytest.fixture(scope="module")
def sweep_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("sweep") / "sweep.nc"
    words = [
        "sweep",
        "--densities",
        "1:0.01:3",
        "--thresholds",
        "0",
        "linear",
        "-o",
        str(path),
    ]
    assert cli.main([*words, *SMALL]) == 0
    return path


def test_sweep_writes_the_grid_that_was_asked_for(sweep_file):
    ds = js.load(sweep_file)
    np.testing.assert_allclose(ds["density"], [1, 0.1, 0.01])
    np.testing.assert_allclose(ds["threshold"], [0, -np.inf])
    np.testing.assert_allclose(ds["importance"], 0.9 ** np.arange(5), rtol=1e-6)
    assert ds.sizes["seed"] == 2
    assert ds["step"].values[-1] == 30
    assert "dimensionality" in ds


def test_a_store_is_filled_further_told_and_plotted(sweep_file, tmp_path, capsys):
    store, picture = tmp_path / "grid.zarr", tmp_path / "figure.png"
    words = ["--thresholds", "0", "linear", "-o", str(store), *SMALL]
    for densities in ("1:0.01:3", "1:0.01:3"), ("1:0.01:3", "0.5"):
        assert cli.main(["sweep", "--densities", *dict.fromkeys(densities), *words]) == 0
    ds, alone = js.load(store).compute(), js.load(sweep_file)
    np.testing.assert_allclose(ds["density"], [1, 0.1, 0.01, 0.5])
    np.testing.assert_allclose(ds["W"][:3], alone["W"], rtol=1e-4, atol=1e-6)
    capsys.readouterr()
    assert cli.main(["info", str(store)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].endswith("blocks done, 0 running, 0 failed")
    assert "finite: 16 of 16 models" in said
    assert cli.main(["plot", str(store), "--kind", "phase", "-o", str(picture)]) == 0
    assert picture.stat().st_size > 0
    assert cli.main(["sweep", "--force", *words]) == 2
    assert "--force must not stand beside a store" in capsys.readouterr().err


def test_sparsities_and_ranges(tmp_path):
    path = tmp_path / "a.nc"
    words = ["sweep", "--sparsities", "0", "0.9", "--thresholds=-1:0:3", "-o", str(path)]
    assert cli.main([*words, *SMALL, "--quiet"]) == 0
    ds = js.load(path)
    np.testing.assert_allclose(ds["density"], [1, 0.1])
    np.testing.assert_allclose(ds["threshold"], [-1, -0.5, 0])


@pytest.mark.parametrize("kind", cli.plot.FIGURES)
def test_plot_draws_every_kind(sweep_file, tmp_path, kind):
    picture = tmp_path / "figure.png"
    select = ["--select", "threshold=0"] if kind == "demonstration" else []
    words = ["plot", str(sweep_file), "--kind", kind, "-o", str(picture), *select]
    if kind == "phase":
        words += ["--quantity", "superposed"]
    assert cli.main(words) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert cli.main(words) == 2  # it exists now


def test_info_tells_axes_recipe_and_convergence(sweep_file, capsys):
    assert cli.main(["info", str(sweep_file)]) == 0
    said = capsys.readouterr().out
    assert "density (3): 1, 0.1, 0.01" in said
    assert "steps: 30" in said
    assert '"weight_decay": 0.01' in said
    assert "finite: 12 of 12 models" in said
    assert "converged (training loss fell less than 5%" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--densities", "1.2"], "density must be in (0, 1], got 1.2"),
        (["--densities", "0"], "density must be in (0, 1], got 0"),
        (["--densities", "nan"], "axis 'density' must not contain NaN"),
        (["--sparsities", "1"], "density must be in (0, 1], got 0"),
        (["--thresholds", "inf"], "threshold must be in [-inf, inf), got inf"),
        (["--hidden", "0"], "n_hidden must be an integer of at least 1, got 0"),
        (["--features", "-1"], "n_features must be an integer of at least 1, got -1"),
        (["--steps", "0"], "steps must be an integer of at least 1, got 0"),
        (["--seeds", "0"], "axis 'seed' must be an integer of at least 1, got 0"),
        (["--importance", "-1"], "ratio must be positive and finite, got -1"),
        (["--cores", "0"], "n must be an integer of at least 1, got 0"),
    ],
)
def test_sweep_refuses_in_one_line(words, message, tmp_path, capsys):
    assert cli.main(["sweep", *words, "-o", str(tmp_path / "a.nc")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert message in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words", [["--densities", "few"], ["--densities", "1:0.1"], ["--no"]]
)
def test_unreadable_words_exit_with_2(words, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["sweep", "-o", str(tmp_path / "a.nc"), *words])
    assert stop.value.code == 2


def test_paths_are_checked_before_training(tmp_path, capsys):
    folder = tmp_path / "nowhere" / "a.nc"
    assert cli.main(["sweep", "-o", str(folder)]) == 2
    assert "existing folder" in capsys.readouterr().err
    taken = tmp_path / "a.nc"
    taken.write_text("mine")
    assert cli.main(["sweep", "-o", str(taken)]) == 2
    assert taken.read_text() == "mine"
    assert cli.main(["info", str(taken)]) == 2
    assert cli.main(["plot", str(taken)]) == 2


def test_an_interrupted_sweep_says_so_and_leaves_nothing(tmp_path, capsys, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(js, "sweep", interrupted)
    assert cli.main(["sweep", "--cores", "2", "-o", str(tmp_path / "a.nc")]) == 130
    assert capsys.readouterr().err == "jsuper sweep: interrupted, no half file left\n"
    assert not list(tmp_path.iterdir())

    def cut_short(*args, **kwargs):
        raise KeyboardInterrupt("interrupted in block 2 of 3")

    monkeypatch.setattr(js, "sweep", cut_short)
    assert cli.main(["sweep", "-o", str(tmp_path / "a.zarr")]) == 130
    assert capsys.readouterr().err == "jsuper sweep: interrupted in block 2 of 3\n"


@pytest.mark.slow
def test_it_is_quiet_in_a_pipe(tmp_path):
    words = [sys.executable, "-m", "jsuper.cli", "sweep", "-o", str(tmp_path / "a.nc")]
    run = subprocess.run([*words, *SMALL], capture_output=True, text=True, check=True)
    assert run.stderr == ""
    assert run.stdout == f"{tmp_path / 'a.nc'}: 2 models, 2 finite\n"


def test_thresholds_below_zero_need_no_equals_sign(tmp_path):
    path = tmp_path / "a.nc"
    words = ["sweep", "--thresholds", "-inf", "-1:-0.5:2", "-1e-1", "-o", str(path)]
    assert cli.main([*words, *SMALL, "--quiet"]) == 0
    np.testing.assert_allclose(js.load(path)["threshold"], [-np.inf, -1, -0.5, -0.1])


def test_options_are_not_guessed_from_their_beginnings(tmp_path, capsys):
    with pytest.raises(SystemExit):
        cli.main(["sweep", "--seed", "3", "-o", str(tmp_path / "a.nc")])
    assert "unrecognized arguments: --seed" in capsys.readouterr().err


def test_select_says_what_it_took(sweep_file, tmp_path, capsys):
    picture = tmp_path / "figure.png"
    words = ["plot", str(sweep_file), "--select", "density=0.09", "threshold=linear"]
    assert cli.main([*words, "-o", str(picture)]) == 0
    assert capsys.readouterr().out == f"density = 0.1\nthreshold = -inf\n{picture}\n"


def test_info_serves_a_sweep_that_diverged_throughout(tmp_path, capsys):
    path = tmp_path / "a.nc"
    words = ["sweep", "--learning-rate", "1e30", "-o", str(path), "--quiet"]
    assert cli.main([*words, *SMALL]) == 0
    assert "2 of 2 models diverged" in capsys.readouterr().err
    assert cli.main(["info", str(path)]) == 0
    assert "finite: 0 of 2 models" in capsys.readouterr().out
    assert cli.main(["plot", str(path), "--kind", "loss"]) == 0


@pytest.fixture
def two_experiments(monkeypatch):
    """Two experiments that train nothing, in the place of the paper's."""
    from matplotlib.figure import Figure

    from jsuper import experiments

    @dataclasses.dataclass(frozen=True)
    class Settings:
        level: float = 0.5

    trained = []

    def train(settings):
        trained.append(settings)
        return {"made": xr.Dataset({"loss": ("seed", [settings.level] * 2)})}

    def findings(models):
        level = float(models["made"]["loss"].mean())
        case = experiments.Case("density 1", "D", level, 0.3, 0.6, 2)
        digon = experiments.Case("", "D", 0.5)
        return [
            experiments.Finding("a pentagon", [case], "D near 0.4", level < 0.45),
            experiments.Finding("a digon", [digon], "D near 0.5", True),
        ]

    def figures(models):
        return {"picture": Figure()}

    def fail(settings):
        raise RuntimeError("out of luck")

    sizes, rest = (Settings(), Settings(0.4)), (findings, figures)
    found = {
        "first": experiments.Experiment("The first", "Figure 1", 0.5, *sizes, train, *rest),
        "second": experiments.Experiment("The second", "Fig. 2", 2.0, *sizes, fail, *rest),
    }
    monkeypatch.setattr(experiments, "NAMES", tuple(found))
    monkeypatch.setattr(experiments, "find", found.__getitem__)
    return trained


def reproduce(*words):
    return cli.main(["reproduce", *map(str, words), "--cores", "2"])


def test_reproduce_writes_models_findings_and_figures(two_experiments, tmp_path, capsys):
    assert reproduce("first", "--quick", "-o", tmp_path) == 0
    said = capsys.readouterr().out
    assert "first (1 of 1): The first" in said
    assert "Small version" in said
    assert "agrees   a pentagon: density 1: D 0.4 [0.3, 0.6]" in said
    assert "DIFFERS" not in said
    folder = tmp_path / "first"
    assert (folder / "findings.md").read_text().startswith("Small version")
    assert sorted(path.name for path in folder.iterdir()) == [
        "findings.csv",
        "findings.md",
        "models.nc",
        "picture.png",
        "settings.md",
    ]
    assert reproduce("first", "-o", tmp_path) == 0
    said = capsys.readouterr().out
    assert "DIFFERS  a pentagon" in said
    assert "Small version" not in said
    table = (folder / "findings.md").read_text()
    assert "| a pentagon | density 1: D 0.5 [0.3, 0.6] | **no** |" in table


def test_reproduce_judges_again_and_resumes_without_training(
    two_experiments, tmp_path, capsys
):
    assert reproduce("first", "--quick", "-o", tmp_path / "one") == 0
    assert reproduce("first", "--from", tmp_path / "one", "-o", tmp_path / "two") == 0
    assert len(two_experiments) == 1
    one, two = (
        (tmp_path / n / "first" / "findings.csv").read_text() for n in ("one", "two")
    )
    assert one == two
    assert "Small version" in capsys.readouterr().out
    # What stands there with the same settings is not trained again, all else is.
    assert reproduce("first", "--quick", "--resume", "-o", tmp_path / "one") == 0
    assert len(two_experiments) == 1
    assert reproduce("first", "--resume", "-o", tmp_path / "one") == 0
    assert len(two_experiments) == 2
    assert reproduce("first", "--from", tmp_path / "no", "-o", tmp_path / "two") == 2
    assert re.search(r"got .*no without first/models\.nc", capsys.readouterr().err)


def test_reproduce_all_keeps_what_was_finished(two_experiments, tmp_path, capsys):
    assert reproduce("all", "-o", tmp_path) == 2
    assert capsys.readouterr().err == "jsuper reproduce: error: out of luck\n"
    assert (tmp_path / "first" / "findings.md").is_file()


def test_reproduce_list(two_experiments, capsys):
    assert cli.main(["reproduce", "--list"]) == 0
    said = capsys.readouterr().out
    assert "first" in said
    assert "0.5 min  The first" in said
    assert "all                 2.5 min" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name one of introduction, demonstration"),
        (["pentagon"], "experiment must be one of introduction, .*, got 'pentagon'"),
    ],
)
def test_reproduce_refuses(words, message, capsys):
    assert cli.main(["reproduce", *words]) == 2
    assert re.search(message, capsys.readouterr().err)


def test_reproduce_needs_a_folder(two_experiments, tmp_path, capsys):
    (tmp_path / "file").touch()
    words = ["reproduce", "first", "--cores", "2", "-o", str(tmp_path / "file" / "in")]
    assert cli.main(words) == 2
    assert "output must be a folder that can be written, got" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--densities", "1.0000001"], "density must be in (0, 1], got 1.0000001"),
        (
            ["--learning-rate", "nan"],
            "learning_rate must be at least 0 and finite, got nan",
        ),
        (["--learning-rate", "-1"], "learning_rate must be at least 0 and finite, got -1"),
        (
            ["--learning-rate", "inf"],
            "learning_rate must be at least 0 and finite, got inf",
        ),
        (
            ["--learning-rate", "1e39"],
            "learning_rate must be at least 0 and finite, got 1e+39",
        ),
        (["--weight-decay", "nan"], "weight_decay must be at least 0 and finite, got nan"),
        (
            ["--weight-decay", "-0.1"],
            "weight_decay must be at least 0 and finite, got -0.1",
        ),
        (["--key", "-1"], "key must be in [0, 2**63), got -1"),
    ],
)
def test_numbers_are_refused_before_training(words, message, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(js.training, "train", None)
    assert cli.main(["sweep", *words, *SMALL, "-o", str(tmp_path / "a.nc")]) == 2
    assert capsys.readouterr().err == f"jsuper sweep: error: {message}\n"


@pytest.mark.parametrize("option", ["--densities", "--sparsities"])
def test_linear_is_a_threshold_only(option, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["sweep", option, "linear", "-o", str(tmp_path / "a.nc")])
    assert stop.value.code == 2
    assert "must be a number or START:STOP:COUNT" in capsys.readouterr().err


def test_sparsities_give_the_densities_that_one_asks_for(tmp_path):
    path = tmp_path / "a.nc"
    given = ["0.9", "0.7", "0.99", "0.999", "0.99999", "0.9999999987655", "0"]
    words = ["sweep", "--sparsities", *given, "-o", str(path), "--quiet"]
    assert cli.main([*words, *SMALL]) == 0
    expected = [0.1, 0.3, 0.01, 0.001, 0.00001, 1.2345e-9, 1.0]
    assert js.load(path)["density"].values.tolist() == expected
    assert float(js.load(path)["loss"].sel(density=0.1)[0, 0]) > 0


def test_a_key_counts_in_all_its_bits(tmp_path):
    import jax

    from jsuper.cli.sweep import _key

    keys = [0, 1, 2**32 - 1, 2**32, 2**32 + 1, 3 * 2**32 + 1, 2**63 - 1]
    data = [jax.random.key_data(_key(number)).tolist() for number in keys]
    assert data == [[number >> 32, number % 2**32] for number in keys]
    for number in keys[:3]:
        assert (
            data[keys.index(number)] == jax.random.key_data(jax.random.key(number)).tolist()
        )
    with jax.enable_x64(True):
        same = jax.random.key_data(jax.random.key(2**32 + 1)).tolist()
    assert data[4] == same
    with jax.default_prng_impl("rbg"):
        assert jax.random.key_data(_key(5)).tolist() == [0, 5, 0, 5]
        assert jax.random.key_data(_key(2**32 + 5)).tolist() == [1, 5, 1, 5]
    files = []
    for key in (0, 2**32):
        files.append(tmp_path / f"{key}.nc")
        words = ["sweep", "--key", str(key), "-o", str(files[-1]), "--quiet", *SMALL]
        assert cli.main(words) == 0
    assert not np.array_equal(*(js.load(path)["W"] for path in files))


def plotted(tmp_path, *words):
    """Draws a file by hand with coordinates of every kind."""
    rng = np.random.default_rng(0)
    path = tmp_path / "hand.nc"
    if not path.exists():
        dims, shape = ("activation", "density", "seed"), (2, 3, 2)
        data = {
            "W": ((*dims, "feature", "hidden"), rng.normal(size=(*shape, 3, 2))),
            "loss": (dims, rng.random(shape)),
            "history": ((*dims, "step"), rng.random((*shape, 4))),
            "finite": (dims, np.ones(shape, bool)),
        }
        coords = {
            "activation": ["relu", "gelu"],
            "density": [1.0, 0.3, 0.1],
            "sparsity": ("density", [0.0, 0.7, 0.9]),
            "seed": [0, 1],
            "step": [1, 2, 3, 4],
            "note": "first try",
        }
        js.save(xr.Dataset(data, coords), path)
    return cli.main(["plot", str(path), *words])


def test_a_picture_without_extension_is_a_png_of_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("picture", "picture.", ".png", "b.PNG"):
        assert plotted(tmp_path, "-o", name) == 0
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    assert plotted(tmp_path, "-o", "picture", "--force") == 0
    assert plotted(tmp_path, "-o", "picture") == 2
    assert plotted(tmp_path, "-o", "c.svg") == 0
    assert "<svg" in (tmp_path / "c.svg").read_text()
    names = {"hand.nc", "picture", "picture.", ".png", "b.PNG", "c.svg"}
    assert {p.name for p in tmp_path.iterdir()} == names


@pytest.mark.parametrize("name", ["a.nc", "a.v2", "a.tar.gz"])
def test_an_unknown_extension_is_refused_before_drawing(
    name, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(js.files, "load", None)
    assert plotted(tmp_path, "-o", str(tmp_path / name)) == 2
    said = capsys.readouterr().err
    assert "output must end in one of ." in said
    assert ".png, " in said
    assert said.count("\n") == 1


def test_a_sweep_is_not_replaced_by_its_picture(tmp_path, capsys):
    plotted(tmp_path)
    bare = (tmp_path / "hand.nc").rename(tmp_path / "hand")
    before = bare.read_bytes()
    assert cli.main(["plot", str(bare), "-o", str(bare), "--force"]) == 2
    assert "output must be another file than the sweep" in capsys.readouterr().err
    assert bare.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--select", "activation=relu"], "activation = relu\n"),
        (["--select", "sparsity=0.9"], "sparsity = 0.9\n"),
        (
            ["--select", "activation=gelu", "--select", "density=1,0.1"],
            "density = 1, 0.1\n",
        ),
        (["--kind", "phase", "--x", "sparsity", "--y", "activation"], ""),
        (["--kind", "phase", "--x", "activation", "--y", "density"], ""),
        (["--kind", "loss"], ""),
    ],
)
def test_names_and_coordinates_beside_an_axis_are_taken(words, said, tmp_path, capsys):
    picture = tmp_path / "picture.png"
    assert plotted(tmp_path, *words, "-o", str(picture)) == 0
    assert capsys.readouterr().out.endswith(f"{said}{picture}\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--select", "density=nan"], "--select density must be a number, got 'nan'"),
        (["--select", "density=linear"], "--select density must be a number, got 'linear'"),
        (["--select", "activation=tanh"], "--select activation must be one of relu, gelu"),
        (["--select", "depth=1"], "--select must name one of ['activation', 'density'"),
        (["--kind", "phase", "--x", "note", "--y", "density"], "no axis 'note'"),
        (["--kind", "phase"], "no axis 'threshold' to be plotted over, only ['activation'"),
        (["--kind", "demonstration"], "the figure has room for 1 of the axes"),
    ],
)
def test_plot_refuses_in_one_line(words, message, tmp_path, capsys):
    assert plotted(tmp_path, *words) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert message in said
    assert [p.name for p in tmp_path.iterdir()] == ["hand.nc"]


@pytest.mark.parametrize("word", ["density", "=1", "density=", ""])
def test_a_selection_needs_a_name_and_a_value(word, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        plotted(tmp_path, "--select", word)
    assert stop.value.code == 2
    assert f"must be AXIS=VALUE, got {word!r}" in capsys.readouterr().err


def test_plot_takes_models_of_several_sizes(tmp_path, capsys):
    W = np.random.default_rng(0).normal(size=(3, 2, 4, 3))
    n_hidden = np.arange(1, 4)
    padding = np.arange(3) >= n_hidden[:, None]
    W = np.where(padding[:, None, None], np.nan, W)
    data = {"W": (("n_hidden", "seed", "feature", "hidden"), W)}
    data["loss"] = (("n_hidden", "seed"), np.ones((3, 2)))
    coords = {"n_hidden": n_hidden, "hidden_padding": (("n_hidden", "hidden"), padding)}
    path = js.save(xr.Dataset(data, coords), tmp_path / "sizes.nc")
    assert cli.main(["plot", str(path)]) == 2
    assert "--select n_hidden=2" in capsys.readouterr().err
    for words in (["n_hidden=2"], ["n_hidden=1"], ["n_hidden=1,2"]):
        assert cli.main(["plot", str(path), "--force", "--select", *words]) == 0
    assert cli.main(["plot", str(path), "--kind", "demonstration"]) == 0
    assert cli.main(["info", str(path)]) == 0
    assert "n_hidden (3): 1, 2, 3" in capsys.readouterr().out


@pytest.mark.slow
def test_sizes_activations_and_learning_rates_are_axes(tmp_path, capsys):
    path = tmp_path / "a.nc"
    words = [
        "sweep",
        "--hidden",
        "1",
        "2",
        "--activations",
        "relu",
        "tanh",
        "-o",
        str(path),
    ]
    words += ["--learning-rates", "1e-3:1e-1:3", "--seeds", "3:5", "--quiet"]
    words += ["--steps", "10", "--batch", "16", "--cores", "2"]
    assert cli.main(words) == 0
    ds = js.load(path)
    assert ds["n_hidden"].values.tolist() == [1, 2]
    assert ds["activation"].values.tolist() == ["relu", "tanh"]
    np.testing.assert_allclose(ds["learning_rate"], [1e-3, 1e-2, 1e-1])
    assert ds["seed"].values.tolist() == [3, 4]
    assert ds["hidden_padding"].dims == ("n_hidden", "hidden")
    assert ds["finite"].all()
    assert cli.main(["info", str(path)]) == 0
    said = capsys.readouterr().out
    assert "activation (2): relu, tanh" in said
    picture = tmp_path / "a.png"
    select = ["activation=tanh", "n_hidden=2", "learning_rate=0.01"]
    assert cli.main(["plot", str(path), "--select", *select, "-o", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    loss = ["--kind", "phase", "--x", "learning_rate", "--y", "activation"]
    loss += ["--quantity", "loss", "--select", "n_hidden=2", "density=0.1"]
    words = ["plot", str(path), *loss, "threshold=0", "-o", str(picture), "--force"]
    assert cli.main(words) == 0


def test_one_size_and_one_activation_are_no_axes(tmp_path):
    path = tmp_path / "a.nc"
    words = ["sweep", "--hidden", "3", "--activations", "gelu", "-o", str(path), "--quiet"]
    assert cli.main([*words, *SMALL]) == 0
    ds = js.load(path)
    assert ds["W"].dims == ("density", "threshold", "seed", "feature", "hidden")
    assert ds.sizes["hidden"] == 3


@pytest.mark.parametrize("seeds", ["8:", "a", "3:3:3"])
def test_seeds_that_are_none(seeds, tmp_path, capsys):
    with pytest.raises(SystemExit):
        cli.main(["sweep", "--seeds", seeds, "-o", str(tmp_path / "a.nc")])
    assert f"must be a number or FIRST:STOP, got '{seeds}'" in capsys.readouterr().err
