"""Schedules of the learning rate, as the optimizer sees them."""

import math
from itertools import pairwise

import pytest

from emma500.errors import ConfigError
from emma500.training.loop.schedules import check_schedule, make_schedule, schedule_arguments
from emma500.training.run import continue_pretrain


def rates(name, n_steps=100, n_warmup=10, **given):
    import torch

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = make_schedule(name, optimizer, n_warmup=n_warmup, n_steps=n_steps, given=given)
    found = []
    for _ in range(n_steps):
        found.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return found


def test_the_infinite_schedule_warms_up_cools_down_stays_and_anneals():
    found = rates(
        "infinite", num_cooldown_steps=40, num_decay_steps=20, constant_lr_rate=0.5, min_lr_rate=0.1
    )
    assert found[:11] == pytest.approx([step / 10 for step in range(11)])
    assert found[30] == pytest.approx(0.75)  # half-way down
    assert found[50:81] == pytest.approx([0.5] * 31)
    assert found[90] == pytest.approx(math.sqrt(0.5 * 0.1))  # half-way, exponentially
    assert found[99] == pytest.approx(0.5 * 0.2**0.95)
    assert all(one >= other for one, other in pairwise(found[10:]))


def test_the_constant_part_of_the_infinite_schedule_does_not_depend_on_the_length_of_the_run():
    fixed = {"num_cooldown_steps": 20, "num_decay_steps": 10}
    assert rates("infinite", 100, **fixed)[:85] == rates("infinite", 200, **fixed)[:85]


def test_warmup_stable_decay_falls_by_one_minus_the_root_over_the_last_fifth():
    found = rates("warmup_stable_decay")
    assert found[10:81] == pytest.approx([1.0] * 71)
    assert found[85] == pytest.approx(1 - math.sqrt(5 / 20))
    assert found[99] == pytest.approx(1 - math.sqrt(19 / 20))


def test_rewarming_and_redecaying_ends_at_a_tenth_of_the_peak_or_where_it_is_told():
    assert rates("cosine_with_min_lr", 1000)[-1] == pytest.approx(0.1, abs=1e-3)
    assert rates("cosine_with_min_lr", 1000, min_lr=0.3)[-1] == pytest.approx(0.3, abs=1e-3)


def test_shares_of_steps_are_steps():
    assert schedule_arguments("warmup_stable_decay", {"num_decay_steps": 0.5}, 200) == {
        "decay_type": "1-sqrt", "num_decay_steps": 100,
    }  # fmt: skip
    assert schedule_arguments("cosine", {}, 200) == {}


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("cosin", {}, "cosin is not a valid SchedulerType"),
        ("cosine", {"num_decay_steps": 3}, "unexpected keyword argument"),
        ("infinite", {"decay": 3}, "unexpected keyword argument 'decay'"),
        ("reduce_lr_on_plateau", {}, "follows the Trainer's own evaluation"),
    ],
)
def test_a_schedule_that_cannot_be_made_is_refused(name, given, told):
    with pytest.raises(ConfigError, match=told):
        check_schedule(name, given)


def test_a_run_follows_the_infinite_schedule_and_goes_on_with_it(tmp_path, corpus, model, config):
    settings = config(
        lr_scheduler_type="infinite", max_steps=10, warmup_steps=2, logging_steps=1, learning_rate=1e-3,
        lr_scheduler_kwargs={"num_cooldown_steps": 3, "num_decay_steps": 2},
    )  # fmt: skip
    run = continue_pretrain(model, corpus, tmp_path / "out", settings)
    found = [row["learning_rate"] / 1e-3 for row in run.manifest["log"]]
    assert found[1] == pytest.approx(0.5)
    assert found[5:9] == pytest.approx([0.5] * 4)
    assert found[9] < 0.5


def test_embeddings_have_a_learning_rate_of_their_own(tmp_path, corpus, model, config):
    import torch
    from transformers import AutoModelForCausalLM

    settings = config(max_steps=2, weight_decay=0.0, bf16=False, max_grad_norm=0.0)
    runs = [
        continue_pretrain(model, corpus, tmp_path / name, changed)
        for name, changed in (
            ("one", settings),
            ("slow", config(**{**settings_of(settings), "embedding_learning_rate": 1e-9})),
        )
    ]
    base = AutoModelForCausalLM.from_pretrained(model).state_dict()
    one, slow = (AutoModelForCausalLM.from_pretrained(run.path).state_dict() for run in runs)
    name, other = "model.embed_tokens.weight", "model.layers.0.mlp.up_proj.weight"
    assert torch.allclose(slow[name], base[name], atol=1e-7)
    assert not torch.allclose(one[name], base[name], atol=1e-4)
    assert not torch.allclose(slow[other], base[other], atol=1e-4)


def settings_of(config):
    from emma500.configuration import as_dict

    return as_dict(config)
