"""What an accelerator gives, in one command of less than ten minutes.

    PYTHONPATH=. python benchmarks/accelerator.py --output out

needs JAX for the card and what jsuper needs, and PyTorch only for its own rows. It compares
with results of a CPU (accelerator.npz, made by ``--store``), times every form of the
training step beside PyTorch's, and writes a table, JSON and a figure. Every part
is written as soon as it is there; what the time (``--minutes``) does not reach is named.
"""

import argparse
import concurrent.futures
import contextlib
import dataclasses
import functools
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Memory is left for PyTorch, and for the process that times a first result.
os.environ.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", "0.6")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import jax
import jax.numpy as jnp
import numpy as np
from accelerator_figure import figure_of
from entries import BATCH, DECAY, RATE, Shape
from limits import matrix_product_rate, streaming_rate
from throughput import operations, version

import jsuper as js
from jsuper import training
from jsuper.objectives import fused, whole
from jsuper.sweeps import devices
from jsuper.training.loop import population_losses

STORED = Path(__file__).with_suffix(".npz")
SEED = 0

SHAPES = [
    Shape(2, 1, 50),
    Shape(5, 2, 40),
    Shape(5, 2, 1_250),
    Shape(5, 2, 12_500),
    Shape(20, 5, 25, 4),
    Shape(200, 20, 5, 4),
]
LARGER = [Shape(20, 5, 1_250), Shape(200, 20, 100)]
TINY = [Shape(2, 1, 3, 2), Shape(5, 2, 3, 2)]

# How the loop over steps is compiled: with the host in it, or as one CUDA graph.
HOST, GRAPH = "host loop", "graph"
DEFAULT = "default"
FORMS = [
    (DEFAULT, GRAPH),
    ("fused", HOST),
    ("general", HOST),
    ("general", GRAPH),
    ("one pass", HOST),
    ("one pass", GRAPH),
    ("one pass, own data", GRAPH),
]
POPULATIONS = [Shape(5, 2, 40), Shape(5, 2, 1_250), Shape(2, 1, 2_000), Shape(3, 2, 2_000)]


@js.pytree
class Forced(js.Task):
    """A task whose gradients come by one form, whatever the platform."""

    form: str = js.static(default=DEFAULT)

    def grid_value_and_grad(self, params, keys, batch_size):
        """Returns what the form returns; None for the general path."""
        if self.form == DEFAULT:
            return super().grid_value_and_grad(params, keys, batch_size)
        if self.form == "general":
            return None
        if self.form == "fused":
            parts = self.features, self.model, self.importance
            return fused.value_and_grad(*parts, params, keys, batch_size)
        return whole.value_and_grad(self, params, keys, batch_size)


def build(shape: Shape, form: str = DEFAULT, exact: bool = False) -> Callable:
    """Returns a function of the density that makes a task."""

    def task(density):
        features = js.SparseFeatures(shape.n_features, density)
        model = js.ToyModel(shape.n_features, shape.n_hidden)
        importance = jnp.asarray(shape.importance, jnp.float32)
        if exact:
            return js.Population(js.Task(features, model, importance))
        return Forced(features, model, importance, form=form)

    return task


def grid_of(shape: Shape, form: str = DEFAULT, exact: bool = False) -> tuple[Any, ...]:
    """Tasks, keys and first state of a grid."""

    def make(densities, key):
        tasks = jax.vmap(build(shape, form.split(",")[0], exact))(densities)
        n_keys = shape.n_seeds
        if form.endswith("own data"):
            keys = jax.random.split(key, (shape.n_densities, n_keys))
        else:
            keys = jax.random.split(key, n_keys)
        return tasks, keys, training.start(tasks, keys, training.notebook_optimizer())

    densities = jnp.asarray(js.log_densities(shape.n_densities, 0.05), jnp.float32)
    return jax.jit(make)(densities, jax.random.key(SEED))


