"""Silent clients on the command line of explain."""

from __future__ import annotations

import json

from support.commandline import Holdfast


def test_an_explanation_with_silent_clients_is_shown_saved_and_shown_again(holdfast: Holdfast) -> None:
    asked = ("--up-to", "0", "--max-offered", "20", "--silent", "--patience", "0.3s", "--json", "a.json")
    done = holdfast.run("explain", "--server", "flask", *asked, "--", "--no-threaded")

    assert done.exit == 0, done.err
    assert "that send nothing: 1 makes an ordinary request wait" in done.out
    found = json.loads((holdfast.directory / "a.json").read_text())
    again = json.loads(holdfast.run("show", str(found["run"]), "--json", "-").out)
    assert again["silent"] == found["silent"]
    assert [each["connections"] for each in again["silent"]["silences"]] == [1, 1, None, 1]


def test_patience_is_about_silent_clients(holdfast: Holdfast) -> None:
    done = holdfast.run("explain", "--server", "flask", "--patience", "3s")

    assert done.exit == 2
    assert "--silent" in done.err
