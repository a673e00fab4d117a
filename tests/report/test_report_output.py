"""A report's folder: old pages go, and only what a report wrote."""

import pytest

from zoo_eval.report.output import LIST, Output


def write(folder, *names):
    with Output(folder) as output:
        for name in names:
            output.write(name, name.encode())


def there(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_what_is_no_longer_written_goes_and_what_others_wrote_stays(tmp_path):
    write(tmp_path, "index.html", "models/a.html", "models/b.html", "scores/s.html")
    (tmp_path / "models" / "mine.txt").write_text("mine")
    write(tmp_path, "index.html", "models/a.html")
    assert there(tmp_path) == sorted(["index.html", "models/a.html", "models/mine.txt", LIST])
    assert not (tmp_path / "scores").exists()
    assert (tmp_path / LIST).read_text() == "index.html\nmodels/a.html\n"


def test_a_folder_without_a_list_loses_nothing(tmp_path):
    (tmp_path / "index.html").write_text("of an older zoo_eval")
    (tmp_path / "old.html").write_text("old")
    write(tmp_path, "index.html")
    assert there(tmp_path) == sorted(["index.html", "old.html", LIST])


def test_a_report_that_failed_removes_nothing_and_knows_all_it_left(tmp_path):
    write(tmp_path, "index.html", "models/a.html")
    (tmp_path / "taken").write_text("a file, and no folder")
    with pytest.raises(FileExistsError):
        write(tmp_path, "models/b.html", "taken/c.html")
    (tmp_path / "taken").unlink()
    assert there(tmp_path) == sorted(["index.html", "models/a.html", "models/b.html", LIST])
    write(tmp_path, "index.html")
    assert there(tmp_path) == sorted(["index.html", LIST])


def test_a_list_cannot_lead_out_of_the_folder(tmp_path):
    outside, folder = tmp_path / "outside", tmp_path / "report"
    outside.mkdir()
    (outside / "a.html").write_text("kept")
    (outside / "b.html").write_text("kept")
    folder.mkdir()
    (folder / "models").symlink_to(outside)
    names = ["../outside/a.html", str(outside / "a.html"), "models/b.html", "models", ""]
    (folder / LIST).write_text("\n".join(names))
    write(folder, "index.html")
    assert there(outside) == ["a.html", "b.html"]
    assert (folder / "models").is_symlink()
