"""The layout's rules, enforced on the source as text: who imports whom, and who may touch the world.

The rules themselves are the literals at the top; CONTRIBUTING.md draws the same picture.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

SOURCE = Path(__file__).parent.parent / "src"
MOST_LINES = 400
MOST_LINES_OF_AN_ADAPTER = 120

# Who may import whom. Every room may import itself, and all but `model` import `model` and `errors`. A room is a folder
# or a file at the top level.
MADE_OF = frozenset({"engine", "servers", "observe", "infer", "report"})
TOLD_BY = frozenset({"console", "live_terminal"})
SAVED = frozenset({"store", "runs_file"})
EDGES: dict[str, frozenset[str]] = {
    "model": frozenset(),
    "errors": frozenset(),
    # What acquisition is made of: these do not know each other, but all of them read `/proc`.
    "procfs": frozenset(),
    **dict.fromkeys(("servers", "observe"), frozenset({"procfs"})),
    "engine": frozenset({"procfs", "journeys"}),
    "plans": frozenset({"journeys"}),
    "jmeter": frozenset({"plans", "journeys"}),
    "journeys": frozenset(),
    # What follows from the record.
    **dict.fromkeys(("infer", "checks", "report"), frozenset()),
    "picture": frozenset({"infer"}),
    "page": frozenset({"picture", "report", "infer"}),
    # What everyone who runs something needs.
    **dict.fromkeys(("interrupts", "rundir", "runs_file", "console"), frozenset()),
    "live_terminal": frozenset({"console"}),
    "store": frozenset({"runs_file"}),
    # Acquisition: the world -> a record. These do not know each other either.
    "probing": MADE_OF | {"procfs", "interrupts", "rundir"},
    "attaching": MADE_OF | {"interrupts"},
    "loadtest": MADE_OF | TOLD_BY | {"interrupts", "journeys"},
    # What stands on top.
    "cluster": frozenset({"engine", "loadtest", "rundir", "procfs"}),
    "study": SAVED | {"probing", "explaining", "servers", "observe", "infer", "interrupts"},
    "explaining": SAVED | {"probing", "servers", "observe", "infer", "interrupts", "engine", "loadtest", "rundir"},
    "searching": frozenset({"probing", "observe", "infer", "interrupts", "engine", "loadtest", "procfs"}),
    "api": (
        MADE_OF | SAVED | {"searching", "checks", "journeys", "probing", "attaching", "loadtest", "explaining"}
    ).union(("console", "interrupts")),
    "pytest_plugin": frozenset({"api"}),
    "testing": frozenset({"probing", "servers", "observe", "infer", "interrupts"}),
    "cli": (MADE_OF | TOLD_BY | SAVED | {"api", "attaching", "searching", "checks", "cluster", "explaining"}).union(
        ("interrupts", "jmeter", "loadtest", "page", "picture", "plans", "probing", "study")
    ),
    "__main__": frozenset(),  # the file beside the package, which imports cli
    "__init__": frozenset({"api"}),  # names that it brings when they are used
}
# Of inference, acquisition knows what it steers by and no more; of journeys, the engine knows what walks say to it.
KNOWN_IN_PART = {
    "infer": ({"probing", "attaching"}, ("infer.signals", "infer.flow"), "only what it steers by"),
    "journeys": ({"engine"}, ("journeys.steps",), "only what they say to it"),
}
KNOWN_TO_ALL = frozenset({"model", "errors"})
AT_THE_TOP = TOLD_BY.union(("__main__", "errors", "interrupts", "rundir", "runs_file", "testing", "pytest_plugin"))

# Pure: no I/O, no clock, no randomness, nothing started, and nothing imported that does any of it. Of these rooms every
# file is; of the others, those that are named here and no more.
PURE_ROOMS = frozenset({"model", "errors", "infer", "checks", "report", "picture", "plans", "journeys", "jmeter"})
# fmt: off
PURE = frozenset({
    "api/extract_syntax.py", "api/option_values.py", "api/python_words.py", "api/references.py",
    "api/scenario_name.py", "api/texts.py", "api/toml_places.py",
    "attaching/unusable.py",
    "cli/asked.py", "cli/option_groups.py", "cli/sending_options.py", "cli/whole_number.py",
    "cluster/clocks.py", "cluster/frames.py",
    "engine/acceptance.py", "engine/answer_cache.py", "engine/arrivals.py", "engine/buckets.py",
    "engine/cookie_forms.py", "engine/embedded.py",
    "engine/events.py", "engine/exchange.py", "engine/frames.py", "engine/header_blocks.py", "engine/http1.py",
    "engine/http2.py", "engine/http2_begin.py", "engine/multiplex.py", "engine/parts.py", "engine/quantities.py",
    "engine/replies.py", "engine/reports.py", "engine/resending.py", "engine/sender.py", "engine/squeezing.py",
    "engine/stalls.py", "engine/status_advice.py", "engine/stream_replies.py", "engine/stream_reply.py",
    "engine/uploads.py", "engine/url.py", "engine/values.py", "engine/wide.py",
    "observe/activity.py", "observe/asleep.py", "observe/routes.py", "observe/sock_diag.py",
    "observe/socket_tables.py", "observe/starvation.py", "observe/tcp.py",
    "page/charts.py", "page/document.py", "page/lanes.py", "page/markdown.py", "page/of_capacity.py",
    "page/of_difference.py", "page/of_explanation.py", "page/of_load.py", "page/of_study.py", "page/of_verdict.py",
    "page/places.py", "page/words.py",
    "probing/ramp.py", "probing/ramp_let_in.py", "probing/ramp_pace.py", "probing/ramp_state.py", "probing/slots.py",
    "procfs/parse.py",
    "servers/adapter.py", "servers/address.py", "servers/aiohttp.py", "servers/bjoern.py", "servers/cheroot.py",
    "servers/command_line.py", "servers/config_layers.py", "servers/daphne.py", "servers/django.py",
    "servers/effective.py", "servers/eventlet.py", "servers/fastpysgi.py", "servers/flask.py", "servers/gevent.py",
    "servers/granian.py", "servers/gunicorn.py", "servers/gunicorn_timeouts.py", "servers/h2corn.py",
    "servers/hypercorn.py", "servers/mod_wsgi.py", "servers/no_program.py", "servers/python_constants.py",
    "servers/pyvoy.py",
    "servers/registry.py", "servers/sanic.py", "servers/shell_words.py", "servers/timeouts.py", "servers/tornado.py",
    "servers/twisted.py", "servers/uvicorn.py", "servers/uwsgi.py", "servers/uwsgi_layers.py", "servers/waitress.py",
    "servers/werkzeug.py", "servers/wsgiref.py",
    "store/schema_1.py",
    "study/flask_concurrency.py", "study/servers.py",
})
WORLD = frozenset({
    "asyncio", "concurrent", "ctypes", "fcntl", "http", "mmap", "multiprocessing", "os",
    "pathlib", "pty", "queue", "random", "resource", "secrets", "select", "selectors", "shutil", "signal",
    "socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "time", "urllib", "uuid",
    "holdfast_probe",  # where our own command lines begin
})
# fmt: on
# Of these modules, what only names things or works on text.
VOCABULARY = re.compile(r"pathlib\.Pure\w*|signal\.(SIG\w+|Signals)|http\.HTTPStatus|urllib\.parse\.\w+")
PARTLY_WORLD = frozenset({"pathlib", "signal"})
WORLD_FUNCTIONS = frozenset({"open", "input", "print", "__import__"})
# Methods whose call has an effect, or reads a clock, whatever they are called on.
# fmt: off
EFFECTS = frozenset({
    "now", "today", "utcnow", "accept", "bind", "connect", "connect_ex", "getsockopt", "listen", "mkdir", "read_bytes",
    "read_text", "recv", "recv_into", "rmdir", "sendall", "setsockopt", "touch", "unlink", "write_bytes", "write_text",
})
# fmt: on

# The one module that the server's processes and ours have in common, and who reads it.
LAYOUT = "holdfast.inside.holdfast_inside.layout"
# fmt: off
READS_LAYOUT = frozenset({
    "observe/record_reader.py", "observe/answers.py", "observe/elsewhere.py",
    "observe/startup_reports.py", "observe/workers_seen.py",
})
# What a person's application may be made of, imported in there only where it is already present; and servers
# that are started from Python code.
FRAMEWORKS = frozenset({
    "aiohttp", "asgiref", "bjoern", "django", "eventlet", "fastapi", "fastpysgi", "flask", "gevent",
    "litestar", "quart", "sanic", "starlette", "tornado", "werkzeug",
})
# fmt: on

KNOWS_NO_SERVER = ("engine", "infer")
SERVERS = re.compile(
    r"\b(gunicorn|uwsgi|pyuwsgi|waitress|uvicorn|hypercorn|granian|daphne|cheroot|bjoern|gevent|eventlet|h2corn|"
    r"mod_wsgi|fastpysgi|pyvoy|aiohttp|tornado|sanic|twisted|werkzeug|flask|django|fastapi|starlette|quart)\b",
    re.IGNORECASE,
)
SAYS_NOTHING = frozenset({"manager", "helper", "helpers", "util", "utils", "common", "base", "handler"})


class Import(NamedTuple):
    line: int
    target: str
    relative: bool = False


def imports(path: PurePosixPath, tree: ast.AST) -> list[Import]:
    """Every import of a file under `src/holdfast`, absolute, `from a import b` as `a.b`.

    `import signal` alone says little: in its stead stands what is used of it, `signal.SIGINT`.
    """
    package = ["holdfast", *path.parent.parts]
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [
                Import(node.lineno, alias.name)
                for alias in node.names
                if alias.asname or alias.name not in PARTLY_WORLD
            ]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in PARTLY_WORLD:
            found.append(Import(node.lineno, f"{node.value.id}.{node.attr}"))
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*start, *([node.module] if node.module else [])])
            found += [Import(node.lineno, f"{stem}.{alias.name}", node.level > 0) for alias in node.names]
    return found


def part_of(path: PurePosixPath) -> str:
    """`engine` for `engine/epoll.py`, `errors` for `errors.py`."""
    return path.parts[0].removesuffix(".py")


def may_touch_the_world(path: PurePosixPath) -> bool:
    return part_of(path) not in PURE_ROOMS and str(path) not in PURE


def forbidden_import(path: PurePosixPath, found: Import) -> str | None:
    """Why this file must not import that; None where it may."""
    part, target = part_of(path), found.target
    top, _, rest = target.partition(".")
    if part == "inside":
        own = found.relative and target.startswith("holdfast.inside.")
        # There it stands on PYTHONPATH beside the rest, and in front of a module of its own name.
        own = own or (path.parts[1] == "startup" and top in {"holdfast_inside", "sitecustomize"})
        return None if own or top in sys.stdlib_module_names | FRAMEWORKS else "inside is standard library only"
    if top == "holdfast":
        return forbidden_part(path, part, rest.partition(".")[0], target)
    if top in WORLD and not may_touch_the_world(path) and not VOCABULARY.fullmatch(target):
        return "a pure file does not touch the world"
    return None


def forbidden_part(path: PurePosixPath, part: str, imported: str, target: str) -> str | None:
    """The same, for an import of one of ours."""
    if imported == "inside":
        if target != "holdfast.inside" and not f"{target}.".startswith(f"{LAYOUT}."):
            return "of what runs in the server's process, only the layout of the records is ours to read"
        return None if str(path) in READS_LAYOUT else "it does not read the records"
    rooms, known, why = KNOWN_IN_PART.get(imported, ((), (), ""))
    if part in rooms and not f"{target}.".startswith(tuple(f"holdfast.{each}." for each in known)):
        return f"of {imported}, {part} knows {why}, {', '.join(known)}"
    if imported.startswith("__"):
        return None  # a name of the package itself, such as its version
    if imported == part or imported in EDGES.get(part, ()) or (imported in KNOWN_TO_ALL and part not in KNOWN_TO_ALL):
        return None
    return f"{part} must not know {imported}"


def words(name: str) -> set[str]:
    """The words of a CamelCase or snake_case name, in lower case."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def broken_imports(path: PurePosixPath, tree: ast.AST) -> Iterator[str]:
    for found in imports(path, tree):
        why = forbidden_import(path, found)
        if why:
            yield f"{path}:{found.line}: imports {found.target}: {why}"


