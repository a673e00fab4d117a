"""What the name of a timm model says about its training: other images, and a teacher.

timm writes `architecture.tag`. The words of a tag name the authors (`fb`), the recipe (`a1`),
the stages (`_ft_`) and the data sets (`in22k`), in no fixed grammar, and some tags leave data
out. So the rules below are a table, read from top to bottom, one comment per rule.

Counted: images that the network itself was trained on. Not counted: images that only its
teacher, or the tokenizer or feature targets of masked image modelling, were trained on.
"""

import re

from zoo_eval.errors import ManifestError

IN1K = "in1k"

# (pattern searched in `architecture.tag`, value of the column `pretraining`); first match wins.
# The value names the largest image set, so an intermediate stage (`laion2b_ft_in12k_in1k`) does
# not show. `-mim` says that masked image modelling, without labels, was one of the stages.
_PRETRAINING_RULES: tuple[tuple[str, str], ...] = (
    # Contrastive image-text pretraining: `clip-` and the pairs. laion2b is LAION-2B (OpenCLIP),
    # laiona its aesthetic subset, openai the 400 million pairs of the first CLIP, webli that of
    # SigLIP (sigmoid instead of softmax loss).
    (r"\.(clip_)?laion2b_", "clip-laion2b"),
    (r"\.clip_laiona_", "clip-laiona"),
    (r"\.openai_", "clip-openai"),
    (r"\.webli_", "clip-webli"),
    # EVA-CLIP; timm's model card names LAION-400M, the tag does not.
    (r"^eva_giant_.*\.clip_", "clip-laion400m"),
    # Masked image modelling on ImageNet-21k merged with other public sets: EVA's Merged-30M,
    # EVA-02's Merged-38M, and BEiT-3's ImageNet-21k with 21 million image-text pairs.
    (r"\.m30m_|\.mim_m38m_|^beit3_", "merged-mim"),
    # BEiT, EVA-L and EVA-02 on ImageNet-21k. BEiT v2 and ConvNeXt V2 mask ImageNet-1k images
    # and learn the labels of ImageNet-21k after that.
    (r"^(beit|eva)_.*\.in22k_|\.mim_in22k_", "in21k-mim"),
    (r"^beitv2_.*\.in1k_ft_in22k_|\.fcmae_ft_in22k_", "in21k-mim"),
    # BEiT v2, Hiera and ConvNeXt V2 on the images of ImageNet-1k alone.
    (r"^beitv2_.*\.in1k_ft_in1k|\.mae_in1k_ft_|\.fcmae_ft_in1k", "in1k-mim"),
    # Noisy Student: pseudo-labels on JFT-300M.
    (r"\.ns_jft_", "jft300m"),
    # Semi-supervised on YFCC100M; weakly (wsl, swsl) on a billion hashtagged Instagram images;
    # SWAG on 3.6 billion; SEER without labels on what timm's card calls random internet images.
    (r"\.fb_ssl_yfcc100m_", "yfcc100m"),
    (r"\.fb_s?wsl_ig1b_", "ig1b"),
    (r"\.swag_", "ig3.6b"),
    (r"\.seer_", "random2b"),
    # Next-ViT distilled on six million images; timm's card: "unknown 6M sample dataset".
    (r"\.bd_ssld_6m_", "unknown6m"),
    # SSLD (PaddleClas) adds four million unlabelled images mined from ImageNet-21k, also where
    # the tag says only in1k: https://arxiv.org/abs/2103.05959.
    (r"ssld", "in21k"),
    # in21k, in22k: the same full ImageNet (21,841 classes); MIIL's in21k is its cleaned form.
    # in12k: timm's subset of 11,821 classes.
    (r"[._]in2[12]k_", "in21k"),
    (r"[._]in12k_", "in12k"),
    # The tag says in1k, but these three DPN come from ImageNet-5k: cypw/DPNs, README of commit
    # 081328fb, models with an asterisk; timm took the files called `dpn92_extra` and so on.
    (r"^dpn(68b|92|107)\.mx_in1k", "in5k"),
)

# Words that say nothing about other images: authors, recipes, optimisers, and numbers such as
# 384, 300e, 1200ep, e600, r224, s576. A tag is in1k only if every word is known, so that a tag
# of a future timm cannot pass as in1k by being new.
_PLAIN_WORD = re.compile(
    "a1|a1h|a2|a2h|a3|aa|adv|agc|ah|am|ap|apple|aug|augreg|b1k|b2k|bd|bt|c1|c2|c2ns|c3|ch|cvnets|"
    "d|d1|d1h|d2|deit|dist|distilled|dm|ens|fb|ft|gluon|goog|green|idstcv|in1k|ix|lamb|miil|ms|"
    "msft|mx|nav|naver|nv|paddle|pycls|ra|ra2|ra3|ra4|racm|ram|rmsp|rvgg|sail|sam|sbb|snap|sw|tf|"
    r"tv|tv2|usi|\d+(e|ep)?|[ers]\d+"
)

# A teacher's outputs were among the targets.
_DISTILLED_RULES: tuple[str, ...] = (
    # The tag or the architecture says so: fb_dist, goog_distilled, deit_*_distilled, ssld.
    r"[._](dist|distilled)([._]|$)",
    r"ssld",
    # EdgeNeXt with USI, https://arxiv.org/abs/2204.03475, which distils; timm calls the weights
    # of edgenext_base.in21k_ft_in1k USI too.
    r"\.usi_|^edgenext_base\.in21k_",
    # FlexiViT learns from DeiT III: google-research/big_vision, commit 26c7bc88,
    # configs/proj/flexivit/i1k_deit3_distill.py.
    r"^flexivit_.*ep_in1k",
    # "Knapsack Pruning with Inner Distillation", https://arxiv.org/abs/2002.08258.
    r"^(efficientnet_b\d|ecaresnet\d+d)_pruned",
)


def pretraining(model: str) -> str:
    """The largest set of images that the network was trained on beside ImageNet-1k.

    Args:
        model: `architecture.tag`, as timm writes it.

    Returns:
        A word of the vocabulary in `manifests/README.md`; `in1k` if there were no other images
        and no stage without labels.

    Raises:
        ManifestError: no rule applies, and the tag has a word that is not known to be harmless.

    >>> pretraining("convnext_base.fb_in22k_ft_in1k"), pretraining("resnet50.a1_in1k")
    ('in21k', 'in1k')
    """
    for pattern, value in _PRETRAINING_RULES:
        if re.search(pattern, model):
            return value
    tag = model.partition(".")[2]
    for word in tag.split("_"):
        if not _PLAIN_WORD.fullmatch(word):
            raise ManifestError(
                f"{model}: the pretraining data must follow from the tag, but no rule knows the "
                f"word {word!r} of {tag!r}; say in zoo_eval/manifest/timm_facts.py what it means."
            )
    return IN1K


def distilled(model: str) -> bool:
    """Whether the network learned from a teacher, as far as its name or timm's source says.

    Self-training on pseudo-labels (Noisy Student, semi-supervised), token labelling (VOLO) and
    masked image modelling towards a teacher's features do not count.

    >>> distilled("xcit_nano_12_p8_224.fb_dist_in1k"), distilled("resnet50.a1_in1k")
    (True, False)
    """
    return any(re.search(pattern, model) for pattern in _DISTILLED_RULES)
