"""`zoo-eval rank FOLDER`."""

import shlex
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from zoo_eval.cli.options import ClassFolder, JsonOption, WorkersOption
from zoo_eval.cli.stopping import EXIT_FAILED_MODELS, EXIT_INTERRUPTED, stop_in_order


def rank(
    images: Annotated[
        str,
        typer.Argument(
            help="A folder with one folder of images per class, or a CSV or Parquet table.",
            metavar="FOLDER",
        ),
    ],
    top: Annotated[int, typer.Option(min=1, help="How many networks are wanted.")] = 5,
    max_params: Annotated[
        float | None, typer.Option(metavar="N", help="Parameters at most, such as 50e6.")
    ] = None,
    max_macs: Annotated[
        float | None, typer.Option(metavar="N", help="Multiply-accumulates of one image at most.")
    ] = None,
    licence: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A licence that will do; several times."),
    ] = None,
    where: Annotated[
        str | None, typer.Option(metavar="SQL", help="Condition over the manifest's columns.")
    ] = None,
    manifest: Annotated[
        str, typer.Option(metavar="NAME", help="A builtin manifest or a CSV file.")
    ] = "timm-imagenet",
    budget: Annotated[
        str | None, typer.Option(metavar="TIME", help="That it may take, such as 20m.")
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option("--store", help="The result file (DuckDB); default: in the user's cache."),
    ] = None,
    workers: WorkersOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the page; default: results/rank-NAME.")
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Write the best network's fitted linear probe, ready to predict."
        ),
    ] = None,
    ensemble: Annotated[
        bool, typer.Option("--ensemble", help="Name the pair that is right most often, its gain.")
    ] = False,
    image_column: Annotated[
        str, typer.Option(metavar="NAME", help="Column of a table's images, as paths.")
    ] = "image",
    label_column: Annotated[
        str, typer.Option(metavar="NAME", help="Column of a table's classes.")
    ] = "label",
    class_folder: Annotated[
        ClassFolder, typer.Option(help="Of nested folders, which one is the class.")
    ] = ClassFolder.last,
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="A table's paths may lead out of its folder.")
    ] = False,
    progress: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep in it how far it is, as JSON, for a program."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Rank networks for your own images, without training any.

    First a look at the images. Then many networks run on few of them, then few networks on many.
    What is stored is not computed again, so stopping is safe: the same command goes on.

    Exit code 0: ranked; 2: it cannot be done as asked; 3: ranked, but some networks failed; 130:
    interrupted.
    """
    begun = time.monotonic()

    from zoo_eval.cli.looking import look_first
    from zoo_eval.cli.rank_text import ShownRace, show
    from zoo_eval.cli.taking_away import check_wishes, name_pair, write_probe
    from zoo_eval.datasets.spec import DatasetSpec
    from zoo_eval.durations import parse_duration
    from zoo_eval.ranking.candidates import ModelLimits
    from zoo_eval.ranking.inspection import inspection_text
    from zoo_eval.ranking.progress import ProgressFile
    from zoo_eval.ranking.rank import raced
    from zoo_eval.report.rank_files import write_ranking

    stop_in_order()
    command = shlex.join(["zoo-eval", *sys.argv[1:]])
    budget_s = None if budget is None else parse_duration(budget)
    try:
        given = DatasetSpec(
            images,
            image_column=image_column,
            label_column=label_column,
            class_folder=class_folder.value,
            allow_outside=allow_outside,
        )
        seen = look_first(given, quiet=as_json)
        check_wishes(labelled=seen.labelled, export=export, ensemble=ensemble)
        spec = seen.usable(given)
        # Who waits for the answer has waited for the look too.
        left_s = None if budget_s is None else budget_s - (time.monotonic() - begun)
        with ShownRace(budget_s, workers, quiet=as_json) as shown:
            kept = progress and ProgressFile(progress, inspection_text(seen), shown)
            found = raced(
                spec,
                top=top,
                manifest=manifest,
                limits=ModelLimits(max_params, max_macs, tuple(licence or ()), where),
                budget_s=left_s,
                store=store,
                workers=workers,
                watcher=kept or shown,
                command=command,
            )
        ranking = found.ranking
        if as_json:
            print(ranking.to_json())
        else:
            show(ranking)
        page = write_ranking(ranking, spec, out or Path("results") / f"rank-{spec.name}", command)
        if not as_json:
            print(f"Page: {page}")
        if ensemble:
            name_pair(found, quiet=as_json)
        if export is not None:
            write_probe(found, spec, export, quiet=as_json)
    except KeyboardInterrupt:
        print(
            f"zoo-eval: interrupted; what is evaluated is stored, and `{command}` goes on.",
            file=sys.stderr,
        )
        raise typer.Exit(EXIT_INTERRUPTED) from None
    if any(each.why == "failed" for each in ranking.left_out):
        raise typer.Exit(EXIT_FAILED_MODELS)
