"""`/scores`: every score; `/scores/LABEL`: what it is and what it is worth."""

import inspect

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from zoo_eval.scores import POOL_SCORES, SCORES
from zoo_eval.service.api.answers import (
    NOT_FOUND,
    LiveDep,
    Row,
    StatisticsDep,
    as_json,
    cells_of,
    not_found,
)
from zoo_eval.service.snapshot import Snapshot
from zoo_eval.service.standings import better

router = APIRouter(tags=["results"])


class ScoreLine(BaseModel):
    """A score as the store has it: with certain options, weights and dataset."""

    label: str = Field(examples=["dsmi[bandwidth=median] @pretrained"])
    score: str = Field(examples=["dsmi"])
    options: str = Field(description="JSON.", examples=['{"bandwidth": "median"}'])
    weights: str | None = Field(examples=["pretrained"])
    dataset: str | None = Field(examples=["fashion@1a2b3c4d"])
    models: int = Field(description="Models that have it.", examples=[61])
    coverage: float = Field(description="Their share of the models that were tried.")
    seconds: float | None = Field(description="Median over models.")
    better: str = Field(description="`higher` or `lower`, by the literature.")
    summary: str = Field(description="What it is.")


class ScoresAnswer(BaseModel):
    """Every score of the store."""

    state: str
    scores: list[ScoreLine]


class Definition(BaseModel):
    """A score as its author declares it."""

    name: str
    group: str
    unit: str
    better: str = Field(description="`higher`, `lower` or `not claimed`.")
    text: str = Field(description="Formula, conventions and when it is undefined.")
    references: list[str]


class ScoreAnswer(BaseModel):
    """What a score is, and what it is worth here."""

    state: str
    definition: Definition | None = Field(description="Null if it is not installed here.")
    here: ScoreLine | None = Field(description="Null if the store has no value of it.")
    correlations: dict[str, Row] = Field(
        description="By accuracy, as far as they have been computed; /correlations computes them."
    )
    undefined: list[Row] = Field(description="Reasons why models have no value.")


@router.get("/scores", summary="Every score of the store", response_model=ScoresAnswer)
async def scores(live: LiveDep) -> Response:
    """With its coverage and what it costs."""
    tag, snapshot = live.tag, live.snapshot
    lines = [line for label in snapshot.counts if (line := _line(snapshot, label)) is not None]
    return as_json(ScoresAnswer(state=snapshot.state, scores=lines), tag)


@router.get(
    "/scores/{name:path}", summary="One score", responses=NOT_FOUND, response_model=ScoreAnswer
)
async def score(name: str, live: LiveDep, statistics: StatisticsDep) -> Response:
    """By its label in the store, or by its name."""
    snapshot = live.snapshot
    here = _line(snapshot, name)
    definition = _definition(here.score if here is not None else name)
    if here is None and definition is None:
        raise not_found(f"There is no score {name!r}; /api/v1/scores lists those of the store.")
    known = statistics.known() if here is not None else {}
    correlations = {
        truth: cells_of(found.findings.correlations.loc[name])
        for truth, found in known.items()
        if name in found.findings.correlations.index
    }
    answer = ScoreAnswer.model_construct(
        state=snapshot.state,
        definition=definition,
        here=here,
        correlations=correlations,
        undefined=snapshot.undefined.get(name, []),
    )
    return as_json(answer)


def _line(snapshot: Snapshot, label: str) -> ScoreLine | None:
    if snapshot.data is None or label not in snapshot.counts:
        return None
    data, models = snapshot.data, snapshot.counts[label]
    facts = cells_of(data.columns.loc[label])
    name = str(facts["score"] or label)
    declared = SCORES.get(name) or POOL_SCORES.get(name)
    return ScoreLine(
        label=label,
        score=name,
        options=str(facts["options"] or "{}"),
        weights=_text(facts["weights"]),
        dataset=_text(facts["dataset"]),
        models=models,
        coverage=models / len(data.scores),
        seconds=_number(facts["seconds"]),
        better=better(name),
        summary=declared.summary if declared is not None else "",
    )


def _definition(name: str) -> Definition | None:
    declared = SCORES.get(name) or POOL_SCORES.get(name)
    if declared is None:
        return None
    words = {True: "higher", False: "lower", None: "not claimed"}
    return Definition(
        name=declared.name,
        group=declared.group,
        unit=declared.unit,
        better=words[declared.higher_is_better],
        text=inspect.cleandoc(declared.__doc__ or ""),
        references=declared.references,
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
