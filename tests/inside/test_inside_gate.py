"""The gate that is put into a function's code: everything about the function stays, but for what it runs."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.inside.holdfast_inside import code_patch


def gated(function, instead=None):
    """Puts a gate into `function`; it calls `instead`, or what was there before."""
    original = code_patch.copy_of(function)
    function.__code__ = code_patch.gated_code(function.__code__, instead or original)
    return function


@st.composite
def signatures(draw):
    """Parameters as source text, and a call that fits them."""
    kinds = [draw(st.integers(0, 3)) for _ in range(4)]
    names = iter("abcdefghijklmnop")
    parameters, call = [], []
    positional_only, either, keyword_only = ([next(names) for _ in range(kinds[i])] for i in range(3))
    first_default = draw(st.integers(0, len(positional_only) + len(either)))
    for at, name in enumerate(positional_only + either):
        has_default = at >= first_default
        parameters.append(f"{name}={at}" if has_default else name)
        if not has_default or draw(st.booleans()):
            call.append(f"{at + 100}" if len(call) == at else f"{name}={at + 100}" * (name in either))
        if positional_only and at == len(positional_only) - 1:
            parameters.append("/")
    call = [argument for argument in call if argument]
    has_rest = draw(st.booleans())
    if has_rest:
        parameters.append("*rest")
    elif keyword_only:
        parameters.append("*")
    for name in keyword_only:
        has_default = draw(st.booleans())
        parameters.append(f"{name}='default'" if has_default else name)
        if not has_default or draw(st.booleans()):
            call.append(f"{name}='given'")
    if draw(st.booleans()):
        parameters.append("**more")
        call.append("surplus=1")
    return ", ".join(parameters), ", ".join(call)


@settings(deadline=None)  # a busy machine is not a failure
@given(signatures(), st.integers(0, 3), st.booleans())
def test_any_function_keeps_its_signature_its_closure_and_its_result(signature, free, is_async):
    parameters, call = signature
    closed_over = [f"free_{number}" for number in range(free)]
    source = [
        f"def around({', '.join(closed_over)}):",
        f"    {'async ' * is_async}def view({parameters}):",
        f"        return sorted(locals().items()), ({''.join(name + ', ' for name in closed_over)})",
        "    view.attribute = 7",
        f"    return view, lambda view: view({call})",
    ]
    namespace = {}
    exec("\n".join(source), namespace)
    view, call_it = namespace["around"](*range(free))
    before = inspect.signature(view), result(call_it(view)), inspect.iscoroutinefunction(view), vars(view)

    gated(view)

    assert (inspect.signature(view), result(call_it(view)), inspect.iscoroutinefunction(view), vars(view)) == before


def result(returned):
    return asyncio.run(returned) if inspect.iscoroutine(returned) else returned


def test_the_gate_gets_the_arguments_instead_of_the_function():
    def view(first, *rest, key="default", **more):
        raise AssertionError("the body ran")

    gated(view, lambda *args, **kwargs: (args, kwargs))

    assert view(1, 2, other=3) == ((1, 2), {"key": "default", "other": 3})


def test_super_and_nonlocal_work_in_a_held_view_as_before():
    class Parent:
        def name(self):
            return "parent"

    class Child(Parent):
        def name(self):
            nonlocal calls
            calls += 1
            return "child of " + super().name()

    calls = 0
    gated(Child.name)

    assert Child().name() == "child of parent"
    assert calls == 1


def test_a_wrong_call_is_refused_in_the_functions_own_words():
    def view(number):
        return number

    gated(view)

    try:
        view()
    except TypeError as error:
        assert "view() missing 1 required positional argument: 'number'" in str(error)  # noqa: PT017 - the text counts
    else:
        raise AssertionError("the call was accepted")


def test_the_innermost_function_is_found_through_everything_that_knows_it():
    def view():
        return "view"

    @functools.wraps(view)
    def decorated():
        return view()

    class Called:
        def __call__(self):
            return "called"

        @staticmethod
        def still():
            return "still"

    assert code_patch.innermost_function(view) is view
    assert code_patch.innermost_function(decorated) is view
    assert code_patch.innermost_function(functools.lru_cache(decorated)) is view
    assert code_patch.innermost_function(functools.partial(functools.partial(decorated), 1)) is view
    assert code_patch.innermost_function(Called()) is Called.__call__
    assert code_patch.innermost_function(Called().__call__) is Called.__call__
    assert code_patch.innermost_function(Called.__dict__["still"]) is Called.still


def test_the_innermost_function_is_found_through_decorators_that_do_not_tell_what_they_decorate():
    def view(request):
        return request

    def limited(function):
        def inner(*args, **kwargs):
            return function(*args, **kwargs)

        return inner

    def on_a_thread(function):
        async def inner(request):
            return await asyncio.to_thread(function, request)

        return inner

    class Limited:
        def __init__(self, function):
            self.function = function

        def __call__(self, *args, **kwargs):
            return self.function(*args, **kwargs)

    assert code_patch.innermost_function(limited(view)) is view
    assert code_patch.innermost_function(on_a_thread(limited(view))) is view
    assert code_patch.innermost_function(Limited(on_a_thread(view))) is view


def test_the_innermost_function_is_found_through_decorators_of_views_that_are_called_with_nothing():
    lock = threading.Lock()

    def view():
        return "view"

    def locked(function):
        def inner():
            with lock:
                return function()

        return inner

    def at_most(number):
        places = threading.Semaphore(number)

        def limited(function):
            def inner():
                with places:
                    return function()

            return inner

        return limited

    class Locks:
        def locked(self, function):
            def inner():
                return function()

            return inner

    assert code_patch.innermost_function(locked(view)) is view
    assert code_patch.innermost_function(at_most(3)(locked(view))) is view
    assert code_patch.innermost_function(Locks().locked(view)) is view


def test_a_part_of_the_work_of_a_view_that_is_called_with_nothing_is_not_taken_for_the_view():
    def load():
        return "rows"

    def application():
        def data():
            return "rows"

        def index():
            return data()

        return index

    def registering(function):
        def index():
            return function()

        views.append(index)

    views = [application()]
    registering(load)

    assert [code_patch.innermost_function(each) for each in views] == views


def test_what_a_view_calls_by_the_way_is_not_taken_for_the_view():
    def key():
        return "key"

    def render(template, request):
        return template, request

    def made(request):
        return key(), render("page", request)

    def choosing(first, second):
        def inner(*args, **kwargs):
            return (first or second)(*args, **kwargs)

        return inner

    chosen = choosing(key, render)

    assert code_patch.innermost_function(made) is made
    assert code_patch.innermost_function(chosen) is chosen


def test_an_object_that_is_not_a_python_function_is_left_alone():
    endless = functools.partial(print)
    endless.__wrapped__ = endless

    assert code_patch.innermost_function(print) is None
    assert code_patch.innermost_function(dict) is None
    assert code_patch.innermost_function(endless) is None
    assert code_patch.innermost_function(3) is None


def test_a_generators_body_does_not_run_where_it_is_called():
    def generator():
        yield 1

    async def async_generator():
        yield 1

    async def coroutine():
        return 1

    assert not code_patch.can_be_gated(generator)
    assert not code_patch.can_be_gated(async_generator)
    assert code_patch.can_be_gated(coroutine)
