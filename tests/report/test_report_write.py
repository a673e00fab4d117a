"""The files of a report: complete, exact, replaced at once; and errors in one line."""

import errno
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from PIL import Image

from zoo_eval.errors import ReportError
from zoo_eval.report import collect, findings, write_report
from zoo_eval.report.figure_content import MAX_LINES, forest_title
from zoo_eval.report.figures import forest_figure
from zoo_eval.report.output import LIST
from zoo_eval.report.provenance import provenance
from zoo_eval.report.write import write_findings
from zoo_eval.side_processes import side_processes

KINDS = ("png", "svg")


def test_all_files_are_written_and_no_others(data, tmp_path):
    files = write_report(data, tmp_path / "new" / "folder", command="zoo-eval report")
    named = [files.index, files.html, files.markdown, files.correlations, files.leaderboard]
    named += [
        files.among,
        *files.over_seeds,
        *files.figures,
        *files.pages,
        files.index.with_name(LIST),
    ]
    written = [path for path in (tmp_path / "new" / "folder").rglob("*") if path.is_file()]
    assert sorted(written) == sorted(named)
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in written)
    assert "zoo-eval report" in files.html.read_text(encoding="utf-8")
    # A second report replaces the first.
    assert write_report(data, tmp_path / "new" / "folder") == files
    assert "written from Python" in files.html.read_text(encoding="utf-8")


def test_pages_of_models_that_are_gone_go_too(found, made, tmp_path):
    write_findings(found, tmp_path, made)
    (tmp_path / "models" / "mine.html").write_text("mine")
    files = write_findings(found, tmp_path, made, most_pages=2)
    of_models = {path for path in files.pages if path.parent.name == "models"}
    assert len(of_models) == 2
    there = set((tmp_path / "models").iterdir())
    assert there == of_models | {tmp_path / "models" / "mine.html"}


def test_processes_beside_this_one_change_no_byte(found, made, tmp_path):
    write_findings(found, tmp_path / "here", made)
    with side_processes(["zoo_eval.report"]) as beside:
        write_findings(found, tmp_path / "beside", made, beside=beside)
    here, there = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}
        for folder in (tmp_path / "here", tmp_path / "beside")
    )
    assert len(here) > 20
    assert there == here


def test_figures_are_png_pictures_one_per_score_with_values(found, made, tmp_path):
    files = write_findings(found, tmp_path, made)
    names = [
        "forest",
        "among",
        "scatter-dse",
        "scatter-activations",
        "scatter-naswot",
        "scatter-params",
        "scatter-snip-init",
        "scatter-snip-init-neutral",
        "scatter-dse-bandwidth-median",
    ]
    assert [f.name for f in files.figures] == [f"{n}.{kind}" for n in names for kind in KINDS]
    for path in files.figures[1::2]:
        assert ElementTree.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    for path in files.figures[::2]:
        with Image.open(path) as picture:
            picture.load()
            assert picture.format == "PNG"
            assert min(picture.size) > 300
            assert len(picture.convert("L").getcolors()) > 2  # not blank


def test_labels_that_look_like_mathematics_or_paths_are_drawn_as_they_are(store, made, tmp_path):
    scores = store.tables["scores"]
    scores["score"] = scores["score"].replace({"naswot": r"$\frac{", "leep": "../../leep"})
    scores.loc[scores["score"] == "../../leep", "value"] = 1.0
    scores.loc[scores["score"] == "params", "score"] = "???"
    found = findings(collect(store, store.DEFAULTS), resamples=20)
    files = write_findings(found, tmp_path / "report", made)
    assert {path.parent for path in files.figures} == {tmp_path / "report" / "figures"}
    assert all(path.is_file() for path in files.figures)
    assert len(set(files.figures)) == 2 * (len(found.drawable) + 2)


def test_correlations_csv_holds_every_statistic_unrounded(found, made, tmp_path):
    files = write_findings(found, tmp_path, made)
    back = pd.read_csv(files.correlations, index_col="score", keep_default_na=True)
    back.index = back.index.astype(object)
    back["undefined_because"] = back["undefined_because"].fillna("")
    pd.testing.assert_frame_equal(back, found.correlations, check_exact=True, check_dtype=False)