@dataclasses.dataclass
class Program:
    """The training of one grid, compiled; the number of steps is an argument."""

    shape: Shape
    form: str
    loop: str
    exact: bool = False

    def compile(self) -> "Program":
        """Compiles it."""
        arguments = jax.eval_shape(
            functools.partial(grid_of, self.shape, self.form, self.exact)
        )
        window = jax.ShapeDtypeStruct((1,), jnp.int32)
        advance = functools.partial(
            training.advance, optimizer=training.notebook_optimizer(), batch_size=BATCH
        )
        options = {}
        if jax.devices()[0].platform == "gpu":
            options = devices.compiler_options("gpu")
        if self.loop == HOST:
            options = {
                name: value.removesuffix(",WHILE") for name, value in options.items()
            }
        start = time.perf_counter()
        program = jax.jit(advance, donate_argnums=2, compiler_options=options)
        self.compiled = program.lower(*arguments, window, window).compile()
        self.compile_seconds = time.perf_counter() - start
        return self

    def start(self) -> None:
        """Puts the grid on the device."""
        self.tasks, self.keys, self.state = grid_of(self.shape, self.form, self.exact)

    def run(self, steps: int) -> float:
        """Trains; returns the seconds."""
        window = jnp.zeros(1, jnp.int32), jnp.full(1, steps, jnp.int32)
        jax.block_until_ready((self.tasks, self.keys, self.state, window))
        start = time.perf_counter()
        self.state, history = self.compiled(self.tasks, self.keys, self.state, *window)
        jax.block_until_ready((self.state, history))
        return time.perf_counter() - start

    @property
    def name(self) -> str:
        """What it is called in the results."""
        return f"{self.shape}, {self.form}, {self.loop}"

    def measure(self, seconds: float = 0.4, rounds: int = 3) -> dict[str, Any]:
        """Returns the cost of a step: that of many steps beyond that of few."""
        self.start()
        try:
            found = cost_of_step(self.run, seconds, rounds)
        finally:
            self.tasks = self.keys = self.state = None
        memory = self.compiled.memory_analysis()
        cost = self.compiled.cost_analysis() or {}
        found |= {
            "compile_seconds": self.compile_seconds,
            "temporary_megabytes": getattr(memory, "temp_size_in_bytes", 0) / 1e6,
            "megabytes_a_step": cost.get("bytes accessed", float("nan")) / 1e6,
        }
        if not self.exact:
            rate = self.shape.n_models * BATCH / found["microseconds_a_step"]
            found["million_model_samples_per_second"] = rate
            found["gflops"] = rate * operations(self.shape) / 1e3
        else:
            models = self.shape.n_models / found["microseconds_a_step"]
            found["million_model_steps_per_second"] = models
        return found


def cost_of_step(run: Callable[[int], float], seconds: float, rounds: int) -> dict:
    """Times few and many steps in turn."""
    few, many = 2, 6
    run(few)
    while (elapsed := run(many) - min(run(few), run(few))) < seconds / 3 and many < 1e6:
        many = few + int((many - few) * min(20, max(2, seconds / max(elapsed, 1e-4))))
    if elapsed > 2 * seconds:
        each = [elapsed / (many - few) * 1e6]
    else:
        each = [(run(many) - run(few)) / (many - few) * 1e6 for _ in range(rounds)]
    return {"microseconds_a_step": statistics.median(each), "range": [min(each), max(each)]}


# PyTorch's notebook form on the same card.


class Notebook:
    """The official notebook's form in PyTorch: einsum over instances, two uniforms."""

    def __init__(self, shape: Shape, graph: bool):
        import torch

        self.torch, self.device = torch, "cuda" if torch.cuda.is_available() else "cpu"
        torch.manual_seed(0)
        to = {"dtype": torch.float32, "device": self.device}
        density = torch.tensor(shape.densities, **to)[:, None]
        importance = torch.tensor(shape.importance, **to)
        size = BATCH, shape.n_models, shape.n_features
        W = torch.randn(shape.n_models, shape.n_features, shape.n_hidden, **to) * shape.std
        W = torch.nn.Parameter(W)
        b = torch.nn.Parameter(torch.zeros(shape.n_models, shape.n_features, **to))
        optimizer = torch.optim.AdamW(
            [W, b], lr=RATE, weight_decay=DECAY, capturable=graph and self.device == "cuda"
        )
        zero = torch.zeros((), **to)

        def step():
            optimizer.zero_grad(set_to_none=True)
            active = torch.rand(size, device=self.device) <= density
            x = torch.where(active, torch.rand(size, device=self.device), zero)
            hidden = torch.einsum("bif,ifh->bih", x, W)
            output = torch.relu(torch.einsum("bih,ifh->bif", hidden, W) + b)
            error = importance * (x - output) ** 2
            error.mean(dim=(0, 2)).sum().backward()
            optimizer.step()

        self.step = self._captured(step) if graph and self.device == "cuda" else step

    def _captured(self, step):
        torch = self.torch
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                step()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()
        return graph.replay

    def wait(self) -> None:
        """Waits for the card."""
        if self.device == "cuda":
            self.torch.cuda.synchronize()

    def run(self, steps: int) -> float:
        """Trains; returns the seconds."""
        self.wait()
        start = time.perf_counter()
        for _ in range(steps):
            self.step()
        self.wait()
        return time.perf_counter() - start


