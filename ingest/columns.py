"""The columns of a table-like file as SQL: each as text, as a JSON value and as a point in time, by its type."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ingest.mapping import ColumnType
from ingest.times import PLAIN_TIME, epoch_sql
from models import limits
from warehouse.sql import quote_identifier, quote_literal

_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
_WIDE_NUMBERS = {"HUGEINT", "UHUGEINT", "BIGNUM"}
_ZONED_TIMES = {"TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS"}
_NAIVE_TIMES = {"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE"}
_NAIVE = r"\d{4}-\d{2}-\d{2}(?:[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?)?"
_NUMBER = r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,4})?"
_TRUE, _FALSE = "('true', 't', 'yes', 'y', '1')", "('false', 'f', 'no', 'n', '0')"

#: One object without inner objects that is written as DuckDB writes it, and small: what SQL takes as JSON in a cell.
JSON_MACRO = r"""
    create temp macro is_plain_object(v) as
        starts_with(v, '{') and strlen(v) <= 2000 and strlen(v) - strlen(replace(v, '{', '')) = 1
        and not contains(v, '\u0000')
        and not regexp_matches(v, '[:,\[]\s*(?:[}\]]|-?[\d.]{17}|-?\d+(?:\.\d+)?[eE]|-?0\.00000|-?[nNiI][aAnN][nNfF])')
        and not regexp_matches(v, '-0\s*[,}\]]')
        and coalesce(len(list_distinct(try(json_keys(v)))) = len(try(json_keys(v))), false)
    """

#: Names that are ours in the relations that hold a file's rows.
_OUR_NAMES = ("row_number", "file_row_number")
#: The type of a column that holds canonical JSON texts, as ``strictjson.write`` makes them.
JSON_VALUE = "JSON_VALUE"


def sql_name(name: str) -> str:
    """What a file's column is called in SQL: as in the file, but for the names that are ours there."""
    return f"{name}'" if name.lower().rstrip("'") in _OUR_NAMES else name


