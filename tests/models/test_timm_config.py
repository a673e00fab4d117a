import json
import subprocess
import sys
from dataclasses import asdict

from zoo_eval.cache import cache_folder
from zoo_eval.manifest import Manifest
from zoo_eval.models.timm_config import timm_config
from zoo_eval.models.torchvision_ops import ensure_torchvision


def test_what_timm_states_of_its_weights():
    assert timm_config("resnet18.tv_in1k").interpolation == "bilinear"
    # The default of the architecture.
    assert timm_config("resnet18") == timm_config("resnet18.a1_in1k")


def test_weights_that_timm_does_not_know():
    assert timm_config("resnet18.mine") is None
    assert timm_config("unheard_of.mine") is None


def elsewhere(names: list[str]) -> list[dict | None]:
    """What a process says that does not import timm."""
    program = (
        "import json, sys; from dataclasses import asdict\n"
        "from zoo_eval.models.timm_config import timm_config\n"
        "found = [timm_config(name) for name in json.load(sys.stdin)]\n"
        "assert 'torch' not in sys.modules\n"
        "print(json.dumps([each and asdict(each) for each in found]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=json.dumps(names), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_without_timm_the_same_is_known_of_every_model():
    ensure_torchvision()
    import timm  # noqa: F401  # so that it is asked in this process

    names = [line.timm_name for line in Manifest.load("timm-imagenet")]
    names += [*sorted({name.partition(".")[0] for name in names}), "resnet18.mine", "unheard_of"]
    here = [timm_config(name) for name in names]
    expected = json.loads(json.dumps([each and asdict(each) for each in here]))
    assert elsewhere(names) == expected
    [kept] = cache_folder("timm").glob("*.json")
    whole = kept.read_bytes()
    kept.write_bytes(whole[:100])  # as a damaged disk leaves it: asked again
    assert elsewhere(names[:1]) == expected[:1]
    assert kept.read_bytes() == whole
