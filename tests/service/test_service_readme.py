"""The README's snippet runs."""

import re
import runpy
from pathlib import Path

import pytest

from tests.service.conftest import fill
from tests.service.service import in_thread
from zoo_eval import Store
from zoo_eval.service import ServiceOptions

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # a script leaves its client to its end
def test_the_snippet_runs(tmp_path, monkeypatch, capsys):
    path = tmp_path / "r.duckdb"
    fill(path)
    comment = "<!-- run by tests/service/test_service_readme.py -->"
    found = re.search(comment + r"\n```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert found is not None
    monkeypatch.chdir(tmp_path)
    with in_thread(ServiceOptions(path)) as address:
        script = tmp_path / "snippet.py"
        script.write_text(found[1].replace("http://127.0.0.1:8000", address))
        runpy.run_path(str(script))
    printed = capsys.readouterr().out
    assert "net.b 0.8 2000.0" in printed
    assert "ntk_condition" in printed
    assert '"state":"done"' in printed
    assert "first" in set(Store(path).runs()["job"])
