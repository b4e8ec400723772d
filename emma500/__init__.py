"""emma500: teach existing language models hundreds of languages, and prove it.

    from emma500 import build_mala, continue_pretrain, evaluate, publish

    corpus = build_mala("texts/", "mala")                       # any code, any script -> one clean folder
    run = continue_pretrain("meta-llama/Llama-2-7b-hf", corpus, "out")
    scores = evaluate(run, languages=["yor_Latn", "swh_Latn"])  # with n and standard error
    publish(scores, "user/scores")

Everything public is here; what is behind it may move. Nothing heavy is imported until it is used.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from emma500._version import __version__

# Arrow gives its memory back at once and asks for it again: a sixth of a build. Read where Arrow is first imported.
os.environ.setdefault("MIMALLOC_PURGE_DELAY", "60000")

if TYPE_CHECKING:
    from emma500.corpus.build import BuildConfig, build_mala
    from emma500.corpus.builder import load_mala
    from emma500.errors import EmmaError, FailureError, StoppedError, UsageError
    from emma500.evaluation.evaluate import EvalConfig, evaluate
    from emma500.evaluation.lint_scores import lint_scores
    from emma500.evaluation.lm_eval_form import export_lm_eval
    from emma500.evaluation.model_comparison import compare_scores
    from emma500.evaluation.polywrite.build import PolyWriteConfig, build_polywrite
    from emma500.evaluation.prompt_spread import prompt_spread
    from emma500.evaluation.published import compare_with_published
    from emma500.evaluation.scores import Scores
    from emma500.folder import Corpus
    from emma500.languages.codes import Language
    from emma500.mixture.planning.plan import MixPlan
    from emma500.mixture.tokenizing.fertility import Fertility, fertility
    from emma500.publishing.checkpoints import HubCheckpoints
    from emma500.publishing.publish import PublishConfig, PublishedRepo, publish
    from emma500.recipes.planning import RecipePlan, plan_recipe
    from emma500.recipes.reproduce import reproduce
    from emma500.training.config import TrainConfig
    from emma500.training.instruction.tuning import InstructConfig, instruct
    from emma500.training.made import MadeModel
    from emma500.training.merging import MergeConfig, merge_models
    from emma500.training.planning.mixing import plan_mixture
    from emma500.training.planning.planner import TrainingPlan, plan_training
    from emma500.training.run import TrainingRun, continue_pretrain
    from emma500.training.vocabulary.config import VocabularyConfig
    from emma500.training.vocabulary.extend import extend_vocabulary

_HOME = {
    "BuildConfig": "corpus.build",
    "Corpus": "folder",
    "EmmaError": "errors",
    "EvalConfig": "evaluation.evaluate",
    "FailureError": "errors",
    "Fertility": "mixture.tokenizing.fertility",
    "HubCheckpoints": "publishing.checkpoints",
    "InstructConfig": "training.instruction.tuning",
    "Language": "languages.codes",
    "MadeModel": "training.made",
    "MergeConfig": "training.merging",
    "MixPlan": "mixture.planning.plan",
    "PolyWriteConfig": "evaluation.polywrite.build",
    "PublishConfig": "publishing.publish",
    "PublishedRepo": "publishing.publish",
    "RecipePlan": "recipes.planning",
    "Scores": "evaluation.scores",
    "StoppedError": "errors",
    "TrainConfig": "training.config",
    "TrainingPlan": "training.planning.planner",
    "TrainingRun": "training.run",
    "UsageError": "errors",
    "VocabularyConfig": "training.vocabulary.config",
    "build_mala": "corpus.build",
    "build_polywrite": "evaluation.polywrite.build",
    "compare_scores": "evaluation.model_comparison",
    "compare_with_published": "evaluation.published",
    "continue_pretrain": "training.run",
    "evaluate": "evaluation.evaluate",
    "export_lm_eval": "evaluation.lm_eval_form",
    "extend_vocabulary": "training.vocabulary.extend",
    "fertility": "mixture.tokenizing.fertility",
    "instruct": "training.instruction.tuning",
    "lint_scores": "evaluation.lint_scores",
    "load_mala": "corpus.builder",
    "merge_models": "training.merging",
    "plan_mixture": "training.planning.mixing",
    "plan_recipe": "recipes.planning",
    "plan_training": "training.planning.planner",
    "prompt_spread": "evaluation.prompt_spread",
    "publish": "publishing.publish",
    "reproduce": "recipes.reproduce",
}

__all__ = [
    "BuildConfig",
    "Corpus",
    "EmmaError",
    "EvalConfig",
    "FailureError",
    "Fertility",
    "HubCheckpoints",
    "InstructConfig",
    "Language",
    "MadeModel",
    "MergeConfig",
    "MixPlan",
    "PolyWriteConfig",
    "PublishConfig",
    "PublishedRepo",
    "RecipePlan",
    "Scores",
    "StoppedError",
    "TrainConfig",
    "TrainingPlan",
    "TrainingRun",
    "UsageError",
    "VocabularyConfig",
    "__version__",
    "build_mala",
    "build_polywrite",
    "compare_scores",
    "compare_with_published",
    "continue_pretrain",
    "evaluate",
    "export_lm_eval",
    "extend_vocabulary",
    "fertility",
    "instruct",
    "lint_scores",
    "load_mala",
    "merge_models",
    "plan_mixture",
    "plan_recipe",
    "plan_training",
    "prompt_spread",
    "publish",
    "reproduce",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'emma500' has no attribute {name!r}")
    value = getattr(import_module(f"emma500.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
