"""The Markdown report, compared as a whole."""

from pathlib import Path

from zoo_eval.report import collect, findings
from zoo_eval.report.markdown import to_markdown

FIGURES = {"Spearman ρ of every score": "figures/forest.png"}


def test_the_whole_report(found, made):
    expected = Path(__file__).with_name("expected_report.md").read_text(encoding="utf-8")
    assert to_markdown(found, made, FIGURES) == expected


def test_long_lists_are_cut_and_say_so(store, made):
    failures = store.tables["failures"]
    store.tables["failures"] = failures.loc[failures.index.repeat(23)]
    text = to_markdown(findings(collect(store, store.DEFAULTS), resamples=20), made, {})
    assert text.count("| broken |") == 20
    assert "3 more are in the store." in text


def test_names_cannot_break_a_table_or_add_markup(store, made):
    store.tables["failures"]["model"] = "x | y\n| `z` | *b* [a](b) <i> \\"
    text = to_markdown(findings(collect(store, store.DEFAULTS), resamples=20), made, {})
    assert r"| x \| y \| \`z\` \| \*b\* \[a\](b) &lt;i> \\ | pretrained |" in text
