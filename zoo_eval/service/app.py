"""Puts the service together."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from zoo_eval.errors import ZooEvalError
from zoo_eval.service import api, login, pages
from zoo_eval.service.cached import Cached
from zoo_eval.service.history import RunViews
from zoo_eval.service.inspections import Inspections
from zoo_eval.service.jobs import Jobs
from zoo_eval.service.live import Live
from zoo_eval.service.metrics import Metrics, Timed
from zoo_eval.service.ondemand import OnDemand
from zoo_eval.service.openapi import document
from zoo_eval.service.options import API, ServiceOptions
from zoo_eval.service.page_zoo import Zoos
from zoo_eval.service.problems import on_http_error, on_invalid_request, on_our_error
from zoo_eval.service.queue import JobQueue
from zoo_eval.service.security import Security
from zoo_eval.service.statistics import Statistics
from zoo_eval.store import Store

_THREADS = 4


def create_app(options: ServiceOptions) -> FastAPI:
    """The service as an ASGI application.

    What routes share is in `app.state`: `options`, `live` (the newest snapshot), `statistics`
    (correlations), `ondemand` (other statistics), `inspections` (looks at images), `zoos` (what
    pages show), `jobs` (the queue), `run_views` (all runs), `metrics`, and `closing`, set when
    the service ends.
    """
    store = Store(options.store)
    live = Live(store)
    statistics = Statistics(live, options.resamples)
    ondemand = OnDemand(live, options.resamples)
    inspections = Inspections()
    name = options.store.name.removesuffix(".duckdb") + ".jobs"
    jobs = Jobs(store, JobQueue(options.store.with_name(name)))
    metrics = Metrics(live, jobs.queue)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        app.state.closing = asyncio.Event()
        # All threads share the interpreter: with forty of them, nobody gets a turn in time.
        current_default_thread_limiter().total_tokens = _THREADS
        await run_in_threadpool(live.start)
        if not options.read_only:
            jobs.start()
        yield
        app.state.closing.set()
        await run_in_threadpool(jobs.stop)
        await run_in_threadpool(live.stop)
        await run_in_threadpool(statistics.stop)
        await run_in_threadpool(ondemand.stop)
        await run_in_threadpool(inspections.stop)

    app = FastAPI(
        title="zoo_eval",
        version=version("zoo_eval"),
        lifespan=lifespan,
        docs_url=None,  # both load scripts from another host
        redoc_url=None,
        openapi_url=f"{API}/openapi.json",
        exception_handlers={
            HTTPException: on_http_error,
            RequestValidationError: on_invalid_request,
            ZooEvalError: on_our_error,
        },
    )
    app.state.options, app.state.live, app.state.statistics = options, live, statistics
    app.state.jobs, app.state.metrics, app.state.ondemand = jobs, metrics, ondemand
    app.state.inspections = inspections
    app.state.run_views = RunViews(jobs.queue, live)
    app.state.zoos = Zoos(live, statistics)
    app.include_router(api.router)
    app.include_router(login.router)
    app.include_router(pages.router)
    app.openapi = partial(document, app, token=options.token is not None)
    # The last one that is added sees a request first.
    app.add_middleware(Cached, live=live)
    app.add_middleware(Security, options=options)
    app.add_middleware(Timed, metrics=metrics)
    return app
