"""The subcommands of the catalogue of sources, and of the identification of languages."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from emma500.cli.command import Command, required, types
from emma500.configuration import option
from emma500.errors import UsageError

_LINES_AT_ONCE = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class SourcesArguments:
    """What `emma500 sources` takes."""

    component: str | None = option(
        None, "monolingual, bilingual, code, papers, books or instruction"
    )
    language: str | None = option(None, "sources that list this language, in any code")
    licenses: list[str] | None = option(
        None, "commercial, permissive, or the SPDX identifiers that are allowed"
    )
    status: str | None = option(None, "how well the row is known, as verified")


@dataclass(frozen=True, kw_only=True, slots=True)
class ShowArguments:
    """What `emma500 sources show` takes."""

    name: str = option("", "a source of the catalogue")


@dataclass(frozen=True, kw_only=True, slots=True)
class IdentifyArguments:
    """What `emma500 identify` takes."""

    files: list[str] = option(["-"], "text files, a text a line; - is standard input")
    identifier: str = option(
        "emma500", "emma500, langid, heliport, glotlid, or the path of a model"
    )
    languages: list[str] | None = option(None, "the languages that are possible, in any code")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainArguments:
    """What `emma500 identify train` takes."""

    sources: list[str] = option(
        ["embedded"], "labelled text: what `build` takes, or a built corpus"
    )
    output: str = option("", "folder of the trained identifier")
    languages: list[str] | None = option(None, "these languages only, in any code")


@dataclass(frozen=True, kw_only=True, slots=True)
class TestArguments:
    """What `emma500 identify test` takes."""

    sources: list[str] = option([], "labelled text: what `build` takes, or a built corpus")
    identifier: str = option(
        "emma500", "emma500, langid, heliport, glotlid, or the path of a model"
    )
    languages: list[str] | None = option(None, "these languages only, in any code")
    output: str = option("", "folder of the tables, if they are wanted")


def _sources(arguments: SourcesArguments) -> str:
    from emma500.sources.catalogue import catalogue, catalogue_table

    licenses = arguments.licenses
    found = catalogue(
        component=arguments.component,
        language=arguments.language,
        licenses=licenses[0] if licenses and len(licenses) == 1 else licenses,
        status=arguments.status,
    )
    return catalogue_table(found)


def _show(arguments: ShowArguments) -> str:
    from emma500.sources.catalogue import describe, source

    return describe(source(required(arguments.name, "name")))


def _identify(arguments: IdentifyArguments) -> str:
    """Name the language of each line, in batches, so that a pipe may be as long as it likes."""
    from emma500.languages.identification.identifiers import identify, load_identifier

    identifier = load_identifier(arguments.identifier)
    for file in arguments.files:
        with _opened(file) as stream:
            while texts := [line.rstrip("\r\n") for line in islice(stream, _LINES_AT_ONCE)]:
                labels, scores = identify(
                    texts, identifier=identifier, languages=arguments.languages
                )
                rows = zip(labels.to_pylist(), scores.to_pylist(), texts, strict=True)
                sys.stdout.writelines(
                    f"{label}\t{score:.2f}\t{text}\n" for label, score, text in rows
                )
    return ""


@contextmanager
def _opened(file: str) -> Iterator[TextIO]:
    if file == "-":
        yield sys.stdin
        return
    try:
        opened = Path(file).expanduser().open(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"{file!r} cannot be read: {error.strerror}") from error
    with opened as stream:
        yield stream


def _train(arguments: TrainArguments) -> Any:
    from emma500.corpus.labelled import labelled_texts
    from emma500.languages.identification.linear.identifier import LanguageIdentifier

    output = required(arguments.output, "output")
    texts = labelled_texts(arguments.sources, arguments.languages, split="train")
    identifier = LanguageIdentifier.train(texts)
    identifier.save(output)
    return identifier


def _test(arguments: TestArguments) -> Any:
    from emma500.corpus.labelled import labelled_texts
    from emma500.languages.identification.identifiers import load_identifier
    from emma500.languages.identification.quality import quality

    if not arguments.sources:
        raise UsageError("--sources is required: labelled text to test on")
    texts = labelled_texts(arguments.sources, arguments.languages, split="validation")
    found = quality(
        load_identifier(arguments.identifier), texts["text"], texts["label"], texts["source"]
    )
    if arguments.output:
        found.save(arguments.output)
    return found


LANGUAGE_COMMANDS: dict[str, Command] = {
    "identify": Command(
        "Name the language of each line of text, offline.",
        "emma500 identify texts.txt --languages sw zu xh",
        types(IdentifyArguments),
        _identify,
        "files",
    ),
    "identify train": Command(
        "Train an identifier of languages on labelled text, in minutes.",
        "emma500 identify train mala --output identifier",
        types(TrainArguments),
        _train,
        "sources",
    ),
    "identify test": Command(
        "Measure an identifier on labelled text: F1 by language, confusions, short texts.",
        "emma500 identify test held-out.jsonl --identifier identifier",
        types(TestArguments),
        _test,
        "sources",
    ),
    "sources": Command(
        "List the catalogue of sources, by component, licence or language.",
        "emma500 sources --component bilingual --licenses commercial",
        types(SourcesArguments),
        _sources,
    ),
    "sources show": Command(
        "Show all that is known of one source.",
        "emma500 sources show fineweb2",
        types(ShowArguments),
        _show,
        "name",
    ),
}
