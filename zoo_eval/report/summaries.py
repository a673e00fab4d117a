"""What labelled score rows come to: facts of each score, gaps, intervals, speed of each model."""

from collections.abc import Collection

from zoo_eval.report.frames import Frame, Series


def facts_of_columns(tall: Frame, settings: Frame) -> Frame:
    """Per label: its setting, how many seeds, and the median seconds over models."""
    by_label = tall.groupby("label", observed=True)
    facts = settings.set_index("label")
    for name, found in (
        ("seeds", by_label["seed"].nunique()),
        ("seconds", by_label["seconds"].median()),
    ):
        facts[name] = found.reindex(facts.index)
    return facts


def gaps(tall: Frame) -> Frame:
    """Reasons of the models for which no seed gave a value."""
    without = tall.groupby(["label", "model"], observed=True)["value"].transform("count") == 0
    rows = tall.loc[without, ["label", "model", "undefined_because"]]
    rows = rows.drop_duplicates(["label", "model"])
    for column in rows.select_dtypes("category"):
        rows[column] = rows[column].astype(rows[column].cat.categories.dtype)
    rows = rows.rename(columns={"label": "score", "undefined_because": "reason"})
    return rows.reset_index(drop=True)


def intervals(tall: Frame) -> dict[str, Frame]:
    """`low` and `high` by model of each score that is an estimate; of the mean of seeds none."""
    rows = tall[tall["low"].notna()]
    rows = rows[~rows.duplicated(["label", "model"], keep=False)]
    return {
        str(label): of_score.set_index(of_score["model"].astype(object))[["low", "high"]]
        for label, of_score in rows.groupby("label", observed=True)
    }


def seed_values(tall: Frame) -> dict[str, Frame]:
    """By label of a score that some model has at two seeds or more: models by seeds."""
    if tall["seed"].nunique() < 2:
        return {}
    rows = tall[tall["value"].notna()]
    rows = rows.assign(model=rows["model"].astype(object))
    several = rows.groupby(["label", "model"], observed=True)["seed"].transform("nunique") > 1
    labels = rows.loc[several, "label"].unique()
    return {
        str(label): of_score.pivot(index="model", columns="seed", values="value")
        for label, of_score in rows[rows["label"].isin(labels)].groupby("label", observed=True)
    }


def images_per_second(tall: Frame, datasets: Frame, forward: Collection[str]) -> Series:
    """Images over the least seconds of a score of one forward pass, trained networks only."""
    rows = tall[tall["score"].isin(list(forward)) & (tall["weights"] == "pretrained")]
    n_images = rows["dataset"].astype(object).map(datasets.set_index("dataset")["n_images"])
    rates = n_images.astype("float64") / rows["seconds"].where(rows["seconds"] > 0)
    return rates.groupby(rows["model"].astype(object)).max()