def broken_purity(path: PurePosixPath, tree: ast.AST) -> Iterator[str]:
    if not may_touch_the_world(path):
        for line, name in world_calls(tree):
            yield f"{path}:{line}: calls {name}(): a pure file does not touch the world"


def world_calls(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(name)) if name in WORLD_FUNCTIONS:
                yield node.lineno, name
            case ast.Call(func=ast.Attribute(attr=name)) if name in EFFECTS:
                yield node.lineno, name


def broken_names(path: PurePosixPath, tree: ast.AST) -> Iterator[str]:
    if words(path.stem) & SAYS_NOTHING:
        yield f"{path}: the name says nothing"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and words(node.name) & SAYS_NOTHING:
            yield f"{path}:{node.lineno}: class {node.name}: the name says nothing"


def broken_text(path: PurePosixPath, lines: list[str]) -> Iterator[str]:
    if part_of(path) not in EDGES and part_of(path) != "inside":
        yield f"{path}: belongs to no room of the layout"
    if len(path.parts) == 1 and path.stem not in {"__init__", *AT_THE_TOP}:
        yield f"{path}: which room does it belong to?"
    most = MOST_LINES_OF_AN_ADAPTER if any(line.startswith("ADAPTER = ") for line in lines) else MOST_LINES
    if len(lines) > most:
        yield f"{path}: {len(lines)} lines, more than {most}"
    if part_of(path) in KNOWS_NO_SERVER:
        for number, line in enumerate(lines, 1):
            if match := SERVERS.search(line):
                yield f"{path}:{number}: names {match[0]}: {part_of(path)} knows no server"


