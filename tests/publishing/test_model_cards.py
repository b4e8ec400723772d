"""A card of each kind of model says what its manifest says, for one language and for hundreds."""

import copy

import pytest

from emma500.errors import OutputError
from emma500.languages.labels import inventory
from emma500.publishing import training_tables
from emma500.publishing.config import PublishConfig
from emma500.publishing.metadata import split_card
from emma500.publishing.model_card import model_card
from emma500.publishing.publish import publish
from emma500.publishing.tables import duration, literal, significant, table

HUB = PublishConfig(base_model="HuggingFaceTB/SmolLM2-135M-Instruct")


def card(manifest, config=HUB, **given):
    return model_card(manifest, repo_id="user/m", config=config, **given).render()


def cells(text, start):
    """The cells of the table row that starts so."""
    line = next(line for line in text.splitlines() if line.startswith(f"| {start}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.fixture
def run(manifests):
    return copy.deepcopy(manifests["training-run"])


@pytest.fixture
def massive(run):
    """A run on 200 languages, two stages, validated at the start and the end."""
    rows = inventory()[:200]
    run["plan"] = [
        {"component": "monolingual", "group": row.resource_group, "label": row.label, "replay": False,
         "sources": ["a", "b"], "n_documents": 2, "n_tokens_available": 100, "share": 0.005,
         "stage_shares": [0.004, 0.006], "epochs": 1.0 + place % 2, "n_tokens_trained": 100 * (1 + place % 2)}
        for place, row in enumerate(rows)
    ]  # fmt: skip
    run["languages"] = sorted(row.label for row in rows)
    run["validation"] = [
        {"step": step, "label": row.label, "n_documents": 1, "n_bytes": 10, "bits_per_byte": value, "stderr": None}
        for step, value in ((0, 2.0), (160, 1.0))
        for row in rows
    ]  # fmt: skip
    return run


def test_the_mixture_adds_up_by_component_and_resource_group(run):
    text = card(run)
    total = cells(text, "**all**")
    assert total[2:5] == ["7", "390", "447,775"]
    assert total[-1] == f"{run['n_tokens']:,}"
    assert cells(text, "monolingual | replay")[-3:] == ["25.0%", "0.13", "40,960"]


def test_a_pair_counts_for_both_its_languages(run):
    text = card(run)
    assert cells(text, "`eng_Latn` | high")[2:] == ["40,960", "122,880"]
    assert cells(text, "`swa_Latn` | medium-high")[2:] == ["0", "20,480"]


def test_watched_languages_stand_before_and_after_with_the_limit(run):
    text = card(run).split("### Languages the base model knew")[1]
    assert "| within 5% |" in text
    assert cells(text, "`eng_Latn`")[-2:] == ["+2.3%", "yes"]
    run["config"]["forgetting_limit"] = 0.01
    text = card(run).split("### Languages the base model knew")[1]
    assert cells(text, "`eng_Latn`")[-1] == "more than that"


def test_replay_that_was_raised_is_told_with_what_was_lost(run):
    run["replay_raised"] = [{"step": 40, "replay_share": 0.25, "lost": {"eng_Latn": 0.061}}]
    assert cells(card(run), "40 |") == ["40", "25.0%", "`eng_Latn` +6.1%"]


def test_the_tables_show_the_step_whose_weights_are_kept(run):
    run["kept_step"] = 80
    text = card(run)
    assert "| step 0 | step 80 |" in text
    assert "step 160 |" not in text
    assert "weights are those of step 80 of 160" in text


def test_packing_is_told_with_padding_and_cut_share(run):
    run["packing"] |= {"mode": "isolated", "padding_share": 0.0042, "cut_share": 0.25}
    text = card(run)
    assert cells(text, "places that are padding")[1] == "0.42%"
    assert cells(text, "tokens in documents that were cut")[1] == "25.0%"
    assert "do not see each other" in text
    assert "attention goes across" not in text


def test_hardware_and_carbon_come_from_the_runs_own_record(run, record):
    record = {**record, "seconds": 7200.0}
    record["footprint"] = record["footprint"] | {"kwh": 0.022, "kg_co2e": 0.010582}
    text = card(run, record=record)
    assert cells(text, "duration of training")[1] == "2 h 00 min"
    assert "**an estimate and no measurement**" in text
    assert "2 hours x 1 device x 10 W / 1000 x 1.1 (the data centre's share) = 0.022 kWh" in text
    assert split_card(text)[0]["co2_eq_emissions"]["emissions"] == pytest.approx(10.6)


def test_what_made_a_model_without_a_run_is_told_without_a_speed(manifests, making):
    kinds = {"instructed-model": "fine-tuning", "extended-model": None, "merged-model": None}
    for kind, training_type in kinds.items():
        text = card(manifests[kind], record=making)
        assert cells(text, "duration")[1] == "5 min 18 s"
        assert "tokens a second" not in text
        emitted = split_card(text)[0].get("co2_eq_emissions", {})
        assert emitted.get("training_type") == training_type


def test_without_a_record_or_watts_no_carbon_is_claimed(run, record):
    bare = card(run)
    assert "co2_eq_emissions" not in bare
    assert "### Hardware" not in bare
    record = {**record, "footprint": {"kwh": None, "kg_co2e": None, "watts_a_device": None}}
    unknown = card(run, record=record)
    assert "co2_eq_emissions" not in unknown
    assert "what the device draws is not known" in unknown


def test_two_hundred_languages_are_told_by_group_and_in_a_file(massive):
    text = card(massive)
    assert "200 languages ([mixture.csv](mixture.csv) lists them)" in text
    assert not any(f"`{label}`" in text for label in massive["languages"])
    total = cells(text, "**all**")
    assert total[2] == "200"
    assert total[5:8] == ["100.0%", "80.0%", "120.0%"]
    assert "1.00 to 2.00" in total
    by_group = training_tables.validation_table(massive)
    assert sum(int(row[1]) for row in by_group.rows) == 200
    assert {row[2:] for row in by_group.rows} == {("2.000", "1.000", "-50.0%")}


def test_an_old_run_without_the_new_fields_still_has_a_card(run):
    for name in ("packing", "kept_step", "watched", "replay_raised", "loss_spikes"):
        del run[name]
    for row in run["plan"]:
        del row["group"], row["stage_shares"]
    text = card(run)
    assert "| step 0 | step 160 |" in text
    assert "| packing |" not in text


def test_an_extended_model_shows_fertility_before_and_after(manifests):
    manifest = manifests["extended-model"]
    text = card(manifest)
    rows = {(row["when"], row["label"]): row for row in manifest["report"]}
    found = cells(text, "`hye_Armn`")
    for place, when in ((2, "before"), (3, "after")):
        assert found[place] == f"{rows[when, 'hye_Armn']['tokens_per_word']:.2f}"
    assert cells(text, "`eng_Latn` (kept)")[-1] == "+0.0%"
    assert "with 200 new pieces in its vocabulary for 4 languages" in text
    assert split_card(text)[0]["base_model_relation"] == "finetune"
    assert "## What it read" not in text


def test_hundreds_of_extended_labels_are_means_by_resource_group(manifests):
    manifest = dict(manifests["extended-model"])
    row = manifest["report"][0]
    manifest["report"] = [
        {**row, "when": when, "label": each.label, "resource_group": "low", "tokens_per_word": value}
        for each in inventory()[:90]
        for when, value in (("before", 6.0), ("after", 3.0))
    ]  # fmt: skip
    assert cells(card(manifest), "low (90)")[2:4] == ["6.00", "3.00"]


def test_a_merged_model_names_its_models_with_weights_that_add_up_to_one(manifests):
    manifest = copy.deepcopy(manifests["merged-model"])
    manifest["models"] = [{"name": f"org/{name}", "revision": name * 8} for name in "abc"]
    manifest["config"] |= {"weights": [1.0, 2.0, 1.0]}
    text = card(manifest, PublishConfig())
    assert [cells(text, f"org/{name}")[2] for name in "abc"] == ["0.250", "0.500", "0.250"]
    fields = split_card(text)[0]
    assert fields["base_model"] == ["org/a", "org/b", "org/c"]
    assert fields["base_model_relation"] == "merge"
    manifest["config"] |= {"weights": []}
    assert cells(card(manifest, PublishConfig()), "org/a")[2] == "0.333"
    manifest["models"].pop()
    manifest["config"] |= {"method": "slerp", "t": 0.2}
    text = card(manifest, PublishConfig())
    assert [cells(text, f"org/{name}")[2] for name in "ab"] == ["0.800", "0.200"]
    assert "spherical" in text


def test_an_instructed_model_says_what_was_left_out_and_what_was_learned(manifests):
    manifest = manifests["instructed-model"]
    text = card(manifest)
    assert cells(text, "no roles") == ["no roles", "1"]
    held = manifest["held_out_loss"]
    change = f"{held['after'] / held['before'] - 1:+.1%}"
    assert cells(text, f"{held['n_conversations']} |")[-1] == change
    assert "apply_chat_template" in text
    nothing = {"n_conversations": 0, "before": None, "after": None}
    none = {**manifest, "left_out": {}, "held_out_loss": nothing}
    text = card(none)
    assert "Nothing was left out" in text
    assert "| held-out conversations |" not in text


def test_names_that_look_like_markup_are_shown_as_they_are(manifests):
    manifest = copy.deepcopy(manifests["instructed-model"])
    manifest["base_model"]["name"] = "<b>*my*</b> | model"
    manifest["config"]["turn"] = manifest["identity"]["config"]["turn"] = "<b>{role}|</b>"
    manifest["left_out"] = {"a | b\n<i>": 3}
    text = card(manifest, PublishConfig())
    assert "\n\\<b>\\*my\\*\\</b> | model, tuned on" in text
    assert "| `turn` | \\<b>{role}\\|\\</b> |" in text
    assert "| a \\| b \\<i> | 3 |" in text
    assert table(("a",), "l", [("`<b>` <i>",)]).markdown().endswith("| `<b>` \\<i> |")


@pytest.mark.usefixtures("placeholders")
@pytest.mark.parametrize(
    ("kind", "figure"),
    [("extended-model", "vocabulary"), ("merged-model", ""), ("instructed-model", "training")],
)
def test_every_kind_of_model_is_published_with_the_figures_its_card_shows(
    tmp_path, made, kind, figure
):
    published = publish(made(kind), "user/m", directory=tmp_path / "out")
    assert published.repo_type == "model"
    text = (tmp_path / "out" / "user" / "m" / "README.md").read_text(encoding="utf-8")
    figures = {name for name in published.files if name.endswith(".png")}
    assert figures == ({f"figures/{figure}.png"} if figure else set())
    assert all(f"({name})" in text for name in figures)
    again = publish(tmp_path / kind, "user/m", directory=tmp_path / "out")
    assert again.n_uploaded == 0


@pytest.mark.usefixtures("placeholders")
def test_scores_of_a_merged_model_do_not_call_any_language_trained(tmp_path, made, before, after):
    publish(made("merged-model"), "user/m", scores=[before, after], directory=tmp_path / "out")
    text = (tmp_path / "out" / "user" / "m" / "README.md").read_text(encoding="utf-8")
    assert "mean of all 9 labels" in text
    assert "trained language" not in text
    assert "(not trained)" not in text
    assert "Only the scores above say what it can do" in text


@pytest.mark.usefixtures("placeholders")
def test_one_kind_of_model_does_not_replace_another_unasked(tmp_path, made, model):
    publish(model, "user/m", directory=tmp_path / "out")
    with pytest.raises(OutputError, match="is not a finished merged-model"):
        publish(made("merged-model"), "user/m", directory=tmp_path / "out")


@pytest.mark.usefixtures("placeholders")
def test_the_mixture_of_a_run_lies_beside_its_card_as_a_table(tmp_path, model, run):
    published = publish(model, "user/m", directory=tmp_path / "out")
    assert {"mixture.csv", "training.json", "figures/mixture.png"} <= set(published.files)
    lines = (tmp_path / "out/user/m/mixture.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("component,group,label,replay,sources,")
    assert len(lines) == 1 + len(run["plan"])


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (duration(0.24), "0.2 s"),
        (duration(59.96), "60.0 s"),
        (duration(725), "12 min 05 s"),
        (duration(11220), "3 h 07 min"),
        (duration(86400 * 12 + 4 * 3600), "12 d 4 h"),
        (duration(None), "n/a"),
        (significant(0.00012345), "0.000123"),
        (significant(12.345), "12.3"),
        (significant(1234567.0), "1,234,567"),
        (significant(float("nan")), "n/a"),
        (literal("a_b `c` [d]"), "a_b \\`c\\` \\[d\\]"),
    ],
)
def test_times_and_small_numbers_are_written_for_readers(written, expected):
    assert written == expected
