"""Which of the person's functions is taken for the view, told from one request that was watched."""

from __future__ import annotations

import functools
import operator
import sys
import threading
import time
import types
from concurrent.futures import ThreadPoolExecutor

import pytest

from holdfast.inside.holdfast_inside import finding, gate, own_code, request, view_functions, watch

FRAMEWORK = """
def call(function, *arguments):
    return function(*arguments)


def on_a_thread_of(threads):
    return lambda function: threads.submit(function).result()


def twice(function):
    return function()()


def endpoint(function):
    return function()


def in_turn(functions, response):
    def app(environ, start_response):
        for each in functions if environ["PATH_INFO"] == "/" else ():
            each(response)
    return app


def in_parts(function):
    return list(function())


class App:
    def __init__(self, views, hooks=(), middleware=None, call=call):
        self.views, self.hooks, self.middleware, self.call = views, hooks, middleware, call

    def __call__(self, environ, start_response):
        return self.middleware(self.dispatch, environ) if self.middleware else self.dispatch(environ)

    def dispatch(self, environ):
        for hook in self.hooks:
            hook()
        view = self.views.get(environ["PATH_INFO"])
        answer = "missing" if view is None else self.call(view)
        for hook in self.hooks:
            hook()
        return answer


def respond(environ):
    environ["start"]("200 OK")
    return "answer"
"""
LIBRARY = """
def convert(value, by):
    return by(value)
"""


@pytest.fixture
def installed(tmp_path):
    return modules_in(tmp_path)


def modules_in(tmp_path):
    """Two modules as an environment has them: a framework and a library."""
    found = []
    for name, source in (("framework", FRAMEWORK), ("library", LIBRARY)):
        path = tmp_path / "site-packages" / name / "__init__.py"
        path.parent.mkdir(parents=True)
        path.write_text(source)
        module = types.ModuleType(name)
        exec(compile(source, str(path), "exec"), vars(module))
        found.append(module)
    return found


def found_in(app, path="/", within=None):
    claim = request.RequestClaim(0, (1, 1, False))

    def start(status):
        pass

    environ = {"PATH_INFO": path, request.KEY: claim}
    with watch.watching(claim, sys._getframe(), frozenset(), within) as seen:
        app(environ, start)
        if seen.is_doubtful():
            app({"PATH_INFO": "/elsewhere"}, None)
    view = seen.view()
    return None if view is None else view.qualname.rpartition(".")[2]


def view():
    return helper()


def helper():
    return "answer"


def silent_hook():
    pass


def outspoken_hook():
    return True


def middleware(following, environ):
    return following(environ)


def test_a_function_that_the_framework_calls_is_the_view_and_not_what_it_calls_itself(installed):
    framework, _ = installed

    assert found_in(framework.App({"/": view})) == "view"


class Response:
    __slots__ = ("text",)


def test_of_several_that_return_nothing_the_one_that_changes_the_response_is_the_view(installed):
    framework, _ = installed
    response = Response()

    def slow_hook(response):
        time.sleep(0.02)

    def responder(response):
        response.text = "hello"

    assert found_in(framework.in_turn([slow_hook, responder, slow_hook], response)) == "responder"


def test_what_only_makes_the_function_that_answers_is_not_the_view(installed):
    framework, _ = installed

    def answering():
        pass

    def maker():
        return answering

    assert found_in(framework.App({"/": maker}, call=framework.twice)) == "answering"


def test_inside_an_endpoint_only_what_it_calls_is_the_view(installed):
    framework, _ = installed
    app = framework.App({"/": view}, hooks=[outspoken_hook], call=framework.endpoint)

    assert found_in(app, within=framework.endpoint) == "view"
    assert found_in(framework.App({"/": view}), within=framework.endpoint) is None


@pytest.mark.parametrize("hook", [silent_hook, outspoken_hook])
def test_what_is_called_for_every_path_is_not_the_view(installed, hook):
    framework, _ = installed

    assert found_in(framework.App({"/": view}, hooks=[hook])) == "view"


def test_a_view_that_returns_nothing_is_told_from_a_hook_by_a_path_that_does_not_exist(installed):
    framework, _ = installed

    def responder():
        pass

    assert found_in(framework.App({"/": responder}, hooks=[silent_hook])) == "responder"


def test_middleware_around_the_view_is_not_the_view(installed):
    framework, _ = installed

    assert found_in(framework.App({"/": view}, middleware=middleware)) == "view"


def test_middleware_in_front_of_the_framework_is_not_the_view(installed):
    framework, _ = installed
    inner = framework.App({"/": view})

    def application(environ, start_response):
        return inner(environ, start_response)

    assert found_in(application) == "view"


def test_a_start_response_that_middleware_has_made_is_not_the_view(installed):
    framework, _ = installed
    given = []
    inner = framework.App({"/": lambda: framework.respond(given[-1])})

    def application(environ, start_response):
        def noting(status):
            return start_response(status) or True

        given.append({**environ, "start": noting})
        return inner(environ, noting)

    assert found_in(application) == "<lambda>"


