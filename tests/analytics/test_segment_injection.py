"""Two hundred hostile texts in every place where a definition takes a text: each is that text and nothing else."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from jinja2 import Environment

from analytics.segment_leaves import PUBLISHED
from analytics.segment_rules import compile_segments
from models.keys import normalise_event_type
from models.segment import SegmentDefinition
from tests.analytics.builders import DAY_0, TinyWarehouse, event, key

_PARTS = (
    *("'", "''", '"', "\\", "\\'", "`", ";", "--", "/*", "*/", "#", "%", "_", "{{ 7 * 7 }}", "{% raw %}", "{# x #}"),
    *("}}", "{", "$1", "$as_of", "?", ":name", "@x", "\n", "\r\n", "\t", "\u2028", "\x1b[31m", "é", "e\u0301", "日本"),
    *("\U0001f600", "ﬁ", "\u202e", "\ufeff", "$.a", "/a", "a.b", "[0]", "*", "NULL", "true", "1e3", "now - 30d"),
)
_WHOLE = (
    *("x'; drop table event; --", "x' or '1'='1", "x') or true --", "' union select * from person --", "\\'; select 1"),
    *(
        "'||(select version())||'",
        "chr(39)",
        "' || chr(39) || '",
        "E'\\x27'",
        "x'41'",
        "$$x$$",
        "$tag$x$tag$",
        "U&'\\0027'",
    ),
    *(
        "{{ env_var('HOME') }}",
        "{{ ref('event') }}",
        "{%- set x = 1 -%}",
        "{% endmacro %}",
        "{{ 'a' ~ 'b' }}",
        "${x}",
        "%(x)s",
    ),
)
TEXTS = tuple(
    dict.fromkeys((*_PARTS, *_WHOLE, *(f"{one}{other}" for one, other in itertools.product(_PARTS, "'\\{"))))
)[:200]
EVENT_TYPES = tuple(dict.fromkeys(normalise_event_type(text) for text in TEXTS if normalise_event_type(text)))

RULES: dict[str, Callable[[str], dict[str, Any]]] = {
    "eventType": lambda text: {"eventType": text},
    "where": lambda text: {
        "eventType": "noted",
        "where": [{"property": "note", "operator": "equals", "value": text}],
    },
    "equals": lambda text: {"property": "note", "operator": "equals", "value": text},
    "in": lambda text: {"property": "note", "operator": "in", "value": [text, "elsewhere"]},
    "starts_with": lambda text: {
        "all": [
            {"property": "note", "operator": "starts_with", "value": text},
            {"property": "note", "operator": "contains", "value": text},
            {"property": "note", "operator": "not_in", "value": [f"{text}{other}" for other in "'\\{"]},
        ]
    },
}


@pytest.mark.parametrize("field", RULES)
def test_a_text_is_only_ever_that_text(field: str) -> None:
    """Everybody notes one text; each segment asks for one, and finds who noted it."""
    texts = EVENT_TYPES if field == "eventType" else TEXTS
    assert len(texts) > 150
    warehouse = TinyWarehouse(
        [
            event(f"p{n}", text if field == "eventType" else "noted", "d0", properties={"note": text})
            for n, text in enumerate(texts)
        ],
        properties=[(f"p{n}", "note", text, DAY_0, None) for n, text in enumerate(texts)],
    )
    found = set()
    for first in range(0, len(texts), 25):
        numbers = range(first, min(first + 25, len(texts)))
        definitions = [
            SegmentDefinition(segment_id=f"s{n}", name="x", rules=[RULES[field](texts[n])])  # type: ignore[list-item]
            for n in numbers
        ]
        sql = compile_segments(definitions, scope_for=lambda _: PUBLISHED)
        assert not set("\\{}\r") & set(sql)
        template = Environment(autoescape=False).from_string("{% macro m() %}" + sql + "{% endmacro %}{{ m() }}")
        found |= {(segment_id, person) for segment_id, person, *_ in warehouse.rows(template.render())}
    expected = {(f"s{n}", key(f"p{n}")) for n in range(len(texts))}
    if field == "starts_with":
        names = {f"s{n}": text for n, text in enumerate(texts)}
        noted = {key(f"p{n}"): text for n, text in enumerate(texts)}
        expected = {
            (segment_id, person)
            for (segment_id, text), (person, note) in itertools.product(names.items(), noted.items())
            if note.startswith(text) and note not in {f"{text}{other}" for other in "'\\{"}
        }
    assert found == expected
    warehouse.close()
