"""`zoo-eval serve`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from zoo_eval.cli.options import DEFAULT_STORE, StoreOption


def serve(
    store: StoreOption = DEFAULT_STORE,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8000,
    host: Annotated[
        str, typer.Option(help="Address to listen at; other than loopback needs a token.")
    ] = "127.0.0.1",
    host_name: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Name that browsers may use; several times."),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Who knows its text may use it; or ZOO_EVAL_TOKEN."),
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Jobs cannot be submitted or cancelled.")
    ] = False,
    allow: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER",
            help="Where manifests, images and weights of submitted jobs may lie; several times.",
        ),
    ] = None,
) -> None:
    """Serve pages and an API, live while a batch runs.

    A store that does not exist yet is served empty; submit a job to fill it. Runs that were
    submitted go on when the service ends, and the next one finds them.
    """
    from zoo_eval.errors import ServiceError

    try:
        from zoo_eval.service.listen import listen, read_token
        from zoo_eval.service.options import ServiceOptions
    except ModuleNotFoundError as error:
        raise ServiceError(
            f"The service needs {error.name}, which is not installed: "
            "pip install 'zoo-eval[service]'"
        ) from error
    options = ServiceOptions(
        store=store,
        token=read_token(token_file, os.environ.get("ZOO_EVAL_TOKEN")),
        read_only=read_only,
        allowed=tuple(folder.resolve() for folder in allow or ()),
        hosts=tuple(host_name or ()),
    )
    listen(options, host, port)