def test_what_a_library_calls_on_behalf_of_the_view_is_not_the_view(installed):
    framework, library = installed

    def converter(value):
        return value

    def converting():
        return library.convert("answer", converter)

    assert found_in(framework.App({"/": converting})) == "converting"


class Text(str):
    __slots__ = ()

    def __getattribute__(self, name):
        return str.__getattribute__(self, name)


def test_what_looking_at_the_persons_objects_runs_is_no_part_of_the_request(installed):
    framework, library = installed

    def asking():
        return library.convert(Text("answer"), operator.attrgetter("strip"))()

    assert found_in(framework.App({"/": asking})) == "asking"


def test_a_view_on_a_thread_is_found_with_the_framework_that_sent_it_there(installed):
    framework, _ = installed
    gate.surround(ThreadPoolExecutor.submit, gate.keeping_context)
    with ThreadPoolExecutor(1) as threads:
        threads.submit(threading.get_ident).result()

        assert found_in(framework.App({"/": view}, call=framework.on_a_thread_of(threads))) == "view"


def test_what_runs_everything_that_is_sent_to_threads_is_not_the_view(installed):
    framework, _ = installed

    def run(task):
        return task()

    with ThreadPoolExecutor() as some, ThreadPoolExecutor() as others:
        gate.keep_context_in_threads()

        def dispatch(environ, start_response):
            framework.on_a_thread_of(some)(functools.partial(run, str))
            return framework.on_a_thread_of(others)(functools.partial(run, view))

        assert found_in(dispatch) is None


def test_a_view_that_its_decorator_sends_to_a_thread_is_found_there(installed):
    framework, _ = installed
    gate.surround(ThreadPoolExecutor.submit, gate.keeping_context)
    with ThreadPoolExecutor(1) as threads:

        @functools.wraps(view)
        def decorated():
            return threads.submit(view).result()

        assert found_in(framework.App({"/": decorated})) == "view"


def test_a_generator_is_not_taken_because_it_cannot_be_held(installed):
    framework, _ = installed

    def parts():
        yield "answer"

    assert found_in(framework.App({"/": lambda: list(parts())})) == "<lambda>"
    assert found_in(framework.App({"/": parts}, call=framework.in_parts)) is None


def test_an_application_of_one_file_is_plain_and_one_that_leads_elsewhere_is_not(installed):
    framework, _ = installed
    inner = framework.App({"/": view})

    class Page:
        def __call__(self, *of_request):
            return [helper(), len(of_request)]

    def of_this_file(environ, start_response):
        return [helper(), sys.version]

    def leads_to_a_framework(environ, start_response):
        return inner(environ, start_response)

    assert own_code.plain_function(of_this_file) is of_this_file
    assert own_code.plain_function(Page()) is Page.__call__

    def imports_a_framework(environ, start_response):
        from not_loaded_yet import inner as found

        return found(environ, start_response)

    assert own_code.plain_function(leads_to_a_framework) is None
    assert own_code.plain_function(imports_a_framework) is None
    assert own_code.plain_function(inner) is None


def test_a_dictionary_that_another_thread_changes_meanwhile_is_looked_through():
    changing = {"handler": view}
    consts = types.SimpleNamespace(f_code=types.SimpleNamespace(co_consts=(view.__code__,)))

    def change(frame, event, _):
        if frame.f_code.co_filename != watch.made_by.__code__.co_filename:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            changing[len(changing)] = None
        return change

    before = sys.gettrace()
    sys.settrace(change)
    try:
        made = watch.made_by(consts, changing)
    finally:
        sys.settrace(before)

    assert len(changing) > 1
    assert made == {view.__code__}


def test_a_profiler_that_the_application_sets_meanwhile_stays():
    def profiles(*_):
        sys.setprofile(profiler)

    def profiler(*_):
        pass

    try:
        found_in(profiles)
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)


def test_a_profiler_of_the_persons_own_keeps_its_place(installed):
    framework, _ = installed
    seen = []
    sys.setprofile(lambda *of_event: seen.append(of_event[1]))
    try:
        assert found_in(framework.App({"/": view})) is None
        assert sys.getprofile() is not None
    finally:
        sys.setprofile(None)
    assert seen


def test_a_view_is_found_without_a_list_of_all_objects(monkeypatch):
    # Such a list refers to what a server is about to use: PyTuple_SetItem() fails while anything else does.
    def forbidden(*_):
        pytest.fail("all objects were listed")

    monkeypatch.setattr(view_functions.gc, "get_objects", forbidden)
    code = forbidden.__code__
    view = finding.View(code.co_firstlineno, 0, code.co_filename, code.co_name, code.co_name)

    assert view_functions.functions_of(view) == [forbidden]
