import subprocess
import sys

import pytest

from zoo_eval.errors import ModelError
from zoo_eval.models import torchvision_ops


def python(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter: an import happens only once."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_timm_imports_and_builds_after_torchvision_is_ensured():
    done = python(
        "import torch\n"
        "from zoo_eval.models.torchvision_ops import declared_operators, ensure_torchvision\n"
        "ensure_torchvision(); ensure_torchvision()\n"
        "import timm, torchvision\n"
        "model = timm.create_model('test_resnet').eval()\n"
        "print(tuple(model(torch.zeros(1, 3, 32, 32)).shape))\n"
        "try:\n"
        "    torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5); ran = True\n"
        "except (RuntimeError, NotImplementedError): ran = False\n"
        "print(ran != declared_operators())\n"
    )
    # Declared only if missing, and a declared operator has nothing to run.
    assert (done.returncode, done.stdout.split("\n")[:2]) == (0, ["(1, 1000)", "True"]), done.stderr


def test_timm_does_not_import_otherwise():
    torchvision_ops.ensure_torchvision()
    if not torchvision_ops.declared_operators():
        pytest.skip("torchvision's operators fit this torch, so timm imports anyway")
    done = python("import timm")
    assert done.returncode == 1
    assert "RuntimeError: operator torchvision::nms does not exist" in done.stderr


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ModuleNotFoundError("No module named 'torchvision'"), "zoo_eval needs torchvision beside"),
        (RuntimeError("libcudart is missing"), "torchvision cannot be imported: libcudart is miss"),
    ],
)
def test_another_failure_of_torchvision_is_told(monkeypatch, error, message):
    def fail(name):
        assert name == "torchvision"
        raise error

    monkeypatch.setattr(torchvision_ops.importlib, "import_module", fail)
    with pytest.raises(ModelError, match=message):
        torchvision_ops.ensure_torchvision()