def test_among_csv_has_each_two_scores_once(found, made, tmp_path):
    files = write_findings(found, tmp_path, made)
    pairs = pd.read_csv(files.among)
    known = found.correlations.index[found.correlations["spearman_rho"].notna()].tolist()
    assert len(pairs) == len(known) * (len(known) - 1) // 2
    assert {*pairs["first"], *pairs["second"]} == {*known}
    line = pairs[pairs["n"] >= 3].iloc[0]
    both = found.leaderboard[[line["first"], line["second"]]].dropna().astype(float)
    assert line["n"] == len(both)
    assert line["spearman_rho"] == pytest.approx(both.corr("spearman").iloc[0, 1])


def test_leaderboard_csv(found, made, tmp_path):
    files = write_findings(found, tmp_path, made)
    assert (
        files.leaderboard.read_text(encoding="utf-8")
        == """\
model,fashion_top1,trusted,family,licence,params,dse,dse[bandwidth=median],snip @init,\
snip @init-neutral,naswot,leep,activations
c_large,0.85,,c,apache-2.0,9000000.0,5.0,3.0,6.0,-6.0,5.0,,9000000.0
b_large,0.82,,b,apache-2.0,8000000.0,4.0,5.0,4.0,-4.0,3.0,,8000000.0
a_large,0.8,False,a,apache-2.0,4000000.0,3.0,7.0,2.0,-2.0,,,5000000.0
c_small,0.75,,c,apache-2.0,3000000.0,3.5,4.0,6.0,-5.0,4.0,,4000000.0
b_small,0.72,True,b,apache-2.0,2000000.0,2.0,6.0,4.0,-3.0,,,2000000.0
a_small,0.7,True,a,apache-2.0,1000000.0,1.0,8.0,2.0,-1.0,,,3000000.0
<script>alert(1)</script>,0.65,,d,apache-2.0,7000000.0,0.1,1.0,8.0,-7.0,7.0,,7000000.0
d|odd,0.6,,d,apache-2.0,5000000.0,0.5,2.0,8.0,-8.0,6.0,,1000000.0
"""
    )


def test_tables_are_written_as_pandas_writes_them(found, made, tmp_path):
    files = write_findings(found, tmp_path, made)
    assert files.correlations.read_text(encoding="utf-8") == found.correlations.to_csv()
    assert files.leaderboard.read_text(encoding="utf-8") == found.leaderboard.to_csv()


def test_a_forest_of_many_scores_shows_the_strongest_and_says_so(found, made, tmp_path):
    assert forest_title(found) == f"Spearman ρ of every score with {found.truth}"
    rows = pd.concat([found.correlations] * 20)
    rows.index = [f"score{place}" for place in range(len(rows))]
    defined = rows.index[rows["spearman_rho"].notna()]
    many = replace(found, correlations=rows)
    assert len(defined) > MAX_LINES
    assert f"the {MAX_LINES} strongest of {len(defined)} scores" in forest_title(many)
    labels = [text.get_text() for text in forest_figure(many).axes[0].get_yticklabels()]
    assert labels == defined[:MAX_LINES].tolist()


def test_a_folder_that_is_a_file_is_refused(data, tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(
        ReportError, match=r"cannot be written to .*taken: Not a directory. Choose another folder"
    ):
        write_report(data, tmp_path / "taken")


def test_a_full_disk_leaves_the_old_page_and_no_debris(found, made, tmp_path, monkeypatch):
    old = write_findings(found, tmp_path, made).html.read_bytes()
    before = sorted(tmp_path.rglob("*"))

    def no_space(self, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", no_space)
    with pytest.raises(ReportError, match="No space left on device") as caught:
        write_findings(found, tmp_path, made)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "report.html").read_bytes() == old


def test_provenance_of_this_process():
    made = provenance("zoo-eval report")
    assert made.command == "zoo-eval report"
    assert datetime.now(UTC) - made.written < timedelta(minutes=1)
    assert made.versions["numpy"] == __import__("numpy").__version__
    assert list(made.versions)[:2] == ["python", "zoo-eval"]
