"""The page of papers and scores: in step with the code, and nothing claimed that is not there."""

import re
import tomllib
from pathlib import Path

from cogapp import Cog

import zoo_eval.scores
from zoo_eval.scores import SCORES

FOLDER = Path(zoo_eval.scores.__file__).parent
PAPERS = tomllib.loads((FOLDER / "papers.toml").read_text(encoding="utf-8"))["papers"]


def scores_of(paper):
    address = f"https://arxiv.org/abs/{paper['arxiv']}"
    return {name for name, found in SCORES.items() if address in " ".join(found.references)}


def test_the_page_is_in_step_with_the_code():
    assert Cog().main(["cog", "--check", str(FOLDER / "README.md")]) == 0


def test_the_papers_are_23_different_ones():
    assert len({paper["arxiv"] for paper in PAPERS}) == len(PAPERS) == 23
    assert all(re.fullmatch(r"\d{4}\.\d{5}", paper["arxiv"]) for paper in PAPERS)


def test_what_is_kept_is_said_of_every_paper_with_a_score_and_of_no_other():
    for paper in PAPERS:
        said = {"kept", "not_kept"} & paper.keys()
        assert len(said) == (2 if scores_of(paper) or "where" in paper else 0), paper["title"]


def test_every_score_that_asks_what_if_is_on_the_page():
    found = set().union(*map(scores_of, PAPERS))
    groups = ("weights", "robustness", "initialisation")
    ours = {name for name, s in SCORES.items() if s.group in groups}
    assert ours <= found


def test_every_folder_is_on_the_page():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for group in {found.group for found in SCORES.values()}:
        assert f"| `{group}` |" in text
