"""Score the base model and a continued one on classification, choice, arithmetic and text, and compare them.

    python docs/results/suite.py WORK MODEL --data FOLDER

MODEL is what was continued from SmolLM2-135M; FOLDER holds sib200/, xcopa/ and mgsm/ as they are published. WORK keeps
the scores: a call that was killed goes on. Tables and figures come to WORK/results. Half an hour on two cores.
"""

import argparse
from pathlib import Path

from emma500 import EvalConfig, Scores, compare_scores, evaluate, export_lm_eval
from emma500.models import packaged_model
from emma500.progress import Bars
from emma500.publishing.scores_figures import scores_figures
from emma500.recipes.scaling import BASE_PACKAGE

CLASSIFIED = (
    "amh_Ethi", "arb_Arab", "bak_Cyrl", "ben_Beng", "bod_Tibt", "deu_Latn", "dzo_Tibt", "eng_Latn", "ewe_Latn",
    "fin_Latn", "fra_Latn", "hau_Latn", "heb_Hebr", "hin_Deva", "jpn_Jpan", "kat_Geor", "khm_Khmr", "kin_Latn",
    "lin_Latn", "lug_Latn", "mri_Latn", "mya_Mymr", "rus_Cyrl", "sna_Latn", "snd_Arab", "spa_Latn", "swh_Latn",
    "tat_Cyrl", "tir_Ethi", "tsn_Latn", "uig_Arab", "wol_Latn", "xho_Latn", "yor_Latn", "zho_Hans",
)  # fmt: skip
PARTS = {  # benchmark: languages, items a language
    "sib200-text": (None, 6),
    "sib200": (CLASSIFIED, 16),
    "xcopa": (None, 100),
    "mgsm": (None, 10),
}
LABELS_OF_TEXT = 100


def main() -> None:
    """Evaluate, compare, draw."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    models = {"base": packaged_model(BASE_PACKAGE), "continued": options.model}
    results = options.work / "results"
    results.mkdir(parents=True, exist_ok=True)
    pages = []
    for benchmark, (languages, limit) in PARTS.items():
        folder = options.data / benchmark.partition("-")[0]
        wanted = _texts(folder) if benchmark == "sib200-text" else languages
        scores = {
            name: evaluate(
                model,
                [f"{benchmark}={folder}"],
                wanted,
                EvalConfig(limit=limit, bf16=True, max_length=512),
                output=options.work / name / benchmark,
                progress=Bars(),
            )
            for name, model in models.items()
        }
        pages += [f"## {benchmark}", "", _table(scores["continued"], scores["base"]), ""]
        (results / "tables.md").write_text("\n".join(pages), encoding="utf-8")
        scores_figures([scores["continued"], scores["base"]], results / benchmark)
        export_lm_eval(scores["continued"], results / benchmark / "lm-eval")


def _texts(folder: Path) -> list[str]:
    """Return each second language of SIB-200, up to a hundred."""
    return [path.name for path in sorted(folder.iterdir()) if path.is_dir()][::2][:LABELS_OF_TEXT]


def _table(after: Scores, before: Scores) -> str:
    columns = ["label", "n", "before", "after", "difference", "low", "high", "p_fdr", "better"]
    rows = compare_scores(after, before)[columns].round(3).to_numpy().tolist()
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(map(str, cells)) + " |" for cells in lines)


if __name__ == "__main__":
    main()
