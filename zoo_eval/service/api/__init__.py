"""The API, version 1: one router for each resource."""

from fastapi import APIRouter

from zoo_eval.service.api import (
    correlations,
    health,
    metrics,
    models,
    predictions,
    rankings,
    runs,
    scores,
    values,
)
from zoo_eval.service.api.answers import REFUSALS
from zoo_eval.service.options import API

router = APIRouter(prefix=API, responses=REFUSALS)
for _part in (health, models, scores, values, correlations, predictions, runs, rankings, metrics):
    router.include_router(_part.router)
