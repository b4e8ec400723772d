"""What all cards share: templates, the citation, the table of versions.

The templates are `dataset_cards/*.md.j2`; in an installed package they lie beside this file.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emma500.folder.front_matter import front_matter
from emma500.publishing import tables
from emma500.publishing.config import PublishConfig
from emma500.publishing.shown import without_hidden
from emma500.publishing.tables import Table, plain, table

if TYPE_CHECKING:
    import jinja2

MOST_ROWS = 60
"""A card shows a table by label up to this many labels; beyond, the file holds it."""

CITATION = """\
```bibtex
@misc{ji2024emma500,
  title = {{EMMA-500}: Enhancing Massively Multilingual Adaptation of Large Language Models},
  author = {Shaoxiong Ji and Zihao Li and Indraneil Paul and Jaakko Paavola and Peiqin Lin and Pinzhen Chen and
            Dayy{\\'a}n O'Brien and Hengyu Luo and Hinrich Sch{\\"u}tze and J{\\"o}rg Tiedemann and Barry Haddow},
  year = {2024},
  eprint = {2409.17892},
  archivePrefix = {arXiv},
  url = {https://arxiv.org/abs/2409.17892}
}
```"""

_HERE = Path(__file__).parent
_TEMPLATES = (_HERE / "templates", _HERE.parents[1] / "dataset_cards")


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """A README.md for the Hub: its YAML fields, and what its template shows."""

    template: str
    fields: Mapping[str, Any]
    context: Mapping[str, Any]

    def render(self) -> str:
        """Return the text of the card."""
        maker = f"emma500 {self.context['manifest']['versions'].get('emma500', '')}".strip()
        yaml = front_matter(self.fields).rstrip()
        return render(self.template, {**self.context, "maker": maker, "yaml": yaml})


def render(template: str, context: Mapping[str, Any]) -> str:
    """Fill in a template; a name the context lacks is an error, not an empty place.

    Args:
        template: Its file name, as "corpus.md.j2".
        context: The values.

    Returns:
        The text, with one newline at its end.
    """
    text = without_hidden(_templates().get_template(template).render(context)).strip()
    return re.sub(r"\n{3,}", "\n\n", text) + "\n"


@cache
def _templates() -> "jinja2.Environment":
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=lambda name: bool(name and name.endswith(".html.j2")),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("count", "counted", "size", "decimal", "percent", "plain", "literal"):
        environment.filters[name] = getattr(tables, name)
    return environment


def title_of(repo_id: str, config: PublishConfig) -> str:
    """Return the card's title: the configured one, or the repository's name."""
    return config.title or repo_id.split("/")[-1]


def version_table(manifest: Mapping[str, Any], extra: Sequence[tuple[str, str]] = ()) -> Table:
    """Return the fingerprints and the versions that identify what a manifest describes."""
    rows = [("fingerprint", f"`{manifest['fingerprint']}`"), *extra]
    rows += sorted(manifest["versions"].items())
    return table(("what", "version"), "ll", rows)


def config_table(config: Mapping[str, Any]) -> Table:
    """Return a configuration as a table, without the fields that are not set."""
    rows = [(f"`{name}`", plain(value)) for name, value in config.items()]
    return table(("setting", "value"), "ll", [row for row in rows if row[1] != "none"])
