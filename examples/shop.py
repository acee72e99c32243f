"""A small shop, built like a real application: a factory, a blueprint, a decorator, a class-based view.

`holdfast probe examples/shop.py --server flask --path /shop/items/2 -H "X-Customer: ada"` holds requests inside
`Item.get()`, behind the decorator that rejects requests without a customer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, ParamSpec

from flask import Blueprint, Flask, abort, jsonify, request
from flask.typing import ResponseReturnValue
from flask.views import MethodView

P = ParamSpec("P")

STOCK = {1: "anvil", 2: "rocket skates", 3: "giant magnet"}

shop = Blueprint("shop", __name__, url_prefix="/shop")


def customers_only(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Reject requests without the header X-Customer."""

    @wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if "X-Customer" not in request.headers:
            abort(401)
        return view(*args, **kwargs)

    return checked


class Item(MethodView):
    """An item in stock."""

    decorators: ClassVar[list[Callable[..., Any]]] = [customers_only]

    def get(self, number: int) -> ResponseReturnValue:
        """Return the item's number and name; 404 if it is not in stock."""
        if number not in STOCK:
            abort(404)
        return jsonify(number=number, name=STOCK[number])

    def delete(self, number: int) -> ResponseReturnValue:
        """Remove the item from stock."""
        if STOCK.pop(number, None) is None:
            abort(404)
        return "", 204


shop.add_url_rule("/items/<int:number>", view_func=Item.as_view("item"))


@shop.get("/items")
@customers_only
def items() -> ResponseReturnValue:
    return jsonify(STOCK)


def create_app() -> Flask:
    """Create the application, as a server's `--factory` option or a test does."""
    application = Flask(__name__)
    application.register_blueprint(shop)
    return application


app = create_app()
