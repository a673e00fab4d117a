"""What is said of a plan before its work begins."""

import json
import sys

from zoo_eval.estimate import Estimate
from zoo_eval.runner import Prepared


def say_skipped(prepared: Prepared) -> None:
    """Warn of images that cannot be read."""
    skipped = prepared.dataset.skipped
    name, reason = skipped[0]
    total = len(prepared.dataset) + len(skipped)
    print(
        f"{len(skipped)} of {total} images cannot be read and are left out, for example {name}: "
        f"{reason}. --strict refuses them.",
        file=sys.stderr,
    )


def plan_line(prepared: Prepared) -> str:
    """What the job wants, and how much of it is there."""
    plan, dataset = prepared.plan, prepared.dataset
    done = f"; {plan.n_scores_done:,} are stored already" if plan.n_scores_done else ""
    return (
        f"{prepared.job.name}: {plan.n_models} models on {dataset.label} ({len(dataset):,} images, "
        f"{len(dataset.classes)} classes), {plan.n_scores_wanted:,} score values{done}."
    )


def left_out_line(prepared: Prepared, again: str) -> str:
    """Which networks are not tried again, and how to change that; nothing if there are none."""
    left_out = prepared.plan.left_out
    if not left_out:
        return ""
    those = "1 network" if len(left_out) == 1 else f"{len(left_out)} networks"
    return (
        f"{those} that failed before, {left_out[0].line.model} first, "
        f"{'is' if len(left_out) == 1 else 'are'} left out; `{again}` tries again."
    )


def nothing_to_do(prepared: Prepared, store: object) -> str:
    """That all is there."""
    return (
        f"Nothing to do: all {prepared.plan.n_scores_wanted:,} score values of "
        f"{prepared.plan.n_models} models are in {store}.\nNext: `zoo-eval report --store {store}`."
    )


def show_plan(prepared: Prepared, expected: Estimate, *, as_json: bool) -> None:
    """What a run would do, how long it would take and how much disk."""
    plan = prepared.plan
    if as_json:
        print(
            json.dumps(
                {
                    "models": plan.n_models,
                    "networks_left": len(plan.units),
                    "networks_left_out": len(plan.left_out),
                    "scores_wanted": plan.n_scores_wanted,
                    "scores_done": plan.n_scores_done,
                    "dataset": prepared.dataset.label,
                    "images": len(prepared.dataset),
                    "seconds": round(expected.seconds, 1),
                    "disk_bytes": expected.disk_bytes,
                    "download_bytes": expected.download_bytes,
                }
            )
        )
        return
    print(plan_line(prepared))
    print(f"Left: {plan.n_scores_left:,} values on {len(plan.units)} networks.")
    print(f"Time: about {expected.time_text()} ({expected.basis}).")
    print(f"Disk: about {expected.disk_text()}.")
    for unit in plan.units[:10]:
        seed = f" seed {unit.seed}" if unit.weights != "pretrained" else ""
        print(f"  {unit.line.model}  {unit.weights}{seed}: {len(unit.scores)} scores")
    if len(plan.units) > 10:
        print(f"  … and {len(plan.units) - 10} more")
