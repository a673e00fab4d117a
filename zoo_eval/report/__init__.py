"""The report: what a store says about its scores, as HTML, Markdown, CSV and PNG.

`collect` reads the store into `ReportData`, `findings` computes the statistics, and
`write_report` does both the computing and the writing. Data and statistics know nothing of
how they are shown.
"""

from zoo_eval.report.collect import ReportData, collect
from zoo_eval.report.ensembles import Ensembles
from zoo_eval.report.findings import Findings, findings
from zoo_eval.report.write import ReportFiles, write_report

__all__ = [
    "Ensembles",
    "Findings",
    "ReportData",
    "ReportFiles",
    "collect",
    "findings",
    "write_report",
]
