"""The report's pages, served."""

from urllib.parse import quote

import pytest

from tests.report.pages.document import Document, Table
from tests.service.conftest import HOSTILE, problem_of
from tests.service.test_service_snapshot import wait_for

PAGES = [
    *("/", "/scores", "/scores/naswot", "/predictions", "/predictions?method=trees"),
    *("/models/net.a", "/compare", "/runs", "/rank", "/about"),
]


@pytest.mark.parametrize("address", PAGES)
def test_each_page_is_there_and_loads_nothing_from_elsewhere(client, address):
    response = client.get(address)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in response.headers["content-security-policy"]
    for beginning in ('src="http', 'src="//', "<script>alert", "onclick="):
        assert beginning not in response.text


@pytest.mark.parametrize(
    "asset", ["style.css", "figures.js", "tables.js", "pending.js", "plotly.min.js"]
)
def test_what_pages_load_is_there(client, asset):
    assert client.get(f"/static/{asset}").status_code == 200


def test_the_query_sorts_and_filters(client):
    text = client.get("/", params={"sort": "family", "family": "net"}).text
    assert "net.a" in text
    assert "other.a" not in text
    assert "There is no column" in client.get("/", params={"sort": "nonsense"}).text


def test_pages_are_judged_by_the_accuracy_that_is_asked_for(client):
    def text(address):
        return client.get(address, params={"truth": "real_top1"}).text

    wait_for(lambda: "Which score predicts real_top1?" in text("/"))
    table = Table(text("/"), "leaderboard")
    assert table.titles[1] == "real_top1"
    assert table.rows[0][1] == "0.750"  # the best of five
    # Every link leads on to the same accuracy, but those to the other accuracies.
    links = [e["href"] for e in Document(text("/scores")).all("a") if "judged" not in e["href"]]
    shown = [href for href in links if href.startswith(("/scores/", "/?", "/compare"))]
    assert shown
    assert all("truth=" in href for href in shown)
    assert '<input type="hidden" name="truth" value="real_top1">' in text("/")
    assert "/?sort=params&amp;truth=fashion_top1" in client.get("/?sort=params").text
    assert text("/leaderboard.csv").startswith("model,real_top1,")
    for address in PAGES:
        mark = "&" if "?" in address else "?"
        response = client.get(f"{address}{mark}truth=nosuch")
        assert response.status_code == (200 if address in ("/runs", "/rank") else 404), address
    assert "No model has the accuracy" in client.get("/?truth=nosuch").text


def test_a_score_page_gets_its_details(client):
    text = wait_for(
        lambda: (
            "data-pending" not in (got := client.get("/scores/naswot").text)
            and 'id="subsets"' in got
            and got
        )
    )
    truths = Table(text, "truths")
    assert [row[0] for row in truths.rows] == ["fashion_top1", "real_top1"]
    assert truths.hrefs["real_top1"] == "/scores/naswot?truth=real_top1"
    headers = wait_for(lambda: (got := client.get("/scores/naswot").headers).get("etag") and got)
    tag = {"If-None-Match": headers["etag"]}
    assert client.get("/scores/naswot", headers=tag).status_code == 304


def test_predictions_say_why_there_are_none(client):
    def answer():
        response = client.get("/api/v1/predictions")
        return response.status_code == 200 and response.json()

    found = wait_for(answer)
    assert "takes models of 10 families with fashion_top1, but there are 5" in found["verdict"]
    assert found["current"] is True
    assert found["beats_size"] is None
    assert found["rows"] == []
    assert "there are 5" in client.get("/predictions").text
    assert client.get("/predictions?method=magic").status_code == 404
    problem_of(client.get("/api/v1/predictions?method=magic"), 422)
    assert "nosuch" in problem_of(client.get("/api/v1/predictions?truth=nosuch"), 422)


def test_a_hostile_name_has_its_page(client):
    response = client.get(f"/models/{quote(HOSTILE, safe='')}")
    assert response.status_code == 200
    assert "&lt;script&gt;alert(1)" in response.text


def test_what_is_not_there_is_said(client):
    for address in ("/models/nobody", "/scores/nothing"):
        response = client.get(address)
        assert response.status_code == 404
        assert address.rpartition("/")[2] in response.text


def test_a_browser_gets_a_page_where_there_is_nothing(client):
    page = client.get("/nosuch", headers={"Accept": "text/html,*/*"})
    assert page.status_code == 404
    assert "There is nothing at this address" in page.text
    assert 'href="/scores"' in page.text
    assert "nothing at this address" in problem_of(client.get("/nosuch"), 404)
    problem_of(client.get("/api/v1/nosuch", headers={"Accept": "text/html"}), 404)


def test_columns_that_are_the_usual_ones_are_no_choice(client):
    usual = Table(client.get("/").text, "leaderboard").titles
    boxes = Document(client.get("/").text).all("input", name="column")
    columns = [box["value"] for box in boxes if "checked" in box]
    page = client.get("/", params={"column": columns, "sort": "params"})
    assert Table(page.text, "leaderboard").titles == usual
    assert "/?sort=params&amp;truth=real_top1" in page.text
    chosen = client.get("/", params={"column": ["params"], "sort": "params"})
    assert "/?column=params&amp;sort=params&amp;truth=real_top1" in chosen.text


def test_a_view_can_be_downloaded(client):
    text = client.get("/leaderboard.csv").text
    assert text.startswith("model,")
    assert "net.a" in text
    for address in ("/leaderboard.csv", "/api/v1/models?format=csv"):
        assert ",'=1+1," in client.get(address).text, "a spreadsheet takes it for a formula"
    assert client.get("/leaderboard.parquet").content[:4] == b"PAR1"
    assert client.get("/leaderboard.xlsx").status_code == 404


def test_a_store_without_scores_says_what_to_do(writable):
    assert "no scores yet" in writable.get("/").text


def test_a_job_is_refused_with_its_text_kept(writable):
    page = writable.post("/runs", data={"name": "", "toml": "manifest = 'missing'"})
    assert page.status_code == 422
    assert "manifest = &#39;missing&#39;" in page.text


def test_no_form_where_nothing_may_be_changed(client):
    assert "<textarea" not in client.get("/runs").text
    assert client.post("/runs", data={"toml": ""}).status_code == 403
