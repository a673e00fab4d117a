"""`zoo-eval scores` as a person uses it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from zoo_eval.cli import main
from zoo_eval.scores import POOL_SCORES, SCORES

GOOD = '''\
import numpy as np
from zoo_eval.scores import score


@score(unit="features", higher_is_better=None)
def width(embeddings):
    """How wide the embeddings are.

    References:
        Nobody, https://example.org
    """
    return float(embeddings.shape[1])
'''
BAD = GOOD.replace("float(embeddings.shape[1])", "float(np.log(embeddings.std()))")


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """`call(*arguments)`: exit code, stdout and stderr, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["zoo-eval", "scores", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        code = ended.value.code
        return (code if isinstance(code, int) else 0), captured.out, captured.err

    return run


def refused(result: tuple[int, str, str]) -> str:
    """The one line of a refusal."""
    code, out, err = result
    assert (code, out) == (2, "")
    assert err.startswith("zoo-eval: ")
    assert err.count("\n") == 1
    return err.removeprefix("zoo-eval: ").strip()


# The list


def test_on_a_pipe_each_score_is_one_whole_line(call):
    code, out, _ = call()
    assert code == 0
    [line] = [line for line in out.splitlines() if line.startswith("logme ")]
    for part in ("transfer", "nats per image", "higher", "You et al.", SCORES["logme"].summary):
        assert part in line
    n = len(SCORES) + len(POOL_SCORES)
    assert f"{n} scores, {len(POOL_SCORES)} of them relative to the pool of models." in out
    assert len(out.splitlines()) == n + 4


@pytest.mark.parametrize("width", [80, 120])
def test_in_a_terminal_it_is_as_wide_as_the_terminal(call, monkeypatch, width):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(width))
    code, out, _ = call()
    assert code == 0
    lines = [line.rstrip() for line in re.sub("\x1b\\[[0-9;]*m", "", out).splitlines()]
    assert max(map(len, lines)) <= width
    for group in ("geometry", "information", "transfer", "zero_cost"):
        assert group in lines
    [line] = [line for line in lines if line.startswith("  logme ")]
    assert ("nats per image" in line) == (width == 120)


def test_pool_scores_are_listed_with_their_parts(call):
    rows = {row["name"]: row for row in json.loads(call("--json")[1])}
    assert rows.keys() == SCORES.keys() | POOL_SCORES.keys()
    assert rows["logme"]["kind"] == "score"
    assert rows["dse"]["options"].startswith("bandwidth='sqrt_dim'")
    for name, pooled in POOL_SCORES.items():
        assert rows[name]["kind"] == "pool score"
        assert rows[name]["needs"] == ", ".join(pooled.parts)
        assert rows[name]["cost"] == "that of its parts"


def test_references_are_not_cut_at_the_line_end(call):
    rows = {row["name"]: row for row in json.loads(call("--json")[1])}
    assert rows["snip"]["paper"].endswith("https://arxiv.org/abs/1810.02340")


def test_list_is_what_no_command_does(call):
    assert call("list") == call()
    assert call("list", "--json") == call("--json")


def test_help_says_both_ways(call):
    code, out, _ = call("--help")
    assert code == 0
    assert "`zoo-eval scores NAME` defines one" in out
    for command in ("list", "show", "new", "check"):
        assert f"\n  {command} " in out


# A definition


def test_a_definition(call):
    code, out, _ = call("logme")
    assert code == 0
    assert out.startswith("logme: a score of transfer\n\nunit    nats per image\nbetter  higher\n")
    assert "Log evidence" in out
    assert "https://arxiv.org/abs/2102.11005" in out
    assert call("show", "logme") == (code, out, "")
    assert json.loads(call("logme", "--json")[1])["name"] == "logme"


@pytest.mark.parametrize("name", sorted(POOL_SCORES))
def test_the_definition_of_a_pool_score_says_what_it_is_made_of(call, name):
    out = call(name)[1]
    assert out.startswith(f"{name}: a pool score of ")
    assert ", ".join(POOL_SCORES[name].parts) in out
    assert "over the models that have all that it needs" in out


def test_an_unknown_name(call):
    assert refused(call("logmee")) == (
        "There is no score 'logmee'; `zoo-eval scores` lists them. Did you mean 'logme'?"
    )


# A new one


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["embeddings", "network"])
def test_a_new_score_and_its_test_work_as_they_are(call, tmp_path, kind):
    code, out, _ = call("new", "my_score", "--kind", kind)
    assert code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"my_score.py", "test_my_score.py"}
    for command in ("pytest test_my_score.py", "zoo-eval scores check my_score:my_score"):
        assert f"  {command}\n" in out
        done = subprocess.run(
            [sys.executable, "-m", *command.replace("zoo-eval", "zoo_eval").split()],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert '[project.entry-points."zoo_eval.scores"]\n  my_score = "my_score"' in out


@pytest.mark.parametrize("kind", ["embeddings", "network"])
def test_a_new_score_conforms(call, kind):
    name = f"new_{kind}_score"
    assert call("new", name, "--kind", kind)[0] == 0
    code, out, _ = call("check", f"{name}:{name}")
    assert code == 0
    assert f"{name} passes " in out
    assert "CHANGE" in Path(f"{name}.py").read_text()


@pytest.fixture
def checkout(tmp_path):
    """The folders by which a checkout is known."""
    for group in ("transfer", "zero_cost"):
        (tmp_path / "zoo_eval" / "scores" / group).mkdir(parents=True)
        (tmp_path / "zoo_eval" / "scores" / group / "__init__.py").touch()
    (tmp_path / "tests" / "scores").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "group"),
    [
        ((), "transfer"),
        (("--kind", "network"), "zero_cost"),
        (("--kind", "network", "--group", "transfer"), "transfer"),
    ],
)
def test_in_a_checkout_it_goes_where_the_others_are(call, checkout, arguments, group):
    code, out, _ = call("new", "my_score", *arguments)
    assert code == 0
    score = checkout / "zoo_eval" / "scores" / group / "my_score.py"
    test = checkout / "tests" / "scores" / group / "test_my_score.py"
    assert f"Wrote {score.relative_to(checkout)}\n      {test.relative_to(checkout)}\n" in out
    assert "from zoo_eval.scores._score import " in score.read_text()
    assert f"from zoo_eval.scores.{group}.my_score import my_score" in test.read_text()
    assert "entry-points" not in out
    for path in (score, test):
        assert_in_style(path.relative_to(checkout), path.read_text())


