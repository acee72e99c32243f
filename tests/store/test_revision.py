"""The git revision of a project, and whether its files differ from that."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess

import pytest
from support.commandline import holdfast_in

from holdfast import store
from holdfast.model.revision import Revision
from holdfast.store import revision
from holdfast.store.revision import looking, revision_of

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="needs git")


@pytest.fixture(autouse=True)
def nobodys_configuration(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))


def git(directory, *arguments):
    command = ["git", "-c", "user.name=A", "-c", "user.email=a@example.invalid", *arguments]
    return subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def project(tmp_path):
    """A repository with one commit."""
    directory = tmp_path / "project"
    directory.mkdir()
    git(directory, "init", "-q", "-b", "main")
    (directory / "app.py").write_text("app = 1\n")
    git(directory, "add", "app.py")
    git(directory, "commit", "-q", "-m", "first")
    return directory


def found_in(directory):
    with looking(directory) as look:
        return look.found()


def test_a_clean_tree_has_its_commit(project):
    (project / "not tracked").touch()

    assert found_in(project) == Revision(git(project, "rev-parse", "HEAD"), changed=False)


@pytest.mark.parametrize("staged", [False, True])
def test_a_changed_file_is_told(project, staged):
    (project / "app.py").write_text("app = 2\n")
    if staged:
        git(project, "add", "app.py")

    assert found_in(project) == Revision(git(project, "rev-parse", "HEAD"), changed=True)


def test_a_directory_within_has_the_same(project):
    (project / "deep" / "er").mkdir(parents=True)

    assert found_in(project / "deep" / "er").commit == git(project, "rev-parse", "HEAD")


def test_a_worktree_has_its_own(project, tmp_path):
    git(project, "worktree", "add", "-q", "-b", "other", str(tmp_path / "worktree"))
    (tmp_path / "worktree" / "app.py").write_text("app = 3\n")
    git(tmp_path / "worktree", "commit", "-q", "-a", "-m", "second")

    assert found_in(tmp_path / "worktree").commit == git(tmp_path / "worktree", "rev-parse", "HEAD")
    assert found_in(project).commit != found_in(tmp_path / "worktree").commit


def test_without_a_repository_there_is_a_reason(tmp_path):
    assert found_in(tmp_path) == Revision(None, None, f"{tmp_path} is not in a git repository")


def test_without_a_commit_there_is_a_reason(tmp_path):
    git(tmp_path, "init", "-q")

    assert found_in(tmp_path) == Revision(None, None, "the repository has no commit yet")


def test_a_load_that_saves_itself_asks_git_once(project, tmp_path):
    """Its revision is the one at which it began."""
    noting, log = tmp_path / "bin" / "git", tmp_path / "log"
    noting.parent.mkdir()
    noting.write_text(f'#!/bin/sh\necho "$*" >> {log}\nexec {shutil.which("git")} "$@"\n')
    noting.chmod(0o755)
    path = {"PATH": f"{noting.parent}:{os.environ['PATH']}"}
    with holdfast_in(project) as holdfast, socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        holdfast.run("load", url, "--rate", "20", "--for", "1500ms", "--timeout", "100ms", env=path)
        (saved,) = store.saved_runs(holdfast.runs)

    assert log.read_text().count(" status ") == 1
    assert saved.revision == Revision(git(project, "rev-parse", "HEAD"), changed=False)


def test_a_damaged_repository_is_told_in_gits_own_words(tmp_path):
    (tmp_path / ".git").write_text("gitdir: nowhere\n")

    found = found_in(tmp_path)

    assert found.commit is None
    assert found.why.startswith("git says: fatal: ")


@pytest.mark.parametrize("packed", [False, True])
def test_without_the_git_command_the_commit_is_read_from_its_files(project, monkeypatch, packed):
    commit = git(project, "rev-parse", "HEAD")
    if packed:
        git(project, "pack-refs", "--all")
    monkeypatch.setenv("PATH", "/nonexistent")

    found = found_in(project)

    assert (found.commit, found.changed) == (commit, None)
    assert found.why.startswith("git cannot be run: ")


def test_a_git_that_does_not_answer_holds_nothing_up(project, monkeypatch, tmp_path):
    commit = git(project, "rev-parse", "HEAD")
    (tmp_path / "bin").mkdir()
    slow = tmp_path / "bin" / "git"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr(revision, "_PATIENCE_S", 0.05)

    assert found_in(project) == Revision(commit, None, "git did not answer within 0.05 s")


def test_no_program_of_the_repositorys_configuration_is_run(project, tmp_path):
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path / 'sprung'}\n")
    trap.chmod(0o755)
    git(project, "config", "core.fsmonitor", str(trap))

    found_in(project)

    assert not (tmp_path / "sprung").exists()


def test_a_person_may_name_a_commit_as_git_does(project):
    commit = git(project, "rev-parse", "HEAD")
    git(project, "tag", "v1")

    assert {revision_of(each, project) for each in ("HEAD", "main", "v1", commit[:7])} == {commit}
    assert revision_of("nothing", project) is None
    assert revision_of("--all", project) is None
