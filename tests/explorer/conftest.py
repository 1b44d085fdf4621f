"""Datasets in the form of a result, a reader of what a page holds, and a browser."""

import base64
import shutil

import numpy as np
import pytest
import xarray as xr

COMMANDS = "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"
OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
LOCAL = "file", "data", "blob", "about"


@pytest.fixture
def made():
    return _made


@pytest.fixture
def read():
    return _read


def _made(axes, n_features=5, n_hidden=2, seeds=3, steps=4, dtype=np.float32):
    """Random models along the axes given; loss and history say which seed is the best."""
    rng = np.random.default_rng(0)
    along = () if seeds is None else ("seed",)
    dims, shape = (*axes, *along), (*map(len, axes.values()), *([seeds] if along else []))
    loss = rng.uniform(0.1, 1.0, size=shape)
    data = {
        "W": (
            (*dims, "feature", "hidden"),
            rng.normal(size=(*shape, n_features, n_hidden)),
        ),
        "b": ((*dims, "feature"), rng.normal(size=(*shape, n_features))),
        "loss": (dims, loss, {"long_name": "loss on fresh data"}),
        "history": ((*dims, "step"), loss[..., None] * np.geomspace(8, 1, steps)),
        "importance": ("feature", 0.9 ** np.arange(n_features)),
    }
    coords = {**axes, "step": 10 * np.arange(1, steps + 1)}
    coords |= {} if seeds is None else {"seed": 5 + np.arange(seeds)}
    ds = xr.Dataset(data, coords).astype(dtype)
    return ds.assign_coords(coords).assign(finite=(dims, np.ones(shape, bool)))


def _read(variable):
    """Values of a variable as the page's JavaScript decodes them."""
    data = base64.b64decode(variable["data"])
    dtype = variable["dtype"]
    if dtype == "log":
        places = np.frombuffer(data, "<u2").astype(float)
        values = np.exp(variable["first"] + (places - 1) * variable["step"])
        values = np.where(places == 0, np.nan, values)
    elif dtype.startswith("name"):
        names = np.array(variable["names"])
        values = names[np.frombuffer(data, "<u2" if dtype == "name16" else np.uint8)]
    elif dtype.startswith("count"):
        raw = np.frombuffer(data, "<u2" if dtype == "count16" else np.uint8)
        values = np.where(raw == np.iinfo(raw.dtype).max, np.nan, raw.astype(float))
    else:
        values = np.frombuffer(data, {"float32": "<f4", "float64": "<f8"}[dtype])
    return values.reshape(variable["shape"])


@pytest.fixture(scope="session")
def chromium():
    """A browser without a network; tests that need one say so where there is none."""
    driver = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed"
    )
    path = next(filter(None, map(shutil.which, COMMANDS)), None)
    if path is None:
        pytest.skip("no Chromium is installed: make browser installs it")
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(OPTIONS))
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium):
    """Opens pages, and asserts in the end that none asked for anything or complained."""
    asked, complaints, contexts = [], [], []

    def only_local(route):
        if route.request.url.split(":")[0] in LOCAL:
            route.continue_()
        else:
            asked.append(route.request.url)
            route.abort()

    def complain(message):
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    def open_page(path, address="", width=1280, scheme="light"):
        size = {"width": width, "height": 900}
        context = chromium.new_context(viewport=size, color_scheme=scheme)
        contexts.append(context)
        tab = context.new_page()
        tab.route("**/*", only_local)
        tab.on("console", complain)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.goto(path.as_uri() + address)
        tab.wait_for_selector("html[data-ready=true]", timeout=20_000)
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert asked == []
    assert complaints == []


@pytest.fixture
def address():
    """Returns the address of a page once it says what is chosen."""

    def read_address(tab):
        said = "location.hash.slice(1) === jsuperExplorer.explorer.state.toHash()"
        tab.wait_for_function(said)
        return tab.evaluate("location.hash")

    return read_address
