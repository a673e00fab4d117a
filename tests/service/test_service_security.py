"""Who may do what, from where, how much and how often."""

import json
import logging
import time

import pytest

from tests.service.conftest import fill, problem_of, serving
from zoo_eval.service import ServiceOptions
from zoo_eval.service.identity import COOKIE, SESSION_S, in_session, knows, new_session
from zoo_eval.service.limits import RateLimit

HEALTH = "/api/v1/health"
TOKEN = "correct horse battery staple"
JOB = {"toml": "x"}


@pytest.fixture(scope="module")
def guarded(filled):
    with serving(ServiceOptions(filled, token=TOKEN, read_only=True)) as client:
        yield client


@pytest.fixture(autouse=True)
def no_cookies(guarded):
    yield
    guarded.cookies.clear()


def test_every_answer_has_the_security_headers(client):
    for address in (HEALTH, "/nosuch", "/login", "/api/v1/models?size=0"):
        headers = client.get(address).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:1", "127.0.0.1:80", "[::1]:80", "10.0.0.1"]
)
def test_our_hosts_are_served(client, host):
    assert client.get(HEALTH, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:80", "[::1", "", "a@b:c"])
def test_other_hosts_are_refused(client, host):
    detail = problem_of(client.get(HEALTH, headers={"Host": host}), 421)
    assert detail.endswith("start it with --host-name NAME for another name.")


def test_another_name_is_allowed_on_demand(filled):
    options = ServiceOptions(filled, hosts=("Zoo.example",), read_only=True)
    with serving(options) as client:
        assert client.get(HEALTH, headers={"Host": "zoo.EXAMPLE:8000"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Origin": "https://localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
    ],
)
def test_another_site_changes_nothing(writable, headers):
    for address in ("/api/v1/runs", "/api/v1/runs/x/cancel", "/login", "/nosuch"):
        detail = problem_of(writable.post(address, json=JOB, headers=headers), 403)
        assert detail.startswith("A page of another site (")
    assert writable.get("/api/v1/runs").json() == {"runs": []}


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://localhost"}, {"Origin": "http://localhost", "Sec-Fetch-Site": "none"}],
)
def test_our_own_pages_and_programs_do(writable, headers):
    detail = problem_of(writable.post("/api/v1/runs", json=JOB, headers=headers), 422)
    assert detail.startswith("job.toml is not valid TOML")


def test_a_token_is_needed(guarded):
    for address in (HEALTH, "/", "/api/v1/openapi.json", "/nosuch", "/loginx"):
        response = guarded.get(address)
        if address != "/loginx":
            detail = problem_of(response, 401)
            assert detail.startswith("A token is needed: the header `Authorization: Bearer TOKEN`")
            assert response.headers["www-authenticate"].startswith("Bearer")
            assert TOKEN not in response.text
    for wrong in ("", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ü"):
        headers = {"Authorization": wrong.encode()}
        problem_of(guarded.get(HEALTH, headers=headers), 401)
    problem_of(guarded.get(f"{HEALTH}?token={TOKEN}"), 401)
    assert guarded.get(HEALTH, headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200


def test_a_browser_logs_in(guarded, caplog):
    caplog.set_level(logging.DEBUG)
    response = guarded.get("/", headers={"Accept": "text/html"})
    assert (response.status_code, response.headers["location"]) == (303, "/login")
    assert "<form" in guarded.get("/login").text
    refused = guarded.post("/login", data={"token": "wrong"})
    assert refused.status_code == 401
    assert "This is not the token." in refused.text
    assert "set-cookie" not in refused.headers
    response = guarded.post("/login", data={"token": TOKEN})
    assert (response.status_code, response.headers["location"]) == (303, "/")
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert guarded.get(HEALTH).status_code == 200
    assert TOKEN not in caplog.text
    guarded.post("/logout", headers={"Origin": "http://localhost"})
    problem_of(guarded.get(HEALTH), 401)


def test_a_cookie_is_good_for_a_week(monkeypatch):
    cookie = new_session(TOKEN)
    assert in_session(TOKEN, cookie)
    assert not in_session("another token", cookie)
    issued, _, signature = cookie.partition(".")
    for forged in ("", ".", f"{issued}.", f"{int(issued, 16) + 1:x}.{signature}", f"x.{signature}"):
        assert not in_session(TOKEN, forged)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + SESSION_S + 1)
    assert not in_session(TOKEN, cookie)


def test_tokens_are_compared_whole():
    assert knows(TOKEN, TOKEN)
    for wrong in ("", TOKEN[:-1], f"{TOKEN} ", TOKEN.upper(), "\ud800"):
        assert not knows(TOKEN, wrong)


def test_guessing_is_slow(filled):
    with serving(ServiceOptions(filled, token=TOKEN, read_only=True)) as client:
        codes = [client.post("/login", data={"token": "x"}).status_code for _ in range(12)]
        assert codes == [401] * 10 + [429] * 2
        client.cookies[COOKIE] = new_session(TOKEN)
        assert client.get(HEALTH).status_code == 200


def test_read_only(client):
    for address in ("/api/v1/runs", "/api/v1/runs/x/cancel", "/api/v1/runs/x/retry"):
        detail = problem_of(client.post(address, json=JOB), 403)
        assert detail == "This service is read-only; it was started with --read-only."


def test_a_long_body_is_refused(writable):
    long = json.dumps({"toml": "x" * 1_000_000})
    detail = problem_of(writable.post("/api/v1/runs", content=long), 413)
    assert detail == "The body has 1,000,012 bytes; at most 1,000,000 are read."
    # without a stated length
    chunks = (b"x" * 100_000 for _ in range(11))
    headers = {"Content-Type": "application/json"}
    problem_of(writable.post("/api/v1/runs", content=chunks, headers=headers), 413)


def test_too_many_requests_are_refused(filled):
    options = ServiceOptions(filled, read_only=True, requests_per_s=0.01)
    with serving(options) as client:
        codes = [client.get(HEALTH).status_code for _ in range(7)]
        assert codes == [200] * 5 + [429] * 2
        response = client.get(HEALTH)
        assert "Too many requests of 127.0.0.1" in problem_of(response, 429)
        assert 1 <= int(response.headers["retry-after"]) <= 2


def test_a_bucket_fills_again(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    limit = RateLimit(2.0, 3.0)
    assert [limit.wait_s("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert limit.wait_s("b") == 0
    now[0] = 0.5
    assert [limit.wait_s("a") for _ in range(2)] == [0, 0.5]
    now[0] = 100.0
    assert [limit.wait_s("a") for _ in range(4)] == [0, 0, 0, 0.5]


def test_clients_are_forgotten():
    limit = RateLimit(1e9, 1.0)
    for client in range(20_001):
        limit.wait_s(str(client))
    assert len(limit._buckets) <= 10_000


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/nosuch", 404),
        ("GET", "/api/v1/runs/nosuch", 404),
        ("GET", "/api/v1/runs/nosuch/log", 404),
        ("GET", "/api/v1/runs/nosuch/events", 404),
        ("DELETE", "/api/v1/models", 405),
        ("PUT", "/login", 405),
    ],
)
def test_refusals_are_problem_details(writable, method, address, status):
    problem_of(writable.request(method, address), status)


def test_a_body_that_is_no_json_is_refused(writable):
    for content in (b"\xd2\xff", b"{", b""):
        headers = {"Content-Type": "application/json"}
        response = writable.post("/api/v1/runs", content=content, headers=headers)
        problem_of(response, 400 if content == b"\xd2\xff" else 422)


def test_allow_names_every_method(writable):
    assert writable.put("/api/v1/runs").headers["allow"] == "GET, POST"
    assert writable.put("/api/v1/runs/x/cancel").headers["allow"] == "POST"


def test_a_failure_of_ours_tells_a_client_nothing(filled, monkeypatch, caplog):
    with serving(ServiceOptions(filled, read_only=True)) as client:
        monkeypatch.setattr(client.app.state.live, "snapshot", None)
        response = client.get("/api/v1/models")
        text = "The service failed. Its own log says how; the request can be repeated."
        assert problem_of(response, 500) == text
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "AttributeError" in caplog.text
        monkeypatch.undo()


def test_an_unreadable_store_is_said_and_served_as_it_was(tmp_path):
    path = tmp_path / "r.duckdb"
    fill(path)
    with serving(ServiceOptions(path, read_only=True)) as client:
        path.write_bytes(b"no store")
        client.app.state.live.refresh()
        health = client.get(HEALTH)
        assert health.status_code == 503
        assert "is not a DuckDB file" in health.json()["detail"]
        assert client.get("/api/v1/models").json()["total"] == 6
