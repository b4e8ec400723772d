"""Choose the demo's languages by its rule, and print the ranking as a Markdown table.

    python docs/demo_languages.py MALA [FOLDER]

MALA is the corpus that `emma500 demo` builds; FOLDER keeps the scores. It takes minutes on two cores.
"""

import sys
from collections import Counter
from pathlib import Path

from emma500 import Corpus, EvalConfig, evaluate
from emma500.demo import BASE_PACKAGE, LANGUAGES
from emma500.models import packaged_model
from emma500.progress import Bars

CATALOGUE_BYTES = 20_000
PROSE_BYTES = 1_000
PER_SCRIPT = 3
LEFT_OUT = ("zho_Hans", "zho_Hant")
"""When the languages were chosen, the build still dropped most of the Chinese catalogue as a script mismatch."""


def catalogue_bytes(corpus: Corpus) -> dict[str, int]:
    """Return the UTF-8 bytes of Django's catalogue by target label, where there are enough of them."""
    sizes = {}
    for pair in corpus.labels_of("bilingual"):
        table = corpus.read("bilingual", pair, "train", ["target_text"])
        if table is not None:
            sizes[pair.split("-")[1]] = sum(
                len(text.encode()) for text in table["target_text"].to_pylist()
            )
    return {label: size for label, size in sizes.items() if size >= CATALOGUE_BYTES}


def main() -> None:
    """Print the ranking."""
    corpus = Corpus(Path(sys.argv[1]))
    sizes = catalogue_bytes(corpus)
    scores = evaluate(
        packaged_model(BASE_PACKAGE),
        ["gflanguages"],
        sorted(sizes),
        EvalConfig(bf16=True, max_length=512),
        output=sys.argv[2] if len(sys.argv) > 2 else None,
        progress=Bars(),
    )
    ranked = sorted(
        (
            row
            for row in scores.rows
            if row["metric"] == "bits_per_byte"
            and row["label"] in sizes
            and row["n_bytes"] >= PROSE_BYTES
        ),
        key=lambda row: -row["value"],
    )
    lines = [
        "| label | bits per byte | paragraphs | prose, bytes | catalogue, bytes | rank in its script | in the demo |"
    ]
    lines.append("| --- | --: | --: | --: | --: | --: | --- |")
    seen: Counter[str] = Counter()
    chosen = 0
    for row in ranked:
        script = row["label"].split("_")[1]
        seen[script] += 1
        left_out = row["label"] in LEFT_OUT
        take = seen[script] <= PER_SCRIPT and chosen < len(LANGUAGES) and not left_out
        chosen += take
        error = "" if row["stderr"] is None else f" ± {row['stderr']:.3f}"
        lines.append(
            f"| {row['label']} | {row['value']:.3f}{error} | {row['n']} | {row['n_bytes']:,} | {sizes[row['label']]:,} "
            f"| {seen[script]} | {'yes' if take else 'left out' if left_out else ''} |"
        )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