class Power:
    """Energy that the card has used, where it tells."""

    def __init__(self):
        self.handle = None
        with contextlib.suppress(Exception):
            import pynvml

            pynvml.nvmlInit()
            self.handle = pynvml.nvmlDeviceGetHandleByIndex(0)
            self.nvml = pynvml
            self.joules()

    def joules(self) -> float:
        """Energy since the driver was loaded."""
        return self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.handle) / 1e3


@dataclasses.dataclass
class Report:
    """What was measured so far, on the screen and on disk."""

    output: Path
    minutes: float
    tiny: bool

    def __post_init__(self):
        self.begin = time.perf_counter()
        self.output.mkdir(parents=True, exist_ok=True)
        self.found: dict[str, Any] = {"parts": {}, "skipped": [], "failed": {}}
        self.lines: list[str] = []
        self.part = ""

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.minutes * 60 - (time.perf_counter() - self.begin)

    def say(self, line: str = "") -> None:
        """Prints a line and keeps it."""
        print(line, flush=True)
        self.lines.append(line)

    def add(self, name: str, value: Any) -> None:
        """Adds a result to the part at hand, and writes all that is known."""
        self.found["parts"].setdefault(self.part, {})[name] = value
        self.write()

    def write(self) -> None:
        """Writes JSON and table."""
        self.found["seconds"] = time.perf_counter() - self.begin
        (self.output / "accelerator.json").write_text(
            json.dumps(self.found, indent=1) + "\n"
        )
        (self.output / "accelerator.txt").write_text("\n".join(self.lines) + "\n")

    @contextlib.contextmanager
    def trying(self, name: str) -> Iterator[None]:
        """Goes on after an error, which it names."""
        try:
            yield
        except Exception as error:
            told = f"{type(error).__name__}: {error}"
            self.found["failed"][name] = told[:2_000]
            self.say(f"| {name} | failed: {told.splitlines()[0][:200]} |")
            self.write()

    def enough(self, name: str, seconds: float = 15) -> bool:
        """Whether the time is too short for something; then it is named."""
        if self.left > seconds:
            return False
        self.found["skipped"].append(name)
        self.say(f"| {name} | skipped: out of time |")
        self.write()
        return True


