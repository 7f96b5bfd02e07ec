"""SQL for the deliveries that are, byte for byte, what a template makes of their values.

If a text is found again by putting its values into a template (``ingest/messagetemplate.py``), then it holds nothing
else: no key twice, none unknown, no value that reads differently. So one look at each text gives both the proof and the
values. Texts that are not found again go the longer way (``ingest/messagesql.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from ingest.delivery import WORD
from ingest.jsonsql import TextFacts, key_list, number_doubts
from ingest.jsontemplate import spaced
from ingest.messagesql import MessageSql, Path, Reader, pointer_of, size_doubts
from ingest.messagetemplate import Form, Node, Template
from ingest.strictjson import quote
from ingest.times import TimeRange, text_time_sql
from warehouse.sql import quote_identifier, quote_literal

#: A number that is surely finite; SQL reads no other. Those that DuckDB writes otherwise are not found again.
_PLAIN_NUMBER = r"-?[\d.]{1,16}"


class _Slots(Reader):
    """Hands out values as columns: ``x…`` those that are read as texts, ``z…`` the JSON texts of the others.

    ``within`` is where the message stands in what the template is of.
    """

    def __init__(self, template: Template, within: Path) -> None:
        super().__init__()
        self._template = template
        self._within = within

    def _element(self, asked: dict[Path, str], name: str, path: Path) -> str:
        place = (*self._within, *path)
        node = self._template.nodes.get(place)
        if asked is self.values and node and node.form is Form.TEXT:
            return _quoted(self.at(node), node)
        return self._slot(asked, name, place)

    def _slot(self, asked: dict[Path, str], name: str, path: Path) -> str:
        if not self._template.may_have(path):
            return "null::varchar"
        return asked.setdefault(path, f"{name}{len(asked) + 1}")

    def at(self, node: Node) -> str:
        """The value of a node."""
        return self._slot(*((self.texts, "x") if node.form is Form.TEXT else (self.values, "z")), node.path)

    def number_checks(self, facts: TextFacts) -> Iterator[str]:
        """What holds if no number is one that DuckDB writes in another way, or that is not finite."""
        for node in self._template.nodes.values():
            if node.form is Form.SCALAR:
                value = self.at(node)
                yield f"(json_class({value}) <> 45 or regexp_full_match({value}, '{_PLAIN_NUMBER}')) is not false"
            elif node.form is Form.ANY:
                doubts = number_doubts(self.at(node), facts, has_lone_commas=False)
                yield f"({' or '.join(doubts)}) is not true"

    def shape(self) -> str:
        """What a text that the template finds again does not say by that: the types of its values, and open keys.

        Values that are texts are found again as texts only.
        """
        nodes = self._template.nodes
        asked = [path for path in (*self.texts, *self.values) if path not in nodes]
        unsure = [node for node in nodes.values() if node.is_optional or node.has_null]
        scalars = [self.at(node) for node in nodes.values() if node.form is Form.SCALAR]
        opened = [self.at(node) for node in nodes.values() if node.form is Form.ANY]
        opened += [self._slot(self.values, "z", path) for path in asked]
        parts = [
            *(f"{self.at(node)} is null" for node in unsure if node.form not in (Form.SCALAR, Form.ANY)),
            *(f"json_class({value})" for value in [*scalars, *opened]),
            *(f"json_keys({value}), json_keys({value}, '$..*')" for value in opened),
        ]
        return ", ".join(parts)


@dataclass(frozen=True)
class MessageForm:
    """What the messages of a service look like to SQL.

    Attributes:
        kind: where the text stands that says what kind of message one is.
        shared: the keys of texts that a batch has for all of its messages.
        columns: makes the expressions of the fields.
    """

    kind: Path
    shared: Sequence[str]
    columns: Callable[[Reader], MessageSql]


def templated_messages(
    relation: str, template: Template, form: MessageForm, times: TimeRange, facts: TextFacts, *, are_json: bool
) -> tuple[str, MessageSql]:
    """The query for the messages of deliveries that hold one each, and how the fields of its rows are read.

    Its columns: row_number; text (of the delivery); received_at and channel of its envelope; shape, which is null where
    the template does not find the text again (``ingest/messagesql.py`` says what a shape is); and others, for the
    fields.

    Args:
        relation: texts (row_number, text).
        template: what they look like.
        form: how their messages are read.
        times: within which a delivery may have been received.
        facts: what is known of all texts.
        are_json: whether to take all texts for JSON; if one is none, the query fails. To doubt it takes longer.
    """
    slots = _Slots(template, template.within)
    sql = form.columns(slots)
    first, last = (f"timestamptz {quote_literal(time.isoformat())}" for time in (times.earliest, times.latest))
    checks = [
        f"concat({', '.join(_joined(_made(template.root, template.is_spaced, slots)))}) = text",
        *(f"not {doubt}" for doubt in size_doubts(facts)),
        *slots.number_checks(facts),
    ]
    if facts.has_escapes:
        checks.append("not contains(text, '\\')")
    received, channel = "null::varchar", "null::varchar"
    if template.within[:1] == ("body",):
        envelope = {node.path[-1]: node for node in template.root.members}
        received = slots.at(envelope["received_at"])
        channel = slots.at(envelope["channel"]) if "channel" in envelope else channel
        checks.append(f"received_at between {first} and {last}")
        checks.append(f"({channel} is null or regexp_full_match({channel}, '{WORD}'))")
    shared = dict.fromkeys(form.shared, "null::varchar")
    if template.batch is not None:
        places = {key: (*template.batch, key) for key in form.shared}
        shared |= {key: slots.at(template.nodes[path]) for key, path in places.items() if path in template.nodes}
    shape = f"hash({', '.join([slots.text(*form.kind), slots.shape()])})"
    texts, values = (key_list([pointer_of(path) for path in asked]) for asked in (slots.texts, slots.values))
    unpacked = [f"x[{number}] as x{number}" for number in range(1, len(slots.texts) + 1)]
    unpacked += [f"z[{number}] as z{number}" for number in range(1, len(slots.values) + 1)]
    unpacked += [f"{value} as {quote_identifier(f'shared_{key}')}" for key, value in shared.items()]
    attempt = "" if are_json else "try"
    query = f"""
        select *, case when {" and ".join(checks)} then {shape} end as shape
        from (
            select *, {text_time_sql(received)} as received_at, {channel} as channel
            from (
                select row_number, text, {", ".join(unpacked)}
                from (
                    select row_number, text,
                        {attempt}(json_extract_string(text, {texts})) as x,
                        {attempt}(json_extract(text, {values}))::varchar[] as z
                    from {relation}
                )
            )
        )
    """
    return query, sql


def _quoted(text: str, node: Node) -> str:
    """The JSON text of a string without escapes; null where there is none."""
    quoted = f"('\"' || {text} || '\"')"
    return f"coalesce({quoted}, 'null')" if node.has_null else quoted


#: A part of a text that is made: what is always the same, or an expression, which may be null.
_Part = tuple[Literal["same", "made"], str]


def _made(node: Node, is_spaced: bool, slots: _Slots) -> Iterator[_Part]:
    """The parts that a value is made of, in their order."""
    if node.form is Form.ARRAY_OF_ONE:
        yield from (("same", "["), *_made(node.members[0], is_spaced, slots), ("same", "]"))
        return
    if node.form is not Form.OBJECT:
        yield from _made_value(node, is_spaced, slots)
        return
    comma, colon = (", ", ": ") if is_spaced else (",", ":")
    starts_optional = bool(node.members) and node.members[0].is_optional
    parts: list[_Part] = []
    for number, member in enumerate(node.members):
        head = (comma if number or starts_optional else "") + quote(member.path[-1]) + colon
        made: list[_Part] = [("same", head), *_made(member, is_spaced, slots)]
        if member.is_optional:
            there = f"{slots.at(member)} is not null"
            made = [("made", f"case when {there} then concat({', '.join(_joined(made))}) end")]
        parts += made
    if starts_optional:
        parts = [("made", f"substring(concat({', '.join(_joined(parts))}), {len(comma) + 1})")]
    yield from (("same", "{"), *parts, ("same", "}"))


def _made_value(node: Node, is_spaced: bool, slots: _Slots) -> Iterator[_Part]:
    value = slots.at(node)
    if node.form is Form.ANY and is_spaced:
        yield "made", spaced(value)
    elif node.form is not Form.TEXT:
        yield "made", value
    elif node.has_null:
        yield "made", _quoted(value, node)
    else:
        yield from (("same", '"'), ("made", value), ("same", '"'))


def _joined(parts: Iterable[_Part]) -> Iterator[str]:
    """The arguments of ``concat`` for some parts: those that are always the same are one where they meet."""
    for kind, several in groupby(parts, key=lambda part: part[0]):
        texts = [text for _, text in several]
        yield from [quote_literal("".join(texts))] if kind == "same" else texts
