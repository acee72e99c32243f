"""The examples are what people try first: each is served and answers as its text says."""

from __future__ import annotations

import asyncio
import hashlib
import runpy
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from holdfast.model.answers import Answer

EXAMPLES = Path(__file__).parent.parent / "examples"
HOOKS = frozenset({"sign.py"})


def client_of(name: str) -> FlaskClient:
    app = runpy.run_path(str(EXAMPLES / name))["app"]
    assert isinstance(app, Flask)
    return app.test_client()


@pytest.mark.parametrize("name", ["hello.py", "async_hello.py"])
def test_a_hello_answers_at_the_root(name: str) -> None:
    assert client_of(name).get("/").text == "hello\n"


def test_every_example_has_an_application() -> None:
    names = [file.name for file in EXAMPLES.glob("*.py") if file.name not in HOOKS]

    assert len(names) >= 3
    assert all(callable(runpy.run_path(str(EXAMPLES / name))["app"]) for name in names)


@pytest.mark.parametrize("path", ["/items", "/awaiting", "/blocking", "/health", "/healthz"])
def test_every_view_of_the_items_answers(path: str) -> None:
    app = runpy.run_path(str(EXAMPLES / "items.py"))["app"]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))

    assert sent[0]["status"] == 200


def test_the_shop_serves_its_customers_and_turns_strangers_away() -> None:
    client = client_of("shop.py")
    customer = {"X-Customer": "ada"}

    assert client.get("/shop/items/2").status_code == 401
    assert client.get("/shop/items/2", headers=customer).json == {"name": "rocket skates", "number": 2}
    assert client.get("/shop/items/9", headers=customer).status_code == 404
    assert client.get("/shop/items", headers=customer).status_code == 200
    assert client.delete("/shop/items/2", headers=customer).status_code == 204
    assert client.get("/shop/items/2", headers=customer).status_code == 404


def test_orders_are_taken_if_they_are_json() -> None:
    client = client_of("orders.py")

    assert client.get("/").json == client.get("/slow").json == {"status": "ok"}
    assert client.post("/orders/7", json={"item": 2}).json == {"status": "ok", "number": 7, "order": {"item": 2}}
    assert client.post("/orders", json={"item": 2}).status_code == 201
    assert client.post("/orders", data="item 2").status_code == 400
    assert client.get("/orders/7").json == {"status": "ok", "number": 7}
    assert client.get("/users/ada").json == {"status": "ok", "name": "ada"}
    assert client.get("/latest").headers["Location"] == "/orders/7"


def test_a_basket_wants_the_token_or_the_cookie_of_a_log_in() -> None:
    client = client_of("orders.py")

    assert client.get("/basket").status_code == 401
    assert client.post("/login", data={}).status_code == 400
    token = client.post("/login", data={"name": "ada"}).json["token"]
    assert client.get("/basket").json["name"] == "ada"
    stranger = client_of("orders.py")
    assert stranger.get("/basket", headers={"Authorization": f"Bearer {token}"}).json["name"] == "ada"


def test_the_hook_signs_what_has_a_token() -> None:
    sign = runpy.run_path(str(EXAMPLES / "sign.py"))["sign"]

    def answer(body: bytes) -> Answer:
        return Answer("http://h/login", answered=True, status=200, message="OK", head="", body=body)

    assert sign(answer(b'{"status": "ok"}'), {"id": "7"}) == {}
    assert sign(answer(b'{"token": "a"}'), {"id": "7"}) == {"signature": hashlib.sha256(b"a 7").hexdigest()}
