import shutil
import subprocess

import pytest

from zoo_eval import provenance


def test_versions_of_what_has_a_say_in_the_numbers():
    import numpy as np

    found = provenance.versions()
    assert found["numpy"] == np.__version__
    assert list(found)[:2] == ["python", "zoo-eval"]


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_the_commit_is_that_of_our_checkout_and_of_no_other(tmp_path, monkeypatch):
    def git(*arguments):
        who = ["-c", "user.name=t", "-c", "user.email=t@localhost"]
        command = ["git", "-C", str(tmp_path), *who, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    for package in (tmp_path / "zoo_eval", tmp_path / "site-packages" / "zoo_eval"):
        package.mkdir(parents=True)
        (package / "provenance.py").write_text("")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message=first")

    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "zoo_eval" / "provenance.py"))
    assert provenance.git_commit() == git("rev-parse", "HEAD")
    (tmp_path / "zoo_eval" / "provenance.py").write_text("changed = True\n")
    assert provenance.git_commit() == git("rev-parse", "HEAD") + " with changes"
    elsewhere = tmp_path / "site-packages" / "zoo_eval" / "provenance.py"
    monkeypatch.setattr(provenance, "__file__", str(elsewhere))
    assert provenance.git_commit() == ""
