"""Which characters the values of header fields of JMeter plans are sent with."""

from __future__ import annotations

from oracle import jmx_elements as e
from test_requests import only


def test_a_field_holds_what_iso_8859_1_has_and_question_marks_for_the_rest() -> None:
    # JMeter 5.5 sends this so.
    assert only(e.header_manager(X_A="a\u2011b\u00e9\u20ac") + e.request("/a")).headers == (("X-A", "a?b\u00e9?"),)


def test_control_characters_of_variables_in_a_field_are_blanks_or_question_marks() -> None:
    # Apache HttpClient; tests/oracle, headers-with-control-characters.
    fields = e.header_manager(X_A="1${v}2", X_B="\x85${__char(10,159,9)}.")

    found = only(fields + e.request("/a"), {"v": "a\nb\x85\u2713\u00e9"}).headers

    assert found == (("X-A", "1a b??\u00e92"), ("X-B", "? ?\t."))
