import ast
from pathlib import Path

import pytest

import zoo_eval

PACKAGE = Path(zoo_eval.__file__).parent

# The layers of the house, bottom first: a module imports only from its own line or below.
LAYERS = [
    {"errors"},
    {"apart", "builtin", "byte_size", "cache", "correlation", "declarations", "durations"}
    | {"failures", "finding", "interruption", "plugins", "provenance"}
    | {"side_processes", "threads", "unfinished"},
    {"ensembles", "manifest", "quantities", "scores", "transforms"},
    {"datasets", "models", "store", "job", "conformance"},
    {"trust", "fingerprints", "plan", "calibration", "relief", "settings", "prefetch"}
    | {"unlabelled"},
    {"evaluate", "files", "givens", "kept"},
    {"executors", "retrying", "drive", "run_rows", "runner", "estimate", "diagnosis"},
    {"report", "ranking"},
    {"service"},
    {"cli", "__main__"},
]
# Each heavy library has few homes.
HOMES = {
    "duckdb": {"store", "manifest"},
    "torch": {
        *("models", "quantities", "scores", "transforms", "conformance", "datasets"),
        *("calibration", "givens", "executors", "diagnosis", "threads"),
    },
    "matplotlib": {"report"},
    "pebble": {"executors", "service"},
    "ray": {"executors"},
    "plotly": {"report"},
    "fastapi": {"service"},
    "starlette": {"service"},
    "uvicorn": {"service"},
    "prometheus_client": {"service"},
}


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def part(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


SOURCES = sorted(p for p in PACKAGE.rglob("*.py") if p.parent != PACKAGE or p.stem != "__init__")


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_from_its_own_layer_or_below(path):
    level = {name: height for height, layer in enumerate(LAYERS) for name in layer}
    # Two leaves are needed by all who touch timm, and need nobody themselves.
    leaves = {"zoo_eval.models.torchvision_ops", "zoo_eval.models.registered"}
    used = {
        name.split(".")[1]
        for name in imports(path)
        if name.startswith("zoo_eval.") and name not in leaves
    }
    above = {name for name in used if level[name] > level[part(path)]}
    assert not above


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_libraries_stay_at_home(path):
    used = {name.split(".")[0] for name in imports(path)} & HOMES.keys()
    strangers = {library for library in used if part(path) not in HOMES[library]}
    assert not strangers


def test_public_names():
    assert zoo_eval.__all__ == sorted(zoo_eval.__all__)
    for name in zoo_eval.__all__:
        assert getattr(zoo_eval, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nosuch'"):
        _ = zoo_eval.nosuch


def test_run_stays_a_function_whatever_is_imported():
    import zoo_eval.runner

    assert callable(zoo_eval.run)
    assert zoo_eval.run is zoo_eval.runner.run
