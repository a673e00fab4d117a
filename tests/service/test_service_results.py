"""What the API says of models, scores and values."""

import io
import time
from urllib.parse import quote

import pandas as pd
import pytest
from scipy import stats

from tests.service.conftest import HOSTILE, MODELS, RUN, TOP1, problem_of
from zoo_eval import Store

API = "/api/v1"


def rows(client, address: str) -> list[dict]:
    response = client.get(f"{API}/{address}")
    assert response.status_code == 200, response.text
    return response.json()["rows"]


def test_the_leaderboard_has_facts_accuracies_and_scores(client):
    answer = client.get(f"{API}/models").json()
    assert answer["total"] == 6
    assert {"model", "family", "fashion_top1", "real_top1", "naswot"} <= set(answer["columns"])
    found = {row["model"]: row for row in answer["rows"]}
    assert found.keys() == set(MODELS)
    assert found["net.b"]["fashion_top1"] == 0.8
    assert found["net.b"]["naswot"] == 1.0
    assert found["other.a"]["knn_accuracy"] is None
    assert found["last"]["real_top1"] is None
    assert [found[name]["trusted"] for name in ("net.a", "net.b")] == [False, None]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sort=-fashion_top1", [HOSTILE, "net.b", "other.a", "net.a", "last", "d|odd"]),
        ("sort=params&size=2&page=2", ["other.a", "d|odd"]),
        ("sort=-real_top1,model&size=6", [HOSTILE, "net.b", "other.a", "net.a", "d|odd", "last"]),
        ("q=NET.&sort=model", ["net.a", "net.b"]),
        ("family=net&family=other&sort=-params", ["other.a", "net.b", "net.a"]),
        ("where=params<=3000&where=fashion_top1>0.7&sort=model", ["net.b", "other.a"]),
        ("where=family!=net&where=params<5000&sort=model", ["d|odd", "other.a"]),
        (f"where=family={quote('=1+1')}", [HOSTILE]),
        ("where=knn_accuracy>=0&where=knn_accuracy!=0.5&sort=model&size=1", [HOSTILE]),
        ("page=1000000", []),
    ],
)
def test_the_leaderboard_is_sorted_filtered_and_paged(client, query, expected):
    assert [row["model"] for row in rows(client, f"models?{query}")] == expected


def test_columns_are_chosen(client):
    found = rows(client, "models?columns=naswot,params&sort=model&size=1")
    assert [list(row) for row in found] == [["model", "naswot", "params"]]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("sort=parms", "There is no column 'parms'. Did you mean 'params'?"),
        ("columns=nosuch", "There is no column 'nosuch'."),
        ("where=params", "where = 'params' must be a column, one of <= >= < > = !=, and a value."),
        ("where=params<=many", "where = 'params<=many': params is a number, 'many' is not."),
        ("where=family<b", "where = 'family<b': family is text, which takes only = and !=."),
        ("size=0", "query.size: should be greater than or equal to 1"),
        ("nosuch=1", "query.nosuch: Extra inputs are not permitted"),
        ("format=xlsx", "query.format: should be 'json', 'csv' or 'parquet'"),
    ],
)
def test_a_wrong_query_is_explained(client, query, detail):
    assert problem_of(client.get(f"{API}/models?{query}"), 422) == detail


@pytest.mark.parametrize(("kind", "read"), [("csv", pd.read_csv), ("parquet", pd.read_parquet)])
def test_tables_are_downloaded_whole(client, kind, read):
    response = client.get(f"{API}/models?format={kind}&size=1&sort=params&columns=fashion_top1")
    assert response.headers["content-disposition"] == f'attachment; filename="models.{kind}"'
    frame = read(io.BytesIO(response.content))
    assert frame["model"].tolist() == list(MODELS)
    assert frame["fashion_top1"].tolist() == list(TOP1)
    values = read(io.BytesIO(client.get(f"{API}/values?format={kind}&size=1").content))
    assert len(values) == 15


def test_a_model_with_its_ranks(client):
    answer = client.get(f"{API}/models/net.b").json()
    assert answer["siblings"] == ["net.a"]
    assert answer["accuracies"] == {"fashion_top1": 0.8, "real_top1": pytest.approx(0.7)}
    scores = {each["score"]: each for each in answer["scores"]}
    # naswot is 0 to 4, more is better: 1 is the last but one
    assert {k: scores["naswot"][k] for k in ("rank", "percentile", "models", "better")} == {
        **{"rank": 4, "percentile": 25.0, "models": 5, "better": "higher"}
    }
    # ntk_condition is 10 to 6, and the literature wants less: 9 is the last but one
    assert scores["ntk_condition"]["better"] == "lower"
    assert scores["ntk_condition"]["rank"] == 4
    assert scores["params"]["value"] == 2000
    assert "timm.create_model('net.b', pretrained=True)" in answer["snippet"]