def violations(path: PurePosixPath, source: str) -> list[str]:
    """Every rule that one file of `src/holdfast` breaks, as `path:line: what`.

    Args:
        path: relative to `src/holdfast`.
        source: its text.
    """
    tree = ast.parse(source)
    return [
        *broken_imports(path, tree),
        *broken_purity(path, tree),
        *broken_names(path, tree),
        *broken_text(path, source.splitlines()),
    ]


def tree_of(root: Path) -> dict[PurePosixPath, str]:
    package = root / "holdfast"
    return {PurePosixPath(file.relative_to(package)): file.read_text() for file in sorted(package.rglob("*.py"))}


@cache
def parsed_outside_of_servers() -> Mapping[PurePosixPath, ast.AST]:
    """The files of src but for those that run in the server's process."""
    return {path: ast.parse(source) for path, source in tree_of(SOURCE).items() if part_of(path) != "inside"}


def test_every_file_keeps_the_rules_of_the_layout() -> None:
    found = [violation for path, source in tree_of(SOURCE).items() for violation in violations(path, source)]

    assert not found, "\n".join(found)


def test_pure_files_are_named_and_no_others_are() -> None:
    sources = parsed_outside_of_servers()
    pure = {
        str(path)
        for path in sources.keys() - worldly(sources)
        if part_of(path) not in PURE_ROOMS and path.stem != "__init__"
    }

    assert pure == PURE, f"pure, not named: {sorted(pure - PURE)}; named, not pure: {sorted(PURE - pure)}"


