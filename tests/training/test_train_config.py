import pytest

from emma500.errors import ConfigError
from emma500.training.config import TrainConfig
from emma500.training.loop.arguments import training_arguments


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("learning_rate", 0.0, "above 0"),
        ("max_steps", 0, "-1 or above 0"),
        ("max_length", 1, "at least 2 tokens"),
        ("components", ["poems"], "some of monolingual, bilingual, code"),
        ("replay_share", 1.0, "at least 0 and below 1"),
        ("replay_share", -0.1, "at least 0 and below 1"),
        ("pair_format", "source", "target or both"),
        ("on_forgetting", "cry", "one of warn, stop, raise_replay"),
        ("forgetting_limit", -0.1, "0 or more"),
        ("keep", "first", "last or best"),
        ("keep", "best", "above 0 with keep='best'"),
        ("load_in_4bit", True, "given with use_peft only"),
        ("save_steps", -1, "0 or more"),
        ("max_epochs", 0, "above 0"),
    ],
)
def test_a_value_that_breaks_its_rule_is_refused(field, value, rule):
    with pytest.raises(ConfigError, match=rf"TrainConfig\.\w+ must be {rule}.*, not "):
        TrainConfig(**{field: value})


def test_only_fields_that_change_the_outcome_are_settings():
    one, other = (
        TrainConfig(),
        TrainConfig(save_steps=7, resume=False, overwrite=True, keep_checkpoints=True),
    )
    assert one.settings == other.settings
    assert one.settings != TrainConfig(seed=1).settings


def test_every_field_has_a_help_text():
    from dataclasses import fields

    assert all(each.metadata["help"] for each in fields(TrainConfig))


def test_a_transformers_parser_makes_flags_of_the_configuration():
    from transformers import HfArgumentParser

    arguments = [
        "--languages",
        "yor_Latn",
        "swa_Latn",
        "--replay_share",
        "0.1",
        "--use_peft",
        "--max_steps",
        "9",
    ]
    (config,) = HfArgumentParser(TrainConfig).parse_args_into_dataclasses(arguments)
    assert config == TrainConfig(
        languages=["yor_Latn", "swa_Latn"], replay_share=0.1, use_peft=True, max_steps=9
    )


def test_trainer_args_reach_the_training_arguments(tmp_path):
    arguments = training_arguments(
        TrainConfig(trainer_args={"adam_beta2": 0.95, "save_total_limit": 3}), tmp_path
    )
    assert arguments.adam_beta2 == 0.95
    assert arguments.save_total_limit == 3
    assert not arguments.logging_nan_inf_filter


def test_trainer_args_may_not_set_what_emma500_sets(tmp_path):
    with pytest.raises(
        ConfigError, match="trainer_args must not set learning_rate, logging_nan_inf_filter"
    ):
        training_arguments(
            TrainConfig(trainer_args={"learning_rate": 1, "logging_nan_inf_filter": True}), tmp_path
        )


def test_an_unknown_trainer_argument_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(
        ConfigError, match=r"TrainingArguments has no 'adam_beta_2'; nearest: .*adam_beta2"
    ):
        training_arguments(TrainConfig(trainer_args={"adam_beta_2": 0.95}), tmp_path)


def test_the_trainer_still_has_what_ours_overrides():
    """An upgrade of transformers that renames these must fail here, not train without them."""
    import inspect

    from transformers import Trainer

    expected = {
        "_save_checkpoint": ["self", "model", "trial"],
        "_get_output_dir": ["self", "trial"],
        "_get_grad_norm": ["self", "model", "grad_norm"],
        "training_step": ["self", "model", "inputs", "num_items_in_batch"],
    }
    for name, parameters in expected.items():
        assert list(inspect.signature(getattr(Trainer, name)).parameters) == parameters
    source = inspect.getsource(Trainer._run_epoch)
    assert source.index("self._get_grad_norm(") < source.index("self.optimizer.step()")