def first_result(report: Report) -> None:
    """Seconds from the start of Python to a first small sweep, in a fresh process."""
    code = """
import time; start = time.perf_counter()
import jax, jsuper as js
imported = time.perf_counter() - start
jax.block_until_ready(jax.numpy.ones(3) + 1)
device = time.perf_counter() - start
def task(density): return js.Task(js.SparseFeatures(5, density), js.ToyModel(5, 2))
axes = {"density": js.log_densities(40, 0.05), "seed": 8}
def sweep(steps):
    js.sweep(task, axes, js.Recipe(steps=steps), key=jax.random.key(0), progress=False)
    return time.perf_counter() - start
found = [imported, device, sweep(10), sweep(1000), sweep(1000), sweep(10000)]
print("found", *found)
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-1_500:])
    line = next(x for x in done.stdout.splitlines() if x.startswith("found"))
    times = dict(
        zip(
            ("imported", "device", "first sweep", "1,000 steps", "1,000 again", "10,000"),
            map(float, line.split()[1:]),
            strict=True,
        )
    )
    for name, seconds in times.items():
        report.add(name, seconds)
    report.say(
        "seconds since start: " + ", ".join(f"{k} {v:.1f}" for k, v in times.items())
    )


def reference_results() -> dict[str, np.ndarray]:
    """What must agree between devices: parameters after 100 steps, and a phase map."""
    recipe = js.Recipe(steps=100, eval_batches=4, log_every=50)
    key = jax.random.key(SEED)

    def trained(shape, kind):
        axes = {
            "density": js.log_densities(shape.n_densities, 0.05),
            "seed": shape.n_seeds,
        }
        own = dataclasses.replace(recipe, independent_cells=kind == "own data")
        task = build(shape, exact=kind == "exact")
        ds = js.sweep(task, axes, own, key=key, progress=False)
        name = f"{shape.n_features}→{shape.n_hidden}, {kind}"
        return {f"{name}: {v}": ds[v].values.astype("f4") for v in ("W", "b", "loss")}

    # Two features in one dimension, by density and the second one's importance.
    def pair(density, importance):
        weights = jnp.array([1.0, 1.0]).at[1].set(importance)
        return js.Task(js.SparseFeatures(2, density), js.ToyModel(2, 1), weights)

    def phases():
        axes: dict[str, Any] = {
            "density": np.geomspace(0.02, 1, 12),
            "importance": np.geomspace(0.1, 10, 12),
            "seed": 4,
        }
        long = js.Recipe(steps=3_000, optimizer=js.decaying_adam, eval_batches=1)
        ds = js.sweep(pair, axes, long, key=key, progress=False)
        W = ds["W"].transpose("density", "importance", "seed", "feature", "hidden").values
        represented = (abs(W[..., 0]) > 0.5).astype(np.int8)
        return {"phases": represented @ np.array([1, 2], np.int8)}

    jobs = [functools.partial(trained, Shape(5, 2, 8, 4), k) for k in ("exact", "own data")]
    for sizes in (2, 1, 8, 4), (5, 2, 8, 4), (20, 5, 4, 2), (200, 20, 2, 1):
        jobs.append(functools.partial(trained, Shape(*sizes), "sampled"))
    # Side by side, since nearly all of the time is the compiler's.
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda job: job(), [*jobs, phases]))
    return functools.reduce(lambda a, b: a | b, found)


def agreement(report: Report) -> None:
    """How far results are from a CPU's."""
    stored, found = np.load(STORED), reference_results()
    report.say("| result after 100 steps | largest difference | of largest value |")
    report.say("|---|---|---|")
    for name in stored.files:
        if name == "phases":
            differ = int((stored[name] != found[name]).sum())
            report.say(f"| phase map | {differ} of {stored[name].size} models differ | |")
            report.add(name, {"differ": differ, "of": stored[name].size})
            continue
        difference = float(np.abs(stored[name] - found[name]).max())
        largest = float(np.abs(stored[name]).max())
        report.say(f"| {name} | {difference:.2g} | {largest:.2g} |")
        report.add(name, {"difference": difference, "largest": largest})


def compiled_together(report: Report, programs: list[Program]) -> Iterator[Program]:
    """Compiles programs side by side; yields them in order."""
    with concurrent.futures.ThreadPoolExecutor(max(1, min(8, os.cpu_count() or 1))) as pool:
        waiting = [(p, pool.submit(p.compile)) for p in programs]
        concurrent.futures.wait([future for _, future in waiting])
    for program, future in waiting:
        with report.trying(program.name):
            yield future.result()


def table(report: Report, programs: list[Program], seconds: float = 0.4) -> None:
    """Times programs; one row each."""
    report.say("| models | form | loop | µs a step | million/s | MB a step | temporaries |")
    report.say("|---|---|---|---|---|---|---|")
    for program in compiled_together(report, programs):
        if report.enough(program.name):
            continue
        with report.trying(program.name):
            row = program.measure(seconds)
            rate = row.get("million_model_samples_per_second")
            rate = row["million_model_steps_per_second"] if rate is None else rate
            report.say(
                f"| {program.shape} | {program.form} | {program.loop} "
                f"| {row['microseconds_a_step']:,.1f} | {rate:,.1f} "
                f"| {row['megabytes_a_step']:,.0f} | {row['temporary_megabytes']:,.0f} MB |"
            )
            report.add(program.name, row)