def test_pure_rooms_import_nothing_that_touches_the_world() -> None:
    sources = parsed_outside_of_servers()
    found = sorted(str(path) for path in worldly(sources) if part_of(path) in PURE_ROOMS)

    assert not found, found


def test_no_file_imports_itself_by_way_of_others() -> None:
    sources = parsed_outside_of_servers()
    left = {path: imported_files(path, tree, sources) for path, tree in sources.items()}
    while free := [path for path, imported in left.items() if not imported & left.keys()]:
        for path in free:
            del left[path]

    assert not left, f"these import each other: {sorted(map(str, left))}"


def worldly(sources: Mapping[PurePosixPath, ast.AST]) -> set[PurePosixPath]:
    """The files that touch the world themselves, and all that import one of these."""
    found = {path for path, tree in sources.items() if touches_the_world(path, tree)}
    imported = {path: imported_files(path, tree, sources) for path, tree in sources.items()}
    while more := {path for path in sources.keys() - found if imported[path] & found}:
        found |= more
    return found


def imported_files(path: PurePosixPath, tree: ast.AST, sources: Mapping[PurePosixPath, ast.AST]) -> set[PurePosixPath]:
    found = set()
    for each in imports(path, tree):
        names = each.target.split(".")[1:] if each.target.startswith("holdfast.") else []
        while names and PurePosixPath(*names).with_suffix(".py") not in sources:
            names.pop()
        if names:
            found.add(PurePosixPath(*names).with_suffix(".py"))
    return found - {path}


def touches_the_world(path: PurePosixPath, tree: ast.AST) -> bool:
    named = [found.target for found in imports(path, tree) if not VOCABULARY.fullmatch(found.target)]
    return any(name.partition(".")[0] in WORLD for name in named) or any(world_calls(tree))
