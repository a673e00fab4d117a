"""`/metrics`: for Prometheus."""

from fastapi import APIRouter, Request, Response

from zoo_eval.service.metrics import CONTENT_TYPE, Metrics

router = APIRouter(tags=["service"])


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {CONTENT_TYPE: {"schema": {"type": "string"}}}}},
)
def metrics(request: Request) -> Response:
    """Requests, jobs, and what the store has, in Prometheus's text format."""
    found: Metrics = request.app.state.metrics
    return Response(found.text(), media_type=CONTENT_TYPE)
