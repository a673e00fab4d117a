"""Which models of a manifest the installed timm cannot build with pretrained weights."""

from collections.abc import Iterable

from zoo_eval.models.registered import register_architectures


def check_lines(models: Iterable[str]) -> list[tuple[str, str]]:
    """Models that this timm does not know, found in its registry without building any.

    Args:
        models: `architecture.tag` or `architecture`, as timm writes them; an image size behind
            `@` is passed over.

    Returns:
        (model, reason), in the order given; empty if timm knows them all.
    """
    register_architectures()
    import timm
    from timm.models import get_arch_pretrained_cfgs, is_model

    unknown: list[tuple[str, str]] = []
    tags_of: dict[str, list[str]] = {}  # timm copies every configuration each time it is asked
    for model in models:
        architecture, _, tag = model.partition("@")[0].partition(".")
        if not is_model(architecture):
            reason = f"timm {timm.__version__} has no architecture {architecture!r}"
            unknown.append((model, reason))
            continue
        if architecture not in tags_of:
            names = get_arch_pretrained_cfgs(architecture)
            tags_of[architecture] = [name.partition(".")[2] for name in names]
        if tag and tag not in tags_of[architecture]:
            reason = (
                f"timm {timm.__version__} has no weights {tag!r} for {architecture}, "
                f"only: {', '.join(tags_of[architecture]) or 'none'}"
            )
            unknown.append((model, reason))
    return unknown