@dataclass(frozen=True)
class Column:
    """A column of the file.

    ``type`` is DuckDB's or ``JSON_VALUE``; ``reading`` what the mapping says that its text stands for; ``is_cell``
    whether an empty text means that there is no value, as in CSV; ``is_clean`` whether it is known that there are no
    empty texts and no spaces around others.
    """

    name: str
    type: str
    reading: ColumnType | None = None
    is_cell: bool = False
    is_clean: bool = False

    @property
    def sql(self) -> str:
        """The column's name in SQL."""
        return quote_identifier(sql_name(self.name))

    @property
    def is_text(self) -> bool:
        """Whether the file holds text in it."""
        return self.type in ("VARCHAR", JSON_VALUE) or self.type.startswith("ENUM")

    @property
    def is_naive_time(self) -> bool:
        """Whether its values are times without a zone."""
        return self.type in _NAIVE_TIMES

    def text(self) -> str:
        """The value as text without spaces around it; null where there is none."""
        if self.is_clean or not self.is_text:
            return self._plain_text()
        return f"nullif(trim({self._plain_text()}), '')"

    def moment(self, tz: str, time_format: str | None) -> str:
        """The value as a TIMESTAMPTZ, null where it is not plainly a time; naive times are in ``tz``.

        A local time that the clocks skipped is moved forward by what they skipped; one that they showed twice is the
        second.
        """
        zone = quote_literal(tz)
        if self.type in _ZONED_TIMES:
            return f"{self.sql}::timestamptz"
        if self.is_naive_time:
            return f"timezone({zone}, {self.sql}::timestamp)"
        if not self.is_text:
            return epoch_sql(f"{self.sql}::varchar")
        text = self.text()
        if time_format is not None and "%z" in time_format:
            return f"try_strptime({text}, {quote_literal(time_format)})::timestamptz"
        if time_format is not None:
            return f"timezone({zone}, {self.local_time(time_format)})"
        return (
            f"case when regexp_full_match({text}, '{PLAIN_TIME}') then try_cast({text} as timestamptz)"
            f" when regexp_full_match({text}, '{_NAIVE}') then timezone({zone}, try_cast({text} as timestamp))"
            f" else {epoch_sql(text)} end"
        )

    def local_time(self, time_format: str | None) -> str | None:
        """The value as a TIMESTAMP where it is a time without a zone; None if the column has no such values."""
        if self.is_naive_time:
            return f"{self.sql}::timestamp"
        if not self.is_text or "%z" in (time_format or ""):
            return None
        if time_format is not None:
            return f"try_strptime({self.text()}, {quote_literal(time_format)})::timestamp"
        return f"case when regexp_full_match({self.text()}, '{_NAIVE}') then try_cast({self.text()} as timestamp) end"

    def json(self, tz: str, time_format: str | None) -> str:
        """The value as canonical JSON text, null where there is none or the text is not what it should stand for."""
        if self.type == JSON_VALUE and self.reading is None:
            return self.sql
        if self.reading in (None, "text") and self.is_text:
            text = self._plain_text()
            return (
                f"to_json(nullif({text}, ''))::varchar"
                if self.is_cell and not self.is_clean
                else f"to_json({text})::varchar"
            )
        match self.reading:
            case "text":
                return f"to_json({self.text()})::varchar"
            case "number":
                text = self.text()
                plain = f"case when {_unusual(text)} then {text} else json({text})::varchar end"
                return f"case when regexp_full_match({text}, '{_NUMBER}') then {plain} end"
            case "boolean":
                text = f"lower({self.text()})"
                return f"case when {text} in {_TRUE} then 'true' when {text} in {_FALSE} then 'false' end"
            case "time":
                return _iso(self.moment(tz, time_format))
            case "json":
                return self.object()
        return self._typed_json()

    def object(self) -> str:
        """The value, which is JSON text or nested, as canonical JSON text."""
        if self.is_clean and (self.is_text or self.type == "JSON"):
            return f"json({self._plain_text()})::varchar"
        if self.is_text:
            text = self._plain_text()
            own = f"when starts_with({self.sql}, '{{') then {self.sql} " if self.type == JSON_VALUE else ""
            return f"case {own}when is_plain_object({text}) then json({text})::varchar end"
        if self.type == "JSON":
            text = f"{self.sql}::varchar"
            return f"case when is_plain_object({text}) then json({text})::varchar end"
        return f"to_json({self.sql})::varchar"

    def doubt(self, tz: str, time_format: str | None) -> str | None:
        """The condition under which ``json`` does not say what the value is."""
        if self.type == JSON_VALUE and self.reading is None:
            # A short one can pass no limit.
            return f"strlen({self.sql}) > {limits.MAX_KEY_BYTES}"
        if self.type in ("DOUBLE", "FLOAT") and self.reading in (None, "number"):
            return f"not isfinite({self.sql})"
        if self._is_nested:
            text = f"to_json({self.sql})::varchar"
            return rf"(strlen({text}) > 2000 or regexp_matches({text}, '[:,\[]-?(?:[\d.]{{17}}|[nNiI][aAnN][nNfF])'))"
        if self.reading == "number" and self.is_text:
            text = self.text()
            return f"({_unusual(text)} or {text} is not null and {self.json(tz, time_format)} is null)"
        if self.reading in ("boolean", "time", "json") or self.type == "JSON":
            return f"({self.text()} is not null and {self.json(tz, time_format)} is null)"
        return None

    @property
    def _is_nested(self) -> bool:
        return self.type.startswith(("STRUCT", "MAP", "UNION")) or self.type.endswith("]")

    def _plain_text(self) -> str:
        if self.type == "VARCHAR":
            return self.sql
        if self.type == JSON_VALUE:
            return (
                f"case when starts_with({self.sql}, '\"') then json_extract_string({self.sql}, '$') else {self.sql} end"
            )
        if self.type == "BLOB":
            return f"to_base64({self.sql})"
        if self.type.startswith("TIMESTAMP") or self.type == "DATE":
            return self._iso_text()
        if self._is_nested:
            return f"to_json({self.sql})::varchar"
        return f"{self.sql}::varchar"

    def _iso_text(self) -> str:
        if self.type == "DATE":
            return f"strftime({self.sql}, '%Y-%m-%d')"
        if self.type in _ZONED_TIMES:
            return _iso_value(f"({self.sql}::timestamptz at time zone 'UTC')", "Z")
        return _iso_value(f"{self.sql}::timestamp", "")

    def _typed_json(self) -> str:
        """The JSON of a value whose type says all."""
        if self.type in ("DOUBLE", "FLOAT"):
            value = self.sql if self.type == "DOUBLE" else f"{self.sql}::varchar::double"
            return f"case when isfinite({self.sql}) then to_json({value})::varchar end"
        decimal = re.fullmatch(r"DECIMAL\((\d+),\d+\)", self.type)
        if self.type in _INTEGERS | _WIDE_NUMBERS | {"BOOLEAN"} or (decimal and int(decimal[1]) > 15):
            return f"{self.sql}::varchar"
        if decimal:
            return f"to_json({self.sql}::double)::varchar"
        if self._is_nested:
            return f"to_json({self.sql})::varchar"
        if self.type == "JSON":
            return self.object()
        return f"to_json({self._plain_text()})::varchar"


def _unusual(number: str) -> str:
    """Whether DuckDB would write the number in another way than ``strictjson``."""
    return f"(strlen({number}) > 16 or {number} = '-0' or regexp_matches({number}, '[eE]|0\\.00000'))"


def _iso(moment: str) -> str:
    """A TIMESTAMPTZ as a JSON string."""
    value = _iso_value(f"(({moment}) at time zone 'UTC')", "Z")
    return f"('\"' || {value} || '\"')"


def _iso_value(timestamp: str, suffix: str) -> str:
    whole, exact = f"%Y-%m-%dT%H:%M:%S{suffix}", f"%Y-%m-%dT%H:%M:%S.%f{suffix}"
    is_whole = f"microsecond({timestamp}) % 1000000 = 0"
    return f"(case when {is_whole} then strftime({timestamp}, '{whole}') else strftime({timestamp}, '{exact}') end)"
