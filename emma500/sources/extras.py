"""The columns any record may have beside its text: language, script, address, licence."""

from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from emma500.sources.base import or_else, rows
from emma500.sources.options import Options
from emma500.sources.reading import Given
from emma500.sources.types import Types, is_text

LANGUAGE_COLUMNS = ("original_code", "label", "lang", "language", "lang_code")
"""Where a language code is looked for if no column is named."""

LICENSE_COLUMNS = ("source_license", "license", "licence")


@dataclass(frozen=True, kw_only=True, slots=True)
class Extras:
    """Columns beside the text; None where there is none.

    Attributes:
        language: The column of the language code.
        script: The column of its script, where that stands apart.
        url: The column of the address.
        license: The column of the record's own licence.
        fallback: The language code of a record without one.
        is_given: Whether the fallback was given by the user, who knows better than a path.
    """

    language: str | None
    script: str | None
    url: str | None
    license: str | None
    fallback: str
    is_given: bool

    @classmethod
    def of(cls, types: Types, options: Options, taken: tuple[str, ...]) -> "Extras":
        """Look for the columns among those not taken by the text."""
        known = {name for name, kind in types.items() if is_text(kind)}

        def find(role: str, usual: tuple[str, ...]) -> str | None:
            named = options.column(role)
            names = (named, *usual) if named else usual
            return next((each for each in names if each in known and each not in taken), None)

        is_said = bool(options.language) and options.column("language") is None
        return cls(
            language=None if is_said else find("language", LANGUAGE_COLUMNS),
            script=find("script", ()),
            url=find("url", ("url",)),
            license=find("license", LICENSE_COLUMNS),
            fallback=options.language or "und",
            is_given=bool(options.language),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The columns there are."""
        return tuple(each for each in (self.language, self.script, self.url, self.license) if each)

    def placed(self, code: str) -> "Extras":
        """Return them with the code a path says, unless the user said one."""
        return self if self.is_given else replace(self, fallback=code)

    def codes(self, table: pa.Table) -> pa.Array:
        """Return the language code of each row."""
        if self.language is None:
            return pa.repeat(pa.scalar(self.fallback), table.num_rows)
        codes = or_else(one(table, self.language), self.fallback)
        if self.script is None:
            return codes
        scripts = or_else(one(table, self.script), "")
        both = pc.binary_join_element_wise(codes, scripts, pa.scalar("_", codes.type))
        return pc.if_else(pc.equal(scripts, ""), codes, both)

    def urls(self, table: pa.Table) -> pa.Array | None:
        """Return the address of each row, if there is a column of them."""
        return one(table, self.url) if self.url else None

    def licenses(self, table: pa.Table) -> pa.Array | None:
        """Return the own licence of each row, if there is a column of them."""
        return one(table, self.license) if self.license else None


def document_rows(
    given: Given, component: str, texts: pa.Array, *, extras: Extras, table: pa.Table
) -> pa.RecordBatch:
    """Build rows of documents from their texts and what stands beside them."""
    (kept,), reasons = given.checked(texts)
    return rows(
        replace(given.info, component=component),
        kept,
        codes=extras.codes(table),
        origins=given.origins,
        reasons=reasons,
        urls=extras.urls(table),
        licenses=extras.licenses(table),
    )


def strings(*names: str) -> pa.Schema:
    """Return a schema of columns of strings, each once."""
    return pa.schema([(name, pa.string()) for name in dict.fromkeys(names)])


def one(table: pa.Table, name: str) -> pa.Array:
    """Return a column of a table whose columns are one chunk each."""
    return table[name].chunk(0)
