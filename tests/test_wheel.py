"""The wheel works away from the repository: it carries manifests, jobs, weights and images."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


def call(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_quickstart_runs_from_an_installed_wheel(tmp_path):
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path)
    call(*build, REPOSITORY, cwd=tmp_path)
    [wheel] = tmp_path.glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    call(python, "-m", "pip", "install", "--quiet", "--no-deps", wheel, cwd=tmp_path)
    # Borrow the dependencies, but not the editable zoo_eval: a plain path runs no .pth files.
    [site] = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    where = call(python, "-c", "import zoo_eval; print(zoo_eval.__file__)", cwd=tmp_path)
    assert where.startswith(str(site))
    command = tmp_path / "venv" / "bin" / "zoo-eval"
    out = call(command, "run", "quickstart", "--limit", "5", cwd=tmp_path)
    assert "5 models on fashion@" in out
    assert "0 failed" in out
    out = call(command, "report", cwd=tmp_path)
    assert (tmp_path / "report" / "report.html").is_file()
