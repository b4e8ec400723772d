"""The card of generations, from their manifest."""

from collections.abc import Mapping
from typing import Any

from emma500.publishing.cards import CITATION, Card, config_table, title_of, version_table
from emma500.publishing.config import PublishConfig
from emma500.publishing.generations import DATA, file_name
from emma500.publishing.metadata import hub_languages, size_category
from emma500.publishing.summary import language_codes
from emma500.publishing.tables import NO_DATA, Table, count, percent, table

Manifest = Mapping[str, Any]


def generations_card(
    manifest: Manifest, *, repo_id: str, config: PublishConfig, digest: str
) -> Card:
    """Describe generations.

    Args:
        manifest: Their manifest.
        repo_id: Where they will be, `user/name`.
        config: What the user wants on the card.
        digest: A digest of the files, which makes datasets notice new content in a local folder.

    Returns:
        The card.
    """
    names = sorted({file_name(row["benchmark"]) for row in manifest["parts"]})
    languages = language_codes({row["language"] for row in manifest["parts"]})
    configs: list[dict[str, Any]] = [
        {"config_name": name, "data_files": f"{DATA}/{name}.parquet"} for name in names
    ]
    every = {"config_name": "default", "default": True, "data_files": f"{DATA}/*.parquet"}
    configs[0]["description"] = f"build {digest}"
    return Card(
        template="generations.md.j2",
        fields={
            "pretty_name": title_of(repo_id, config),
            "language": hub_languages(languages),
            "license": config.license,
            "size_categories": [size_category(manifest["n_outputs"])],
            "tags": ["emma500", "generations", "synthetic", "multilingual", *config.tags],
            "configs": [*configs, every],
        },
        context={
            "repo_id": repo_id,
            "title": title_of(repo_id, config),
            "manifest": manifest,
            "languages": languages,
            "example": names[0],
            "parts": part_table(manifest),
            "settings": config_table(manifest["config"]),
            "citation": CITATION,
            "versions": version_table(manifest),
        },
    )


def part_table(manifest: Manifest) -> Table:
    """Return one row a benchmark and mode: languages, outputs, empty ones, and those in the right language."""
    grouped: dict[tuple[str, str], list[Manifest]] = {}
    for row in manifest["parts"]:
        grouped.setdefault((row["benchmark"], row["mode"]), []).append(row)
    rows = []
    for (benchmark, mode), members in grouped.items():
        total = {
            name: sum(each[name] for each in members)
            for name in ("n_outputs", "n_empty", "n_judged", "n_right_language")
        }
        judged = total["n_judged"]
        right = percent(total["n_right_language"] / judged) if judged else NO_DATA
        shown = (len(members), total["n_outputs"], total["n_empty"], judged)
        rows.append((benchmark, mode, *map(count, shown), right))
    columns = ("benchmark", "mode", "languages", "outputs", "empty", "judged", "right language")
    return table(columns, "llrrrrr", rows)
