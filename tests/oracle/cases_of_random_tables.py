"""Cases of a plug-in's Random CSV Data Set."""

from __future__ import annotations

import jmx_elements as e
from cases_of_controllers import loop
from oracle_case import Case, seen
from plans.writing import element, group, text, variables

FILES = {
    "rows.csv": b'a,1\n"b,b",2\nc,3\n',
    "short.csv": b"a,1\nb\n\nc,3\n\n",
    "users.csv": b"user,pass\nann,1\nben,2\n",
}
_USUAL = {"randomOrder": "false", "ignoreFirstLine": "false", "rewindOnTheEndOfList": "true"}


def _rows(file: str, names: str = "q,w", **said: str) -> str:
    texts = {"filename": file, "fileEncoding": "UTF-8", "delimiter": ",", "variableNames": names}
    flags = {**_USUAL, "independentListPerThread": "false", **said}
    return element(
        "com.blazemeter.jmeter.RandomCSVDataSetConfig",
        "Rows",
        *[text(name, value) for name, value in texts.items()],
        *[f'<boolProp name="{name}">{on}</boolProp>' for name, on in flags.items()],
    )


def of_random_tables() -> list[Case]:
    """In the order of the file, and by chance."""
    shown = seen("q", "w", "user", "pass")
    orders = (
        _rows("rows.csv"),
        _rows("rows.csv", rewindOnTheEndOfList="false"),
        _rows("short.csv"),
        _rows("users.csv", ""),
        _rows("users.csv", ignoreFirstLine="true"),
        _rows("rows.csv", "q, w"),
        _rows("rows.csv") + _rows("rows.csv", "user,pass"),
        loop("2", _rows("rows.csv", independentListPerThread="true") + shown),
    )
    begin = variables(user="U", q="Q", w="W", **{"pass": "P"})
    return [
        Case(
            "random-csv-in-order",
            "Random CSV Data Set (plug-in): in the order of the file",
            begin
            + "".join(
                group(e.header_manager(X_G=str(number)) + each + shown, loops="7", name="group")
                for number, each in enumerate(orders)
            ),
            whole=True,
            files=FILES,
        ),
        Case(
            "random-csv-by-chance",
            "Random CSV Data Set (plug-in): by chance, all rows before one comes again",
            begin + _rows("rows.csv", randomOrder="true") + shown,
            loops="6",
            ordered=False,
            files=FILES,
        ),
        Case(
            "random-csv-by-chance-ends",
            "Random CSV Data Set (plug-in): by chance, each row once",
            begin + _rows("rows.csv", randomOrder="true", rewindOnTheEndOfList="false") + shown,
            loops="6",
            threads="2",
            ordered=False,
            files=FILES,
        ),
    ]
