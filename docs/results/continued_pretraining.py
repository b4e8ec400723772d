"""Continue SmolLM2-135M on 24 low-resource languages without and with replay; measure on text of another domain.

    python docs/results/continued_pretraining.py WORK --texts FOLDER --sib200 FOLDER [--steps 32]

WORK keeps corpus, runs, scores, and in `results` the tables and the figures: a call that was killed goes on. FOLDER of
texts holds JSON lines with `text` and `lang`; what it shares with SIB-200, from FOLDER or the Hub, is left out of the
corpus. An hour or two on two cores.
"""

import argparse
from pathlib import Path

from emma500 import (
    BuildConfig,
    Corpus,
    EvalConfig,
    TrainConfig,
    build_mala,
    continue_pretrain,
    evaluate,
)
from emma500.demo import BASE_PACKAGE
from emma500.manifest import read_manifest
from emma500.models import packaged_model
from emma500.progress import Bars
from emma500.publishing.comparison import compare
from emma500.publishing.figures import comparison_figure

LANGUAGES = (
    "amh_Ethi", "bak_Cyrl", "bod_Tibt", "dzo_Tibt", "ewe_Latn", "hau_Latn", "kat_Geor", "khm_Khmr", "kin_Latn",
    "lao_Laoo", "lin_Latn", "lug_Latn", "mri_Latn", "mya_Mymr", "sin_Sinh", "sna_Latn", "snd_Arab", "tat_Cyrl",
    "tir_Ethi", "tsn_Latn", "uig_Arab", "wol_Latn", "xho_Latn", "yor_Latn",
)  # fmt: skip
BASE = ("eng_Latn", "fra_Latn", "deu_Latn", "spa_Latn")
"""Languages the base model knows, best first; only English is replayed."""
REPLAY = {"replay-0": 0.0, "replay-25": 0.25}


def main() -> None:
    """Build, train twice, evaluate three times, and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--sib200", default="")
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument("--documents", type=int, default=48, help="SIB-200 sentences a language")
    options = parser.parse_args()
    work, sib200 = options.work, f"sib200={options.sib200}" if options.sib200 else "sib200"
    base = packaged_model(BASE_PACKAGE)
    corpus = build_mala(
        options.texts,
        work / "mala",
        config=BuildConfig(language_column="lang", decontaminate=[sib200]),
        progress=Bars(),
    )
    models = {"base": base} | {
        name: train(base, corpus, work / name, share=share, steps=options.steps)
        for name, share in REPLAY.items()
    }
    scores = {
        name: evaluate(
            model,
            [sib200.replace("sib200", "sib200-text", 1), "gflanguages"],
            [*LANGUAGES, *BASE],
            EvalConfig(bf16=True, max_length=512, limit=options.documents),
            output=work / "scores" / name,
            progress=Bars(),
        )
        for name, model in models.items()
    }
    results, lines = work / "results", []
    results.mkdir(exist_ok=True)
    for name, share in REPLAY.items():
        run = read_manifest(work / name)
        for found in compare(scores["base"], scores[name], run):
            title = f"{found.benchmark}, {options.steps} steps, replay {share:.0%}"
            lines += [f"### {title}", "", found.table.markdown(), ""]
            comparison_figure(
                found.drawn,
                results,
                title=title,
                name=f"{name}-{found.benchmark}",
                notes=found.notes,
            )
    (results / "tables.md").write_text("\n".join(lines), encoding="utf-8")


def train(base: Path, corpus: Corpus, output: Path, *, share: float, steps: int) -> Path:
    """Train one arm: all languages alike, 2,048 tokens a step."""
    continue_pretrain(
        base,
        corpus,
        output,
        TrainConfig(
            languages=list(LANGUAGES),
            replay_share=share,
            mixture="uniform",
            max_steps=steps,
            max_length=512,
            gradient_accumulation_steps=4,
            learning_rate=5e-4,
            warmup_steps=0.1,
            max_validation_bytes=500,
            save_steps=8,
        ),
        progress=Bars(),
    )
    return output


if __name__ == "__main__":
    main()
