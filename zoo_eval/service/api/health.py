"""`/health`: whether the service reads its store."""

from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from zoo_eval.service.api.answers import LiveDep

router = APIRouter(tags=["service"])


class Health(BaseModel):
    """How the service is."""

    status: str = Field(description="`ok`, or `store unreadable`.", examples=["ok"])
    detail: str = Field(description="Why the store cannot be read.", examples=[""])
    state: str = Field(description="Names the store's content.", examples=["5e9ec0a2c1f0d1b2"])
    read: datetime = Field(description="When the store was last read, UTC.")
    models: int = Field(examples=[1556])
    values: int = Field(description="Newest rows, one per score setting.", examples=[93360])
    running: bool = Field(description="Whether a run writes to the store now.")


@router.get("/health", summary="Whether the service reads its store")
async def health(live: LiveDep, response: Response) -> Health:
    """503 if the store can no longer be read; all other routes then serve what was read before."""
    snapshot = live.snapshot
    response.status_code = 503 if live.error else 200
    return Health(
        status="store unreadable" if live.error else "ok",
        detail=live.error,
        state=snapshot.state,
        read=snapshot.read,
        models=len(snapshot.board),
        values=len(snapshot.values),
        running=live.activity.running,
    )
