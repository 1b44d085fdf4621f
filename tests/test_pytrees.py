"""Classes that JAX maps over, also those defined twice, and what it cannot look into."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import struct

import jsuper as js
from jsuper.pytrees import Opaque, node_types, visible
from jsuper.sweeps.axes import read_axes
from jsuper.sweeps.cells import Cells

KEYS = jax.random.split(jax.random.key(0), 1)


class Halved(js.ToyModel):
    """A subclass without a decorator; it may add a field without default."""

    share: float

    def apply(self, params, x):
        return self.share * super().apply(params, x)


@struct.dataclass
class Decorated(js.SparseFeatures):
    pass


def test_subclasses_are_pytrees_by_themselves():
    model = Halved(5, 2, -0.1, share=0.5)
    assert jax.tree.leaves(model) == [-0.1, 0.5]
    doubled = jax.tree.map(lambda leaf: 2 * leaf, model)
    assert (doubled.threshold, doubled.share, doubled.n_hidden) == (-0.2, 1.0, 2)
    assert model.replace(share=0.25).share == 0.25
    with pytest.raises(ValueError, match="n_hidden must be an integer"):
        Halved(5, 0, share=0.5)
    # Rebuilt without the constructor, whose checks a gradient would not pass.
    gradient = jax.grad(lambda features: jnp.sum(features.mean()))(Decorated(3, 0.5))
    np.testing.assert_allclose(gradient.density, 1.5)


def test_subclasses_train_like_what_they_compute():
    def halved(share):
        return js.Task(Decorated(3, 0.5), Halved(3, 2, share=share))

    recipe = js.Recipe(steps=5, batch_size=32)
    ds = js.sweep(halved, {"share": [1.0, 0.5]}, recipe, key=jax.random.key(0))
    plain = js.sweep(
        lambda density: js.Task(js.SparseFeatures(3, density), js.ToyModel(3, 2)),
        {"density": [0.5]},
        recipe,
        key=jax.random.key(0),
    )
    np.testing.assert_allclose(ds["W"].sel(share=1), plain["W"][0], rtol=1e-4, atol=1e-6)
    assert not np.allclose(ds["W"].sel(share=0.5), plain["W"][0], rtol=1e-4)


class Doubled(js.Task):
    """Another loss on the same parts, for which the fast form would be wrong."""

    def loss(self, params, key, batch_size):
        return 2 * super().loss(params, key, batch_size)


def test_a_task_with_a_loss_of_its_own_trains_on_that():
    def run(kind, optimizer):
        return js.sweep(
            lambda: kind(js.SparseFeatures(3, 0.5), js.ToyModel(3, 2, activation="gelu")),
            {},
            js.Recipe(5, 32, optimizer, eval_batches=2),
            key=jax.random.key(0),
        )

    own, plain = run(Doubled, optax.sgd(0.1)), run(js.Task, optax.sgd(0.2))
    np.testing.assert_allclose(own["W"], plain["W"], rtol=1e-5)
    np.testing.assert_allclose(own["loss"], 2 * plain["loss"], rtol=1e-5)


def test_static_fields_are_no_leaves():
    @js.pytree
    class Ramp:
        length: int = js.static()
        slope: float = 1.0

    assert jax.tree.leaves(Ramp(3, 0.5)) == [0.5]
    structures = {jax.tree.structure(Ramp(n)) for n in (3, 3, 4)}
    assert len(structures) == 2


def constant_task(i, register):
    """A class of the same name and fields every time, whose loss is i."""

    class Constant:
        scale: float

        def init(self, key):
            return {"w": jnp.zeros(())}

        def loss(self, params, key, batch_size):
            return self.scale * i + 0 * params["w"]

    return register(Constant)


@pytest.mark.parametrize("register", [struct.dataclass, js.pytree])
def test_a_class_defined_again_is_another_class(register):
    # On JAX 0.10 one in five ran the code of another class of the same name.
    params = {"w": jnp.zeros((1, 1))}
    recipe = js.Recipe(1, 1, optax.set_to_zero())
    for i in range(20):
        tasks = constant_task(i, register)(jnp.ones(1))
        assert js.evaluate(tasks, KEYS, params, 1, 1) == i
        assert js.train(tasks, KEYS, recipe)[1] == i


@pytest.mark.slow
def test_models_and_features_defined_again_are_others():
    recipe = js.Recipe(1, 4, optax.set_to_zero(), eval_batches=1)
    for i in range(1, 9):

        @struct.dataclass
        class Shift:
            shift: float
            n_features: int = struct.field(pytree_node=False, default=2)

            def init(self, key):
                return {"w": jnp.zeros(())}

            def apply(self, params, x, i=i):
                return x + i * self.shift + params["w"]

        ds = js.sweep(
            lambda shift, model=Shift: js.Task(js.SparseFeatures(2, 0.5), model(shift)),
            {"shift": [1.0]},
            recipe,
            key=jax.random.key(0),
        )
        assert ds["loss"].item() == pytest.approx(i**2)


def test_node_types_are_the_classes_within():
    task = js.Task(js.SparseFeatures(3, 0.5), js.ToyModel(3, 2))
    found = [t for t in node_types(task) if isinstance(t, type) and t is not type(None)]
    assert found == [js.Task, js.SparseFeatures, js.ToyModel]
    twins = [node_types(constant_task(0, struct.dataclass)(1.0)) for _ in range(2)]
    assert twins[0] != twins[1]


class Plain:
    """No pytree, and nothing in it that JAX would have to see."""

    def __init__(self, n_features, table):
        self.n_features, self.table = n_features, table

    def sample(self, key, batch_size):
        rows = jax.random.randint(key, (batch_size,), 0, len(self.table))
        return jnp.asarray(self.table)[rows]


TABLE = np.eye(3, dtype=np.float32)


def test_what_is_no_pytree_is_static_where_it_is_the_same():
    assert visible(Plain(3, TABLE)) == visible(Plain(3, TABLE.copy()))
    assert visible(Plain(3, TABLE)) != visible(Plain(3, 2 * TABLE))
    assert hash(visible(Plain(3, TABLE))) == hash(visible(Plain(3, 2 * TABLE)))
    pair = js.SparseFeatures(3, 0.5)
    assert visible(pair) is pair

    def task(threshold):
        return js.Task(Plain(3, TABLE), js.ToyModel(3, 3, threshold))

    assert isinstance(task(0.0).features, Opaque)
    # Its copies are not kept for every cell.
    axes = read_axes({"threshold": [0.0, -1.0, -2.0]})
    made = Cells(task, axes, None, js.Recipe(2, 8))
    assert len({id(cell.program) for cell in made.cells}) == 1
    ds = js.sweep(task, {"threshold": [0.0, -1.0]}, js.Recipe(2, 8), key=jax.random.key(0))
    assert ds["finite"].all()


@pytest.mark.slow
def test_a_part_that_is_changed_afterwards_trains_as_it_was():
    table = TABLE.copy()
    task = js.Task(Plain(3, table), js.ToyModel(3, 3))
    before = task.features.sample(jax.random.key(0), 4)
    table *= 2
    np.testing.assert_array_equal(task.features.sample(jax.random.key(0), 4), before)
    again = js.Task(Plain(3, table), js.ToyModel(3, 3))
    assert again.features != task.features
    assert repr(again.features) == repr(again.features.part)
    recipe, key = js.Recipe(2, 8), jax.random.key(0)
    losses = [
        js.sweep(lambda t=t: t, {}, recipe, key=key)["loss"].item() for t in (task, again)
    ]
    assert losses[0] != losses[1]


def test_a_size_may_be_a_leaf_where_nothing_depends_on_it():
    @struct.dataclass
    class Uniform:
        high: float
        n_features: int = 3

        def sample(self, key, batch_size):
            return self.high * jax.random.uniform(key, (batch_size, 3))

    ds = js.sweep(
        lambda high: js.Task(Uniform(high), js.ToyModel(3, 2)),
        {"high": [0.5, 1.0]},
        js.Recipe(2, 8),
        key=jax.random.key(0),
    )
    assert ds["finite"].all()


def test_a_static_field_that_can_be_changed_is_refused():
    @js.pytree
    class Table:
        rows: list = js.static()
        n_features: int = js.static(default=3)

        def sample(self, key, batch_size):
            return jnp.zeros((batch_size, 3)) + jnp.asarray(self.rows)

    message = (
        r"^static fields of Table must be hashable .a tuple .*, got \[1\.0, 2\.0, 0\.0\]$"
    )
    with pytest.raises(TypeError, match=message):
        js.sweep(
            lambda threshold: js.Task(Table([1.0, 2.0, 0.0]), js.ToyModel(3, 3, threshold)),
            {"threshold": [0.0]},
            js.Recipe(2, 8),
            key=jax.random.key(0),
        )


@js.pytree
class Chosen:
    """The entries of a line that a static field picks: by index, or where it is True."""

    which: tuple = js.static()
    n_features: int = js.static(default=3)

    def sample(self, key, batch_size):
        line = jnp.arange(1.0, 4.0)[np.array(self.which)]
        return jnp.zeros((batch_size, 3)) + line.sum()


@pytest.mark.parametrize("order", [1, -1])
def test_equal_values_of_other_types_are_other_programs(order):
    # As indices 2 + 1 + 1, as a mask 1 alone: 1 == True, and 0 == False.
    masks = [(1, 0, 0), (True, False, False)][::order]
    for parts in (
        [Chosen(mask) for mask in masks],
        [Plain(3, np.array(mask)) for mask in masks],
    ):
        types = {node_types(js.Task(part, js.ToyModel(3, 1))) for part in parts}
        assert len(types) == 2
    ds = js.sweep(
        lambda kind: js.Task(Chosen(masks[kind == "second"]), js.ToyModel(3, 1)),
        {"kind": ["first", "second"]},
        js.Recipe(1, 4, optax.set_to_zero(), eval_batches=1),
        key=jax.random.key(0),
    )
    alone = [
        js.sweep(
            lambda m=mask: js.Task(Chosen(m), js.ToyModel(3, 1)),
            {},
            js.Recipe(1, 4, optax.set_to_zero(), eval_batches=1),
            key=jax.random.key(0),
        )["loss"].item()
        for mask in masks
    ]
    np.testing.assert_allclose(ds["loss"], alone, rtol=1e-6)
    ratio = alone[0] / alone[1]
    assert (ratio > 5) == (order == 1)  # proportional to 4^2 and 1


def test_a_whole_number_in_a_static_field_may_stand_alone():
    @js.pytree
    class Power:
        power: int = js.static()

        def init(self, key):
            return {"w": jax.random.normal(key)}

        def loss(self, params, key, batch_size):
            return (params["w"] - 3) ** self.power

    recipe = js.Recipe(5, 1, optax.sgd(0.01), eval_batches=1)
    both = js.sweep(Power, {"power": [2, 4]}, recipe, key=jax.random.key(0))
    alone = js.sweep(Power, {"power": [4]}, recipe, key=jax.random.key(0))
    np.testing.assert_allclose(alone["w"], both["w"].sel(power=[4]), rtol=1e-6)


def test_what_a_constructor_derives_is_named():
    @js.pytree
    class Derived:
        scale: float

        def __post_init__(self):
            object.__setattr__(self, "square", self.scale**2)

        def init(self, key):
            return {"w": jnp.zeros(())}

        def loss(self, params, key, batch_size):
            return self.square * params["w"]

    with pytest.raises(TypeError, match=r"must not need what a constructor derives: .*squ"):
        js.sweep(Derived, {"scale": [1.0]}, js.Recipe(1, 1), key=jax.random.key(0))


def test_numbers_in_what_is_no_pytree_are_named_with_the_cure():
    def task(scale):
        return js.Task(Plain(3, scale * TABLE), js.ToyModel(3, 2))

    cure = "JAX cannot look into Plain: decorate its class with .* js.pytree"
    with pytest.raises(TypeError, match=cure):
        js.sweep(task, {"scale": [1.0, 2.0]}, js.Recipe(2, 8), key=jax.random.key(0))
    with pytest.raises(TypeError, match=cure):
        jax.vmap(task)(jnp.ones(2))


def test_an_undecorated_part_of_a_task_of_ones_own_is_named():
    @struct.dataclass
    class Own:
        features: object
        scale: float

        def init(self, key):
            return {"w": jnp.zeros(3)}

        def loss(self, params, key, batch_size):
            return self.scale * jnp.mean(
                self.features.sample(key, batch_size) @ params["w"]
            )

    with pytest.raises(TypeError, match=r"cannot look into Plain: .* js\.static"):
        js.sweep(
            lambda scale: Own(Plain(3, TABLE), scale),
            {"scale": [1.0]},
            js.Recipe(2, 8),
            key=jax.random.key(0),
        )