def launch_floor(report: Report) -> None:
    """A step of 20 models, which takes no time but that of its launches."""
    shape = Shape(5, 2, 20, 1)
    forms = [("one pass", HOST), ("one pass", GRAPH), ("general", HOST), ("general", GRAPH)]
    table(report, [Program(shape, *form) for form in forms])


def rates(report: Report) -> None:
    """Every form at every shape."""
    programs = []
    for shape in TINY if report.tiny else SHAPES:
        small = whole.is_small(js.ToyModel(shape.n_features, shape.n_hidden))
        programs += [
            Program(shape, *form) for form in FORMS if small or "one pass" not in form[0]
        ]
    table(report, programs)


def larger(report: Report) -> None:
    """Larger grids, in the default form, and the cost of energy."""
    shapes = [] if report.tiny else LARGER
    table(report, [Program(shape, DEFAULT, GRAPH) for shape in shapes])


def energy(report: Report) -> None:
    """Million model-samples per joule, idle power included."""
    power = Power()
    if power.handle is None:
        report.say("The card does not tell its power.")
        return
    for shape in SHAPES[1:4] + SHAPES[5:]:
        name = str(shape)
        if report.enough(name):
            continue
        with report.trying(name):
            program = Program(shape, DEFAULT, GRAPH).compile()
            program.start()
            each = cost_of_step(program.run, 0.3, 1)["microseconds_a_step"]
            steps = max(2, int(2e6 / each))
            before = power.joules()
            seconds = program.run(steps)
            joules = power.joules() - before
            rate = shape.n_models * BATCH * steps / 1e6 / joules
            watts = joules / seconds
            report.say(f"| {shape} | {rate:,.1f} million/J | {watts:.0f} W |")
            report.add(
                name, {"million_per_joule": rate, "watts": watts, "seconds": seconds}
            )


def torch_rates(report: Report) -> None:
    """PyTorch's notebook form, eager and as a CUDA graph."""
    import torch

    report.say(f"PyTorch {torch.__version__}, cuda {torch.cuda.is_available()}")
    report.say("| models | form | µs a step | million/s |")
    report.say("|---|---|---|---|")
    for shape in TINY if report.tiny else [Shape(5, 2, 20, 1), *SHAPES]:
        for graph in (False, True):
            name = f"{shape}, {'CUDA graph' if graph else 'eager'}"
            if report.enough(name):
                continue
            with report.trying(name):
                notebook = Notebook(shape, graph)
                row = cost_of_step(notebook.run, 0.4, 3)
                rate = shape.n_models * BATCH / row["microseconds_a_step"]
                row["million_model_samples_per_second"] = rate
                report.say(
                    f"| {shape} | {name.split(', ')[1]} "
                    f"| {row['microseconds_a_step']:,.1f} | {rate:,.1f} |"
                )
                report.add(name, row)
            notebook = None
            if torch.cuda.is_available():
                torch.cuda.empty_cache()


def populations(report: Report) -> None:
    """Steps on the exact gradient; the rate is in million model-steps a second."""
    shapes = TINY if report.tiny else POPULATIONS
    table(report, [Program(shape, DEFAULT, GRAPH, exact=True) for shape in shapes])


def evaluation(report: Report) -> None:
    """The loss on fresh data, and the expected loss."""
    shape = TINY[1] if report.tiny else SHAPES[2]
    tasks, keys, state = grid_of(shape)
    grid = training.TaskGrid(jax.tree.map(lambda leaf: leaf[:, None], tasks))
    expected = jax.jit(population_losses)

    def sampled(params):
        return training.evaluate(tasks, keys, params, BATCH, 64)

    for name, function in (
        ("64 batches", sampled),
        ("expected loss", lambda params: expected(grid, params)),
    ):
        with report.trying(name):
            times = []
            for _ in range(4):
                start = time.perf_counter()
                jax.block_until_ready(function(state.params))
                times.append(time.perf_counter() - start)
            report.say(f"| {shape} | {name} | {min(times[1:]) * 1e3:.2f} ms |")
            report.add(name, {"seconds": min(times[1:]), "first_seconds": times[0]})


