"""The report's pages, served."""

from urllib.parse import quote

import pytest

from tests.service.conftest import HOSTILE

PAGES = ["/", "/scores", "/scores/naswot", "/models/net.a", "/compare", "/runs", "/about"]


@pytest.mark.parametrize("address", PAGES)
def test_each_page_is_there_and_loads_nothing_from_elsewhere(client, address):
    response = client.get(address)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in response.headers["content-security-policy"]
    for beginning in ('src="http', 'src="//', "<script>alert", "onclick="):
        assert beginning not in response.text


@pytest.mark.parametrize("asset", ["style.css", "figures.js", "tables.js", "plotly.min.js"])
def test_what_pages_load_is_there(client, asset):
    assert client.get(f"/static/{asset}").status_code == 200


def test_the_query_sorts_and_filters(client):
    text = client.get("/", params={"sort": "family", "family": "net"}).text
    assert "net.a" in text
    assert "other.a" not in text
    assert "There is no column" in client.get("/", params={"sort": "nonsense"}).text


def test_a_hostile_name_has_its_page(client):
    response = client.get(f"/models/{quote(HOSTILE, safe='')}")
    assert response.status_code == 200
    assert "&lt;script&gt;alert(1)" in response.text


def test_what_is_not_there_is_said(client):
    for address in ("/models/nobody", "/scores/nothing"):
        response = client.get(address)
        assert response.status_code == 404
        assert address.rpartition("/")[2] in response.text


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
