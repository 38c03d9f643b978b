"""The predecessors' clients, as their users wrote them: only the base URL is new, and where a service asked for no
key, that it may now be given one. Ends with 0 and one line when all is as it was; an assertion says what is not."""

import os
import sys
import uuid
from datetime import datetime

import requests

base = sys.argv[1]


def registry():
    url = base + "/compat/tenants/api/v1"
    token = {"Authorization": "Bearer " + os.environ["ADMIN_KEY"]}

    assert requests.get(url + "/ping", headers=token).json() == {"status": True, "message": "pong"}
    wrong = requests.get(url + "/ping", headers={"Authorization": "Bearer wrong"})
    assert (wrong.status_code, wrong.json()) == (401, {"detail": "Not authenticated"})
    none = requests.get(url + "/tenants")
    assert (none.status_code, none.json()) == (403, {"detail": "Not authenticated"})

    info = {"email": "keaton@example.com", "address": "30261 Tania Track, Kossside", "description": "Velit."}
    created = requests.post(url + "/tenants", headers=token, json={"tenant_info": info})
    assert created.ok, created.text
    number = created.json()["tenant_number"]
    assert f"{number}_" == created.json()["tenant_id"][: len(str(number)) + 1]

    listed = requests.get(url + "/tenants", headers=token).json()
    assert listed == ["1_acme", created.json()["tenant_id"]], listed
    shown = requests.get(f"{url}/tenants/{number}", headers=token).json()
    assert set(shown) == {"tenant_id", "tenant_number", "tenant_info", "created_at", "updated_at"}
    assert shown["tenant_info"] == info
    assert datetime.fromisoformat(shown["created_at"]).utcoffset().total_seconds() == 0

    put = requests.put(f"{url}/tenants/{number}", headers=token, json={"tenant_info": {"email": None}})
    assert (put.status_code, put.content) == (204, b"")
    assert requests.get(f"{url}/tenants/{number}", headers=token).json()["tenant_info"] == {"email": None}
    deleted = requests.delete(f"{url}/tenants/{number}", headers=token)
    assert (deleted.status_code, deleted.content) == (204, b"")
    for unknown in (number, -1):
        missing = requests.get(f"{url}/tenants/{unknown}", headers=token)
        assert missing.status_code == 404 and list(missing.json()) == ["detail"], missing.text


def key_values():
    url = base + "/compat/key-values"
    key = {"Authorization": "Bearer " + os.environ["TENANT_KEY"]}

    assert requests.get(url + "/health-check").text
    for headers in ({}, key):
        first = requests.post(url + "/set-value", json={"key": "code", "value": "first"}, headers=headers)
        assert first.status_code == 200, first.text
        requests.post(url + "/set-value", json={"key": "code", "value": "test"}, headers=headers)
        # A second read is one that was cached.
        for body in ({"key": "code"}, {"value": "code"}):
            got = requests.get(url + "/get-value", json=body, headers=headers)
            assert (got.status_code, got.json()) == (200, {"value": "test"}), got.text
        assert requests.get(url + "/get-value", params={"key": "code"}, headers=headers).json() == {"value": "test"}
        rows = requests.get(url + "/get-values", headers=headers).json()["value"]
        assert [(row["key"], row["value"]) for row in rows] == [("code", "test")], rows
        assert isinstance(rows[0]["id"], int)
        gone = requests.delete(url + "/delete-value", json={"key": "code"}, headers=headers)
        assert (gone.status_code, gone.content) == (204, b"")
        unknown = requests.get(url + "/get-value", json={"key": "code"}, headers=headers)
        assert (unknown.status_code, unknown.json()) == (200, {"value": None})

    for value in ("", "5", 5, 1.5, True, None, [1, "a"], {"a": {"b": []}}):
        requests.post(url + "/set-value", json={"key": "any", "value": value}).raise_for_status()
        assert requests.get(url + "/get-value", json={"key": "any"}).json() == {"value": value}
    bad = requests.post(url + "/set-value", json={"key": "code"})
    assert bad.status_code == 400 and "value" in bad.text and bad.headers["content-type"].startswith("text/plain")


def activity():
    url = base + "/compat/activity/api"
    session = requests.Session()
    session.headers["Authorization"] = "Bearer " + os.environ["TENANT_KEY"]
    event = {
        "component": "orders",
        "environment": "production",
        "message": "order failed",
        "email": "ada@example.com",
        "data": {"order": 4711},
    }

    assert requests.get(url + "/health").json() == {"status": "healthy"}
    stored = session.post(url + "/events", json=event)
    assert stored.status_code == 201, stored.text
    assert {name: stored.json()[name] for name in event} == event
    assert uuid.UUID(stored.json()["id"]).version == 4
    seconds = stored.json()["created_at"]
    assert isinstance(seconds, str) and abs(float(seconds) - datetime.now().timestamp()) < 3600

    empty = dict.fromkeys(event, "")
    broken = [empty] + [dict(event, **{name: ""}) for name in ("component", "message", "environment")]
    broken += [dict(event, email="nobody"), dict(event, data="{'order': ")]
    for body in broken:
        refused = session.post(url + "/events", json=body)
        assert refused.status_code == 400 and refused.json()["error"], refused.text
    unreadable = session.post(url + "/events", data='{"data": {"order": }}')
    assert unreadable.status_code == 400, unreadable.text

    session.post(url + "/events", json=dict(event, message="order paid")).raise_for_status()
    for path in ("/events", "/events/"):
        found = session.get(url + path).json()["events"]
        assert [one["message"] for one in found] == ["order paid", "order failed"], found
        everything = {name: event[name] for name in ("component", "environment", "email")}
        everything.update(message="FAILED", from_date="04-16-2021")
        found = session.get(url + path, params=everything).json()["events"]
        assert found == [stored.json()], found
        invalid = session.get(url + path, params={"from_date": "2021-04-16"})
        assert invalid.status_code == 400 and "MM-DD-YYYY" in invalid.json()["error"], invalid.text



def search():
    url = base + "/compat/search"
    session = requests.Session()
    session.headers["Authorization"] = "Bearer " + os.environ["TENANT_KEY"]
    span = {"starts_at": "2021-02-01T00:00:00", "ends_at": "2021-07-31T23:59:59"}

    answer = session.get(url + "/search", params=span)
    assert answer.status_code == 200, answer.text
    assert answer.json()["error"] is None, answer.text
    [event] = answer.json()["data"]["events"]
    assert uuid.UUID(event.pop("id"))
    assert event == {
        "title": "Camela en concierto",
        "start_date": "2021-06-30",
        "start_time": "21:00:00",
        "end_date": "2021-06-30",
        "end_time": "22:00:00",
        "min_price": 15.0,
        "max_price": 15.0,
    }, event
    for broken in ({}, {"starts_at": span["starts_at"]}, dict(span, ends_at="yesterday")):
        refused = session.get(url + "/search", params=broken)
        assert refused.status_code == 400, refused.text
        assert refused.json()["data"] is None and refused.json()["error"]["code"] == "400", refused.text


registry()
key_values()
activity()
search()
print("all is as it was")