def a_million(report: Report) -> None:
    """Many models in one call of `jsuper.sweep`, set-up and results included."""
    shape = Shape(5, 2, *((20, 30) if report.tiny else (500, 2_000)))
    axes = {"density": js.log_densities(shape.n_densities, 0.05), "seed": shape.n_seeds}
    for steps in (2, 300):
        recipe = js.Recipe(steps=steps, eval_batches=1, log_every=steps)
        start = time.perf_counter()
        ds = js.sweep(build(shape), axes, recipe, key=jax.random.key(SEED), progress=False)
        seconds = time.perf_counter() - start
        loss = float(ds["loss"].mean())
        report.say(f"| {shape} | {steps} steps | {seconds:.1f} s | mean loss {loss:.4f} |")
        report.add(f"{steps} steps", {"seconds": seconds, "loss": loss})


def machine_limits(report: Report) -> None:
    """What the device can do at most."""
    on_cpu = jax.devices()[0].platform == "cpu"
    with jax.default_matmul_precision("highest"):
        report.add("matrix_product_gflops", matrix_product_rate(1_024 if on_cpu else 8_192))
    report.add("streaming_gb_per_second", streaming_rate(64 if on_cpu else 1_024))
    limits = report.found["parts"][report.part]
    report.say(", ".join(f"{name} {value:,.0f}" for name, value in limits.items()))


def draw(report: Report) -> None:
    """Draws rates, and arithmetic against traffic under the measured limits."""
    figure_of(report.found).savefig(report.output / "accelerator.png")


PARTS: dict[str, Callable[[Report], None]] = {
    "first result": first_result,
    "agreement": agreement,
    "launch floor": launch_floor,
    "rates": rates,
    "torch": torch_rates,
    "populations": populations,
    "a million": a_million,
    "evaluation": evaluation,
    "energy": energy,
    "limits": machine_limits,
    "larger": larger,
    "figure": draw,
}


def about_device() -> dict[str, Any]:
    """The device and the versions."""
    device = jax.devices()[0]
    found = {
        "name": device.device_kind,
        "platform": device.platform,
        "count": len(jax.devices()),
        "backend": getattr(device.client, "platform_version", ""),
        "memory": (device.memory_stats() or {}).get("bytes_limit"),
        "python": platform.python_version(),
    }
    with contextlib.suppress(Exception):
        query = ["--query-gpu=name,driver_version,clocks.max.sm,power.limit"]
        smi = ["nvidia-smi", *query, "--format=csv,noheader"]
        found["nvidia-smi"] = subprocess.run(smi, capture_output=True, text=True).stdout
    packages = ("jax", "jaxlib", "jax-cuda13-plugin", "torch", "flax", "optax", "numpy")
    return found | {name: version(name) for name in packages}


def main() -> None:
    """Runs the parts in turn."""
    parser = argparse.ArgumentParser(description="Measure jsuper on an accelerator.")
    parser.add_argument("--output", type=Path, default=Path("out"))
    parser.add_argument("--minutes", type=float, default=8, help="when to stop")
    parser.add_argument("--parts", help=f"among: {'; '.join(PARTS)}")
    parser.add_argument("--tiny", action="store_true", help="small shapes, for a try")
    parser.add_argument("--store", action="store_true", help="store the CPU's results")
    options = parser.parse_args()
    if options.store:
        stored: dict[str, Any] = dict(reference_results())
        np.savez_compressed(STORED, **stored)
        print(f"{STORED}: {STORED.stat().st_size:,} bytes")
        return
    report = Report(options.output, options.minutes, options.tiny)
    for name in options.parts.split(";") if options.parts else PARTS:
        report.part = name
        if name != "first result" and "device" not in report.found:
            # Not before: the first result has the card to itself.
            report.found["device"] = about_device()
            report.say(", ".join(f"{k} {v}" for k, v in report.found["device"].items()))
        report.say(f"\n## {name} ({time.perf_counter() - report.begin:.0f} s)")
        if not report.enough(name, 10 if name != "figure" else -60):
            with report.trying(name):
                PARTS[name](report)
    report.write()
    print(f"\nWritten to {options.output} after {report.found['seconds']:.0f} s")


if __name__ == "__main__":
    main()