def test_a_model_without_a_value_has_the_reason(client):
    scores = client.get(f"{API}/models/other.a").json()["scores"]
    knn = next(each for each in scores if each["score"] == "knn_accuracy")
    assert knn["undefined_because"] == "one class"
    assert knn["value"] is knn["rank"] is knn["percentile"] is None


def test_a_failed_model_has_its_attempts(client):
    answer = client.get(f"{API}/models/last").json()
    assert [try_["outcome"] for try_ in answer["attempts"]] == ["error"]
    assert answer["attempts"][0]["traceback"] == "Traceback: in its network"


def test_a_hostile_name_is_only_a_name(client):
    answer = client.get(f"{API}/models/{quote(HOSTILE, safe='')}").json()
    assert answer["model"] == HOSTILE
    assert answer["facts"]["family"] == "=1+1"
    for name in ("../../etc/passwd", "%00", "\u202e", "x" * 4000, "net", "NET.A"):
        response = client.get(f"{API}/models/{quote(name, safe='')}")
        assert "There is no model" in problem_of(response, 404)


def test_scores_with_coverage(client):
    answer = client.get(f"{API}/scores").json()["scores"]
    found = {line["label"]: line for line in answer}
    assert found["knn_accuracy"]["models"] == 4
    assert found["knn_accuracy"]["coverage"] == pytest.approx(4 / 6)
    assert found["naswot"]["seconds"] == 0.5
    assert found["naswot"]["weights"] == "init"
    assert found["ntk_condition"]["better"] == "lower"


def correlations(client, query: str = "") -> dict:
    for _ in range(100):
        response = client.get(f"{API}/correlations{query}")
        if response.status_code == 200:
            return response.json()
        assert response.status_code == 202
        assert response.headers["retry-after"] == "2"
        assert response.json()["detail"].startswith("The correlations are being computed.")
        time.sleep(0.1)
    raise AssertionError("no correlations")


def test_correlations_are_computed_in_the_background(client):
    answer = correlations(client)
    assert answer["truth"] == "fashion_top1"
    assert answer["truths"] == ["fashion_top1", "real_top1"]
    assert answer["current"]
    row = next(row for row in answer["rows"] if row["score"] == "naswot")
    assert row["spearman_rho"] == pytest.approx(stats.spearmanr(range(5), TOP1[:5]).statistic)
    assert correlations(client, "?truth=real_top1")["truth"] == "real_top1"
    detail = problem_of(client.get(f"{API}/correlations?truth=nosuch"), 422)
    assert detail == (
        "No model has the accuracy 'nosuch'; the store has: fashion_top1 (6 models), "
        "real_top1 (5 models)."
    )


def test_one_score(client):
    correlations(client)
    answer = client.get(f"{API}/scores/knn_accuracy").json()
    assert answer["here"]["label"] == "knn_accuracy"
    assert answer["definition"]["references"]
    assert answer["correlations"]["fashion_top1"]["n"] == 4
    assert answer["undefined"] == [{"reason": "one class", "n_models": 1, "example": "other.a"}]
    not_here = client.get(f"{API}/scores/dsmi").json()
    assert not_here["here"] is None
    assert not_here["definition"]["unit"] == "bits"
    assert "There is no score 'nosuch'" in problem_of(client.get(f"{API}/scores/nosuch"), 404)


def test_values_by_cursor(client, filled):
    expected = Store(filled).scores()
    seen, cursor = [], 0
    while cursor is not None:
        page = client.get(f"{API}/values?size=4&cursor={cursor}").json()
        seen += page["rows"]
        cursor = page["next"]
    assert page["total"] == len(seen) == len(expected) == 15
    assert [row["value"] for row in seen] == [
        None if pd.isna(value) else value for value in expected["value"]
    ]
    assert {row["run"] for row in seen} == {RUN}


def test_values_are_filtered(client):
    found = rows(client, "values?score=naswot&score=ntk_condition&model=net.a&weights=init")
    assert [(row["score"], row["value"]) for row in found] == [
        ("naswot", 0.0),
        ("ntk_condition", 10.0),
    ]
    assert rows(client, "values?dataset=nosuch") == []


def test_an_answer_is_not_sent_twice(client):
    first = client.get(f"{API}/models?sort=params")
    again = client.get(f"{API}/models?sort=params")
    assert again.content == first.content
    assert again.headers == first.headers
    tag = {"If-None-Match": first.headers["etag"]}
    unchanged = client.get(f"{API}/models?sort=params", headers=tag)
    assert unchanged.status_code == 304
    assert unchanged.content == b""


def test_health_and_metrics(client):
    health = client.get(f"{API}/health").json()
    assert (health["status"], health["models"], health["values"]) == ("ok", 6, 15)
    client.get("/nosuch/1")
    client.get("/nosuch/2")
    text = client.get(f"{API}/metrics").text
    assert "\nzoo_eval_models 6.0\n" in text
    assert "\nzoo_eval_failed_networks 1.0\n" in text
    count = 'zoo_eval_http_requests_total{method="GET",route="/api/v1/health",status="200"}'
    assert count in text
    assert "nosuch" not in text
