"""Rankings made by hand, for tests of how they are shown."""

from dataclasses import replace

from zoo_eval.ranking.answer import PlainChoice, RankedModel, Ranking, RoundNote
from zoo_eval.ranking.candidates import LeftOut
from zoo_eval.ranking.standing import Separation


def ranked(place: int, model: str, **facts) -> RankedModel:
    """A network; what a test does not say is known and dull."""
    known = {
        "family": "resnet",
        "licence": "mit",
        "params": 1_000_000 * place,
        "macs": 10_000_000 * place,
        "published": 0.7,
        "rounds": 2,
        "n_images": 60,
        "accuracy": 0.9 - 0.1 * place,
        "accuracy_low": 0.85 - 0.1 * place,
        "accuracy_high": 0.95 - 0.1 * place,
        "chance_top": 1.0 if place < 3 else 0.25,
        "chance_best": 0.6 if place == 1 else 0.2,
        "group": 1 if place < 3 else 2,
        "images_per_second": 100.0 * place,
        "pareto_params": place == 1,
        "pareto_speed": True,
        "scores": {"knn_accuracy": 0.9, "logme": -0.5},
    }
    return RankedModel(place=place, model=model, **{**known, **facts})


RANKING = Ranking(
    source="photos",
    dataset="photos@01234567",
    classes=("cat", "dog, wet", "Ärger <b>"),
    manifest="zoo",
    top=2,
    rows=(ranked(1, "good.a"), ranked(2, "fair.b"), ranked(3, "poor.c", rounds=1, group=None)),
    left_out=(LeftOut("vast.d", "limits", "9 params"), LeftOut("torn.e", "failed", "load: <b>")),
    rounds=(RoundNote(10, 30, 3, 3, 2, 4.0), RoundNote(20, 60, 2, 2, 2, 5.0)),
    ended="all images",
    plain_choice=PlainChoice("poor.c", "imagenet_top1", 3, 0.6, 0.25),
    separation=Separation("good.a", "fair.b", 1234),
    seconds=9.0,
    budget_s=None,
    snippet="import timm\n",
    store="r.duckdb",
)


def without_labels() -> Ranking:
    """The same, of images without labels."""
    unknown = {
        name: None
        for name in (
            *("accuracy", "accuracy_low", "accuracy_high"),
            *("chance_top", "chance_best", "group"),
        )
    }
    rows = tuple(
        replace(
            row, **unknown, pareto_params=False, scores={"participation_ratio": 9.0 - row.place}
        )
        for row in RANKING.rows
    )
    plain = PlainChoice("poor.c", "imagenet_top1", 3, None, None)
    return replace(RANKING, classes=(), rows=rows, separation=None, plain_choice=plain)
