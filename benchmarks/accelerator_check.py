"""Compiles training for an H100 and a TPU v5e that are not here, and checks the programs.

    make accelerator-check

An accelerator waits for launches more than for arithmetic, so what matters is counted in
the compiled program: kernels in a step, and that the host takes no part in the loop.
"""

import dataclasses
import itertools
import os
import re
import tempfile
from pathlib import Path
from typing import Any

os.environ["JAX_PLATFORMS"] = "cpu"
os.environ |= {"TPU_SKIP_MDS_QUERY": "1", "TPU_WORKER_HOSTNAMES": "localhost"}
os.environ |= {"TPU_ACCELERATOR_TYPE": "v5litepod-4", "TPU_WORKER_ID": "0"}

import jax
import jax.numpy as jnp
from jax.experimental import topologies
from jax.sharding import NamedSharding, PartitionSpec

import jsuper as js
from jsuper import training
from jsuper.objectives.task import reconstruction
from jsuper.sweeps import devices

H100 = Path(__file__).with_name("h100.txtpb")
BATCH = 1_024
COLLECTIVES = "all-reduce|all-gather|all-to-all|collective-permute|reduce-scatter"


@dataclasses.dataclass(frozen=True)
class Case:
    """A grid of tasks x keys, and what a step of it may take on an H100."""

    n_features: int
    n_hidden: int
    n_tasks: int
    n_keys: int
    kernels: int = 24
    megabytes: int = 200
    exact: bool = False
    target: Any = reconstruction
    max_bytes: int | None = None

    def __str__(self) -> str:
        sizes = f"{self.n_features}→{self.n_hidden} × {self.n_tasks * self.n_keys:,}"
        sizes += ", exact" if self.exact else ""
        sizes += ", another target" if self.target is jnp.square else ""
        return sizes + (f", {self.max_bytes / 1e6:,.0f} MB" if self.max_bytes else "")

    def task(self, density: Any) -> Any:
        """The task at one density."""
        features = js.SparseFeatures(self.n_features, density)
        model = js.ToyModel(self.n_features, self.n_hidden)
        task = js.Task(features, model, target=self.target)
        return js.Population(task) if self.exact else task


CASES = [
    Case(2, 1, 50, 8),
    Case(5, 2, 40, 8),
    Case(5, 2, 1_250, 8),
    Case(5, 2, 12_500, 8, megabytes=6_000),
    Case(20, 5, 25, 4),
    Case(200, 20, 5, 4),
    Case(5, 2, 40, 8, exact=True),
]


BOUNDED = [
    Case(5, 2, 12_500, 8, max_bytes=10**9, megabytes=1_300),
    Case(5, 2, 1_250, 8, target=jnp.square, max_bytes=10**8, megabytes=130),
]
"""Grids that take more than they may at a time, and so are trained in parts."""


def h100s(count: int) -> list[Any]:
    """Returns H100s to compile for."""
    topology = topologies.get_topology_desc(
        "", "cuda", target_config=H100.read_text(), topology=f"{count}x1x1"
    )
    return list(topology.devices)


def tpu() -> list[Any]:
    """Returns a TPU v5e to compile for."""
    return list(topologies.get_topology_desc("v5e:2x2", "tpu").devices[:1])


def lowered(case: Case, on: list[Any]) -> Any:
    """Returns a window of training as `jsuper.sweep` has it compiled for devices."""
    layout = devices.Layout(devices.mesh_of(on), False, False, case.max_bytes)
    optimizer = training.notebook_optimizer()

    def start():
        tasks = jax.vmap(case.task)(jnp.geomspace(1.0, 0.01, case.n_tasks))
        keys = jax.random.split(jax.random.key(0), case.n_keys)
        grid = training.TaskGrid(jax.tree.map(lambda leaf: leaf[:, None], tasks))
        window = jnp.zeros(1, jnp.int32)
        return grid, keys, training.start(grid, keys, optimizer), window, window

    everywhere = PartitionSpec()
    specs = everywhere, layout.keys, layout.models, everywhere, everywhere

    def placed(tree, spec):
        sharding = NamedSharding(layout.mesh, spec)
        return jax.tree.map(
            lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding),
            tree,
        )

    arguments = map(placed, jax.eval_shape(start), specs)
    fixed = {"layout": layout, "optimizer": optimizer, "batch_size": BATCH, "types": ()}
    return devices._compiled_advance(layout.platform).lower(*arguments, **fixed)


def step_of(launches: str) -> tuple[list[str], bool]:
    """Returns what a step launches, and whether its loop is within a CUDA graph.

    Args:
        launches: XLA's list, where what a loop or a graph holds is indented.
    """
    lines = re.findall(r"^( *)(?:\d+: k)?(\w+)", launches, flags=re.M)
    kinds = [kind for _, kind in lines]
    loop, body = kinds.index("While"), kinds.index("body")
    outside, _ = lines[loop]
    in_graph = any(k == "CommandBuffer" and indent < outside for indent, k in lines[:loop])
    step = itertools.takewhile(lambda line: line[0] > outside, lines[body + 1 :])
    return [kind for _, kind in step], in_graph


def check_h100(case: Case) -> None:
    """Raises `AssertionError` unless the program for an H100 is what it is to be."""
    with tempfile.TemporaryDirectory() as dump:
        options = {
            "xla_dump_to": dump,
            "xla_dump_hlo_as_text": True,
            "xla_dump_emitter_re": "ptx",
        }
        compiled = lowered(case, h100s(1)).compile(options)
        (launches,) = Path(dump).glob("*thunk_sequence_after_thunk_passes.txt")
        ptx = [path.read_text() for path in Path(dump).glob("*.ptx")]
        step, in_graph = step_of(launches.read_text())
    megabytes = compiled.memory_analysis().temp_size_in_bytes / 1e6
    print(f"H100, {case}: {len(step)} kernels a step, {megabytes:,.0f} MB", flush=True)
    assert "While" not in step, f"a loop within the step: {step}"
    assert len(step) <= case.kernels, step
    assert in_graph, "the host takes part in the loop over steps"
    assert ptx
    assert not any("tf32" in text for text in ptx), "products of 11 bits"
    assert megabytes <= case.megabytes


def check_bounded(case: Case) -> None:
    """Raises `AssertionError` if temporary arrays take more than they may."""
    memory = lowered(case, h100s(1)).compile().memory_analysis()
    megabytes = memory.temp_size_in_bytes / 1e6
    print(f"H100, {case}: {megabytes:,.0f} MB", flush=True)
    assert megabytes <= case.megabytes


def check_shared(case: Case) -> None:
    """Raises `AssertionError` if four H100s wait for each other."""
    found = re.findall(COLLECTIVES, lowered(case, h100s(4)).compile().as_text())
    print(f"4 × H100, {case}: {len(found)} collectives", flush=True)
    assert not found, found


def check_tpu(case: Case) -> None:
    """Raises unless the program for a TPU fits into it and has float32 products."""
    program = lowered(case, tpu())
    products = [line for line in program.as_text().splitlines() if "dot_general" in line]
    memory = program.compile().memory_analysis()
    megabytes = (memory.temp_size_in_bytes + memory.argument_size_in_bytes) / 1e6
    print(f"TPU v5e, {case}: {megabytes:,.0f} MB", flush=True)
    assert all("HIGHEST, HIGHEST" in line for line in products), products
    assert megabytes < 16_000


if __name__ == "__main__":
    for case in CASES:
        check_h100(case)
    for case in BOUNDED:
        check_bounded(case)
    check_shared(CASES[1])
    for case in CASES:
        check_tpu(case)
