"""Old public names work and warn with the new ones; new names do not warn."""

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

import jsuper as js
from jsuper.affixes import evaluation
from jsuper.renaming import old_names, renamed_arguments
from jsuper.results import statistics

W = np.array([[1.0, 0.0], [-0.8, 0.2], [0.1, 0.6]])
LOSSES = np.r_[np.ones(18), 0.9, 0.9]
HISTORY = xr.Dataset({"history": (("seed", "step"), LOSSES[None])})
SWEEP = xr.Dataset({"W": (("feature", "hidden"), W)})
RIGHT = np.array([[1, 1, 0], [1, 0, 0]])


@renamed_arguments(least="minimum", most="maximum")
def count(values, minimum=0, maximum=9):
    """Counts what lies between."""
    return sum(minimum < value < maximum for value in values)


def test_an_argument_has_its_old_name_too():
    with pytest.warns(
        DeprecationWarning, match="^count: least is deprecated, use minimum$"
    ):
        assert count([1, 2, 3], least=1) == 2
    with pytest.warns(DeprecationWarning, match="count") as said:
        assert count([1, 2, 3], least=1, most=3) == 1
    assert [str(one.message).split()[1] for one in said] == ["least", "most"]
    assert {one.filename for one in said} == {__file__}
    assert count([1, 2, 3], 1, maximum=3) == 1


def test_an_argument_has_one_name_at_a_time():
    with pytest.raises(
        TypeError, match=r"^count got minimum by two names: minimum and least"
    ):
        count([1], minimum=1, least=2)
    with (
        pytest.warns(DeprecationWarning, match="least"),
        pytest.raises(TypeError, match="multiple values for argument 'minimum'"),
    ):
        count([1], 1, least=2)
    with pytest.raises(TypeError, match="unexpected keyword argument 'lowest'"):
        count([1], lowest=2)  # pyright: ignore[reportCallIssue]


def test_a_renamed_function_keeps_its_identity():
    assert (count.__name__, count.__doc__) == ("count", "Counts what lies between.")


def test_a_name_that_never_was_is_an_error():
    find = old_names("jsuper.affixes.evaluation", {"answers": "predictions"})
    with pytest.raises(
        AttributeError, match=r"'jsuper.affixes.evaluation' has no .*'reply'"
    ):
        find("reply")
    with pytest.raises(AttributeError, match=r"evaluation' has no attribute 'reply'"):
        _ = evaluation.reply


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("NO_ANSWER", "NO_PREDICTION"),
        ("answers", "predictions"),
        ("interference_counts", "interference_rate_counts"),
        ("is_right", "is_correct"),
        ("live_units", "active_neurons"),
        ("passes_gate", "has_learned"),
    ],
)
def test_names_of_the_evaluation(old, new):
    message = f"evaluation.{old} is deprecated, use jsuper.affixes.evaluation.{new}$"
    with pytest.warns(DeprecationWarning, match=message) as said:
        assert getattr(evaluation, old) is getattr(evaluation, new)
    assert said[0].filename == __file__
    assert old not in vars(evaluation)


def circles(ds, **options):
    """How many features each panel of a figure says that it shows."""
    return [panel.get_title() for panel in js.plots.feature_graphs(ds, **options).axes]


def columns(plot):
    """How many columns of panels a figure of five models has."""

    def counted(ds, **options):
        figure = plot(ds, **options)
        places = [panel.get_subplotspec() for panel in figure.axes]  # of a colour bar: None
        return len({place.colspan.start for place in places if place})

    return counted


FIVE = SWEEP.expand_dims(density=np.linspace(0.1, 0.5, 5))


@pytest.mark.parametrize(
    ("function", "args", "old", "new", "value"),
    [
        (js.is_represented, (W,), "least_norm", "min_norm", 0.7),
        (js.is_dedicated, (W,), "most_superposition", "max_superposition", 0.9),
        (js.features_per_neuron, (W,), "least_share", "min_share", 0.05),
        (js.converged, (HISTORY,), "most_fall", "max_fall", 0.2),
        (js.polytopes.blocks, (W,), "interference", "min_cosine", 0.99),
        (js.polytopes.blocks, (W,), "least_norm", "min_norm", 0.7),
        (js.polytopes.identify, (W,), "interference", "min_cosine", 0.99),
        (js.polytopes.identify, (W,), "least_norm", "min_norm", 0.7),
        (js.polytopes.feature_polytopes, (SWEEP,), "interference", "min_cosine", 0.05),
        (js.polytopes.feature_polytopes, (SWEEP,), "least_norm", "min_norm", 0.7),
        (circles, (SWEEP,), "least_norm", "min_norm", 0.7),
        (columns(js.plots.feature_graphs), (FIVE,), "most", "max_columns", 2),
        (columns(js.plots.neuron_stacks), (FIVE,), "most", "max_columns", 2),
        (columns(js.plots.neuron_matrices), (FIVE,), "most", "max_columns", 2),
        (statistics.interval, (np.mean, LOSSES), "level", "confidence_level", 0.5),
        (evaluation.has_learned, ([0.9, 0.8],), "least", "min_recall", 0.8),
        (evaluation.active_neurons, (RIGHT,), "least", "min_share", 0.7),
    ],
    ids=lambda part: getattr(part, "__name__", part if isinstance(part, str) else ""),
)
def test_arguments(function, args, old, new, value):
    expected = function(*args, **{new: value})
    # The value counts: with the default the result is another.
    assert str(expected) != str(function(*args))
    with pytest.warns(DeprecationWarning, match=f": {old} is deprecated, use {new}$"):
        found = function(*args, **{old: value})
    assert str(found) == str(expected)


def test_the_cosine_of_a_graph_has_its_old_name():
    def edges(**options):
        panel, *_ = js.plots.feature_graphs(SWEEP, **options).axes
        return sum(len(lines.get_segments()) for lines in panel.collections)

    with pytest.warns(
        DeprecationWarning, match="interference is deprecated, use min_cosine"
    ):
        found = edges(interference=0.99)
    assert found == edges(min_cosine=0.99) == 0 < edges()


def test_arguments_of_predictions():
    labels = np.eye(3, dtype=bool)
    for function in (evaluation.is_correct, evaluation.class_recall):
        expected = function(predicted=[0, 1, 1], labels=labels)
        with pytest.warns(DeprecationWarning, match="answer is deprecated, use predicted"):
            found = function(answer=[0, 1, 1], labels=labels)
        np.testing.assert_array_equal(found, expected)
    expected = evaluation.interference_rate_counts(RIGHT, RIGHT, 1 - RIGHT)
    names = ("first_right", "second_right", "dual_right")
    with pytest.warns(DeprecationWarning, match="_right") as said:
        found = evaluation.interference_rate_counts(
            **dict(zip(names, (RIGHT, RIGHT, 1 - RIGHT), strict=True))
        )
    np.testing.assert_array_equal(found, expected)
    assert [str(one.message).split()[-1] for one in said] == [
        "first_correct",
        "second_correct",
        "dual_correct",
    ]


def test_renamed_functions_stay_differentiable_and_compiled():
    import jax

    kept = jax.jit(lambda W: js.is_represented(W, min_norm=0.7))(jnp.asarray(W))
    np.testing.assert_array_equal(kept, js.is_represented(W, 0.7))