def assert_in_style(path: Path, text: str) -> None:
    """Ruff finds nothing to change or to say if this text were in our repository."""
    ours = ("--config", 'lint.isort.known-first-party=["zoo_eval"]')  # though the file is not there
    for command in (("check", "--quiet", *ours), ("format", "--diff")):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", path, "-"],
            cwd=Path(__file__).parents[2],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_into_goes_before_the_checkout(call, checkout):
    (checkout / "mine").mkdir()
    _, out, _ = call("new", "my_score", "--into", "mine")
    assert (checkout / "mine" / "test_my_score.py").is_file()
    assert "  cd mine && zoo-eval scores check my_score:my_score\n" in out


def test_nothing_is_overwritten(call, tmp_path):
    (tmp_path / "test_my_score.py").write_text("mine")
    assert refused(call("new", "my_score")) == (
        "test_my_score.py exists, and nothing is overwritten; choose another name."
    )
    assert [path.name for path in tmp_path.iterdir()] == ["test_my_score.py"]
    assert (tmp_path / "test_my_score.py").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("MeanCosine",), "'MeanCosine' is not. 'mean_cosine' would do."),
        (("2nn",), "'2nn' is not. 'nn' would do."),
        (("class",), "'class' is not."),
        (("logme",), "There is a score 'logme' already, in zoo_eval.scores.transfer.logme"),
        (("labels",), "'labels' is what scores are computed from"),
        (("check",), "'check' is a command of `zoo-eval scores`"),
        (("statistics",), "which a file of that name would hide. Choose a longer name"),
        (("numpy",), "such as numpy_score."),
        (("sum",), "such as sum_score."),
        (("fine", "--group", "transfer"), "--group is for a checkout of zoo_eval"),
        (("fine", "--into", "nowhere"), "There is no folder nowhere"),
        (("fine", "--into", "/proc"), "/proc/fine.py cannot be written"),
    ],
)
def test_a_refusal_says_what_would_do(call, tmp_path, arguments, message):
    assert message in refused(call("new", *arguments))
    assert not list(tmp_path.iterdir())


def test_an_unknown_group(call, checkout):
    message = refused(call("new", "my_score", "--group", "weights"))
    assert message == "There is no group 'weights'; there are: transfer, zero_cost."


# Checking


def test_check_by_name(call):
    code, out, _ = call("check", "rankme")
    assert code == 0
    assert "ok  arrays.one_image" in out
    assert "rankme passes 33 checks." in out


def test_check_lists_what_fails_and_how_to_see_it_again(call, tmp_path):
    (tmp_path / "bad_width.py").write_text(BAD)
    code, out, _ = call("check", "bad_width:width")
    assert code == 1
    assert "PROBLEM  arrays.one_feature " not in out
    [line] = [line for line in out.splitlines() if "arrays.all_alike" in line]
    assert line.startswith("PROBLEM")
    assert "warned RuntimeWarning: divide by zero" in line
    assert 'again: width(**zoo_eval.conformance.inputs(width, "all_alike"))' in out
    assert "width fails 1 of 33 checks." in out
    code, out, _ = call("check", "bad_width:width", "--json")
    assert code == 1
    failed = [finding for finding in json.loads(out) if not finding["passed"]]
    assert [finding["name"] for finding in failed] == ["arrays.all_alike"]


def test_check_a_pool_score(call):
    name = min(POOL_SCORES)
    code, out, _ = call("check", name)
    assert code == 0
    assert "ok  pools.missing_part" in out


def test_what_cannot_be_checked(call, tmp_path):
    (tmp_path / "good_width.py").write_text(GOOD)
    (tmp_path / "broken_width.py").write_text("1 / 0")
    (tmp_path / "plain_width.py").write_text("def width(embeddings): return 1.0")
    assert "write `zoo-eval scores check good_width:good_width`" in refused(
        call("check", "good_width.py")
    )
    assert refused(call("check", "good_width:f")) == (
        "good_width:f is not a score; there is width."
    )
    assert "decorated with @score" in refused(call("check", "plain_width:width"))
    assert "cannot be imported: ZeroDivisionError: division by zero" in refused(
        call("check", "broken_width:width")
    )
    assert "No module named 'nosuch'" in refused(call("check", "nosuch:f"))
    assert "no score 'nosuch'" in refused(call("check", "nosuch"))
