"""``knlite dead-letters list``: two lines for each, whatever a subscriber has answered."""

from knlite.cli.deadletters import letter_lines


def test_of_a_long_answer_the_first_line_is_shown() -> None:
    lines = letter_lines(
        {
            "at": "2026-01-02T10:00:00Z",
            "id": "1",
            "type": "order.paid",
            "egress": {"kind": "Trigger", "namespace": "shop", "name": "mail"},
            "state": "failed",
            "attempts": 4,
            "status": 404,
            "why": "nothing is served at mail.shop\nthere are:\n  http://localhost:8080",
            "sink": "",
            "again": "",
        }
    )
    assert "".join(text for text, _ in lines[1]).strip() == (
        "4 attempts, the last: 404 nothing is served at mail.shop"
    )
    assert len(lines) == 2
