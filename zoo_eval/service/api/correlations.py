"""`/correlations`: what the scores are worth."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from zoo_eval.service.api.answers import LiveDep, Row, StatisticsDep, with_tables

router = APIRouter(tags=["results"])
RETRY_S = 2


class Correlations(BaseModel):
    """Every score's correlation with one accuracy, strongest first."""

    truth: str = Field(examples=["imagenet_top1"])
    truths: list[str] = Field(description="All accuracies, that of most models first.")
    state: str = Field(description="The store's content that they were computed from.")
    current: bool = Field(description="Whether that is what the store has now.")
    of: datetime = Field(description="When it was read, UTC.")
    resamples: int = Field(examples=[1000])
    best_baseline: str = Field(examples=["params"])
    rows: list[Row] = Field(
        examples=[[{"score": "dsmi", "n": 61, "spearman_rho": 0.71, "spearman_low": 0.5}]]
    )


class Pending(BaseModel):
    """They are being computed."""

    truth: str
    detail: str = "The correlations are being computed. Ask again after Retry-After seconds."


@router.get(
    "/correlations",
    summary="What the scores are worth",
    response_model=Correlations,
    responses={
        202: {
            "model": Pending,
            "description": "They are being computed for the first time.",
            "headers": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}},
        }
    },
)
async def correlations(
    live: LiveDep,
    statistics: StatisticsDep,
    truth: Annotated[
        str | None, Query(description="An accuracy; else that of most models.")
    ] = None,
) -> Response:
    """Signed Spearman's ρ, Kendall's τ and more, with 95 % intervals by family.

    Computed when first asked for and whenever the store has changed; until then the previous ones
    are answered, with `current` false and the header `X-Computed-From` saying of when.
    """
    chosen = statistics.truth(truth)
    found = statistics.of(chosen)
    if found is None:
        pending = Pending(truth=chosen).model_dump_json()
        after = {"Retry-After": str(RETRY_S)}
        return Response(pending, 202, after, "application/json")
    snapshot = found.snapshot
    head = {
        "truth": chosen,
        "truths": statistics.truths(),
        "state": snapshot.state,
        "current": snapshot.state == live.snapshot.state,
        "of": snapshot.read.isoformat(),
        "resamples": found.findings.resamples,
        "best_baseline": found.findings.best_baseline,
    }
    response = with_tables(head, {"rows": found.rows})
    response.headers["X-Computed-From"] = snapshot.read.isoformat()
    return response
