"""`/predictions`: the accuracy as predicted from all scores together."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from zoo_eval.report.frames import Frame
from zoo_eval.service.api.answers import LiveDep, Row, StatisticsDep, as_json, rows_of
from zoo_eval.service.api.correlations import RETRY_S, Pending
from zoo_eval.service.ondemand import OnDemand
from zoo_eval.service.problems import Problem

router = APIRouter(tags=["results"])


class PredictionsAnswer(BaseModel):
    """What a regression says of each model that has not seen its family."""

    truth: str = Field(examples=["imagenet_top1"])
    method: str = Field(description="`ridge` or `trees`.", examples=["ridge"])
    state: str = Field(description="The store's content that they were computed from.")
    current: bool = Field(description="Whether that is what the store has now.")
    of: datetime = Field(description="When it was read, UTC.")
    verdict: str = Field(
        description="What came out, or why nothing could be predicted, in a sentence.",
        examples=["With whole families held out, ridge on 82 features does not beat macs: …"],
    )
    beats_size: bool | None = Field(
        description="Whether it beats each of activations, MACs and params, alone and together."
    )
    level: float | None = Field(description="Share that the intervals are to hold.", examples=[0.9])
    coverage: float | None = Field(
        description="Share that they hold, the mean over families.", examples=[0.92]
    )
    coverage_of_models: float | None = Field(description="The same over models.")
    quality: list[Row] = Field(
        description="Errors of all features and of sizes alone, and the gain with its interval.",
        examples=[[{"set": "all features", "features": 82, "mae": 0.0126, "r2": 0.95}]],
    )
    importance: list[Row] = Field(
        description="Rise of the error when a feature is shuffled, largest first.",
        examples=[[{"feature": "dsmi", "importance": 0.004, "lowest": 0.001, "highest": 0.007}]],
    )
    rows: list[Row] = Field(
        description="A row per model; an end of an interval that is null is not bounded.",
        examples=[
            [
                {
                    **{"model": "resnet50.a1_in1k", "family": "resnet", "fold": 0},
                    **{"accuracy": 0.8045, "predicted": 0.7991, "low": 0.77, "high": 0.83},
                }
            ]
        ],
    )


@router.get(
    "/predictions",
    summary="The accuracy as predicted from the scores",
    response_model=PredictionsAnswer,
    responses={
        202: {
            "model": Pending,
            "description": "They are being computed for the first time, which takes a minute.",
            "headers": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}},
        },
        503: {"model": Problem, "description": "Computing them failed."},
    },
)
def predictions(
    request: Request,
    live: LiveDep,
    statistics: StatisticsDep,
    truth: Annotated[
        str | None, Query(description="An accuracy; else that of most models.")
    ] = None,
    method: Annotated[
        Literal["ridge", "trees"],
        Query(description="A regularised additive model, or boosted trees."),
    ] = "ridge",
) -> Response:
    """Every model predicted from models of other families, with conformal intervals.

    Computed when first asked for and whenever the store has changed; until then the previous ones
    are answered, with `current` false. `beats_size` says whether the scores are worth more than
    the number of activations, multiply-accumulates and parameters.
    """
    ondemand: OnDemand = request.app.state.ondemand
    chosen = statistics.truth(truth)
    found = ondemand.predictions(chosen)
    if found is None:
        detail = "The predictions are being computed. Ask again after Retry-After seconds."
        pending = Pending(truth=chosen, detail=detail).model_dump_json()
        return Response(pending, 202, {"Retry-After": str(RETRY_S)}, "application/json")
    if found.value is None:
        raise HTTPException(
            503, "Computing the predictions failed; the service's log says why. Ask again later."
        )
    one = found.value.found.get(method)
    answer = PredictionsAnswer.model_construct(
        truth=chosen,
        method=method,
        state=found.snapshot.state,
        current=found.snapshot.state == live.snapshot.state,
        of=found.snapshot.read.isoformat(),
        verdict=one.verdict if one else found.value.why_none,
        beats_size=one.beats_size if one else None,
        level=one.level if one else None,
        coverage=one.coverage if one else None,
        coverage_of_models=one.coverage_of_models if one else None,
        quality=_rows(one.quality, "set") if one else [],
        importance=_rows(one.importance, "feature") if one else [],
        rows=_rows(one.models, "model") if one else [],
    )
    return as_json(answer)


def _rows(frame: Frame, name: str) -> list[Row]:
    return rows_of(frame.reset_index(names=name))
