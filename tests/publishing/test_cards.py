"""Cards say what the manifests say, in YAML that the Hub reads as meant."""

import copy
import os
from pathlib import Path

import pytest
import yaml

from emma500.errors import SourceError
from emma500.folder.front_matter import front_matter
from emma500.publishing.checks import check_dataset
from emma500.publishing.comparison import compare
from emma500.publishing.config import PublishConfig
from emma500.publishing.corpus_card import corpus_card, license_file
from emma500.publishing.metadata import (
    hub_languages,
    hub_license,
    is_hub_id,
    size_category,
    split_card,
)
from emma500.publishing.model_card import model_card
from emma500.publishing.publish import publish
from emma500.publishing.scores_card import scores_card
from emma500.publishing.summary import trained_languages

EXAMPLES = Path(__file__).parents[2] / "dataset_cards"
MODEL_CONFIG = PublishConfig(
    base_model="HuggingFaceTB/SmolLM2-135M-Instruct", datasets=["user/mala"], license="Apache-2.0"
)


def corpus_text(manifest, config=None, **fields):
    return corpus_card(
        manifest, fields, repo_id="user/mala", config=config or PublishConfig()
    ).render()


@pytest.mark.usefixtures("placeholders")
def test_the_rendered_examples_are_what_the_templates_give(
    tmp_path, corpus, model, made, before, after, written
):
    hub = PublishConfig(base_model="HuggingFaceTB/SmolLM2-135M-Instruct", license="apache-2.0")
    for what, name, config, scores in (
        (corpus, "mala", PublishConfig(), ()),
        (model, "model", MODEL_CONFIG, (before, after)),
        (made("extended-model"), "extended", hub, ()),
        (made("merged-model"), "merged", hub, ()),
        (made("instructed-model"), "instructed", hub, ()),
        (after, "scores", PublishConfig(license="cc-by-4.0"), (before,)),
        (written, "generations", PublishConfig(license="cc-by-4.0", generations=True), ()),
    ):
        publish(what, f"user/{name}", config, scores=scores, directory=tmp_path)
        text = (tmp_path / "user" / name / "README.md").read_text(encoding="utf-8")
        example = EXAMPLES / f"example-{name}" / "README.md"
        if os.environ.get("EMMA500_UPDATE_EXAMPLES"):
            example.parent.mkdir(exist_ok=True)
            example.write_text(text, encoding="utf-8")
        assert example.read_text(encoding="utf-8") == text, (
            f"render again: EMMA500_UPDATE_EXAMPLES=1 for {name}"
        )


def test_a_corpus_card_keeps_the_configs_of_the_folder_and_puts_them_last(manifests):
    configs = [
        {"config_name": "yor_Latn", "data_files": "data/yor_Latn/*", "description": "build 1"},
        {"config_name": "default", "default": True, "data_files": "data/*/*"},
    ]
    fields, body = split_card(
        corpus_text(manifests["corpus"], configs=configs, license="mit", viewer=False)
    )

    assert fields["configs"] == configs
    assert list(fields)[-1] == "configs"
    assert fields["viewer"] is False
    assert fields["license"] == "other"
    assert body.startswith("# mala\n")


def test_every_count_on_the_corpus_card_follows_the_manifest(manifests):
    manifest = copy.deepcopy(manifests["corpus"])
    row = next(
        row for row in manifest["splits"] if row["label"] == "yor_Latn" and row["split"] == "train"
    )
    row["n_documents"] = 7_654_321
    text = corpus_text(manifest)

    label = next(line for line in text.splitlines() if line.startswith("| `yor_Latn`"))
    assert "| 7,654,322 | 1 |" in label
    total = sum(each["n_documents"] for each in manifest["splits"])
    assert f"**{total:,} documents**" in text
    assert split_card(text)[0]["size_categories"] == ["1M<n<10M"]


def test_exclusions_are_listed_by_stage_and_reason_with_their_sums(manifests):
    expected = sum(
        row["n_documents"]
        for row in manifests["corpus"]["excluded"]
        if (row["component"], row["reason"]) == ("monolingual", "too_few_words")
    )
    line = next(
        line for line in corpus_text(manifests["corpus"]).splitlines() if "`too_few_words`" in line
    )
    assert [cell.strip() for cell in line.split("|")[1:4]] == [
        "filter",
        "`too_few_words`",
        str(expected),
    ]


def test_the_language_of_norwegian_text_is_not_read_as_false(manifests):
    text = corpus_text(manifests["corpus"])
    assert "\n- 'no'\n" in text
    languages = yaml.safe_load(text.split("---\n")[1])["language"]
    assert all(isinstance(each, str) for each in languages)
    assert "no" in languages
    assert languages == [*sorted(languages[:-1]), "code"]


def test_languages_are_named_by_two_letters_where_there_are_two():
    assert hub_languages(["yor", "swh", "swa", "und", "nor", "", "ber", "qaa"]) == [
        "ber", "no", "sw", "swh", "yo",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("licenses", "expected"),
    [
        (["Apache-2.0"], {"license": "apache-2.0"}),
        (
            ["PSF-2.0"],
            {"license": "other", "license_name": "psf-2.0", "license_link": "LICENSE.md"},
        ),
        (
            ["MIT", "Apache-2.0"],
            {"license": "other", "license_name": "mixed-by-source", "license_link": "LICENSE.md"},
        ),
        ([""], {}),
    ],
)
def test_a_licence_is_one_the_hub_knows_or_other_with_a_name_and_a_link(licenses, expected):
    assert hub_license(licenses) == expected


def test_the_licence_file_names_every_source_with_its_licence(manifests):
    text = license_file(manifests["corpus"])
    for source in manifests["corpus"]["sources"]:
        line = next(line for line in text.splitlines() if f"[{source['name']}]" in line)
        assert source["license"] in line


@pytest.mark.parametrize(
    ("n_rows", "band"),
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (824_792_579, "100M<n<1B"), (10**13, "n>1T")],
)
def test_a_size_band_counts_rows(n_rows, band):
    assert size_category(n_rows) == band


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("user/model", True),
        ("SmolLM2-135M-Instruct.Q4_1", False),
        ("/home/user", False),
        ("dir/model.gguf", False),
    ],
)
def test_a_hub_id_is_told_from_a_file(name, expected):
    assert is_hub_id(name) is expected


def test_front_matter_without_values_leaves_the_fields_out():
    assert (
        front_matter({"a": None, "b": [], "configs": [{"x": ["y"]}], "c": "no"})
        == "---\nc: 'no'\nconfigs:\n- x: [y]\n---\n"
    )


def test_a_readme_with_broken_yaml_is_refused_with_its_reason():
    with pytest.raises(SourceError, match=r"YAML of README.md is not valid: .*line 1"):
        split_card("---\na: [1\n---\nbody")


def test_a_model_card_names_the_base_model_the_corpus_and_the_mean_gain(manifests, before, after):
    comparisons = compare(before, after, manifests["training-run"])
    text = model_card(
        manifests["training-run"],
        repo_id="user/m",
        config=MODEL_CONFIG,
        comparisons=comparisons,
        scores=after.manifest,
    ).render()
    fields = split_card(text)[0]

    assert fields["base_model"] == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert fields["datasets"] == ["user/mala"]
    assert fields["license"] == "apache-2.0"
    mean = after.compare(before, labels=trained_languages(manifests["training-run"]))
    mean = mean[(mean["label"] == "mean") & (mean["resource_group"] == "all")].iloc[0]
    line = next(line for line in text.splitlines() if "mean of 6 trained languages" in line)
    assert f"{mean['difference']:+.3f} ± {mean['stderr']:.3f}" in line
    aggregate = next(
        row["value"]
        for row in after.aggregates
        if (row["metric"], row["group"]) == ("bits_per_byte", "all")
    )
    assert fields["model-index"][0]["results"][0]["metrics"][0]["value"] == round(aggregate, 4)


def test_a_model_card_says_which_languages_got_worse(manifests, before, after):
    comparisons = compare(before, after, manifests["training-run"])
    text = model_card(
        manifests["training-run"], repo_id="user/m", config=PublishConfig(), comparisons=comparisons
    ).render()
    assert "`eng_Latn` +2.2% bits per byte on gflanguages" in text
    assert "| `eng_Latn` (replay) |" in text
    assert "| `yor_Latn` (not trained) |" in text


def test_a_model_card_without_scores_or_hub_ids_claims_none(manifests):
    text = model_card(manifests["training-run"], repo_id="user/m", config=PublishConfig()).render()
    fields = split_card(text)[0]
    assert not {"base_model", "datasets", "license", "model-index"} & set(fields)
    assert "## Before and after" not in text
    assert "| `swa_Latn` | 6 |" in text


def test_contaminated_benchmarks_are_flagged_on_every_card(manifests, before, after):
    tainted = copy.copy(after)
    tainted.manifest = copy.deepcopy(after.manifest)
    tainted.manifest["benchmarks"][0]["contaminated"] = True
    comparisons = compare(before, tainted, manifests["training-run"])
    run_card = model_card(
        manifests["training-run"], repo_id="u/m", config=PublishConfig(), comparisons=comparisons
    ).render()
    own_card = scores_card(
        tainted.manifest, repo_id="u/s", config=PublishConfig(), configs=[]
    ).render()
    assert "Part of this text was trained on" in run_card
    assert "## Contamination" in own_card
    clean = scores_card(after.manifest, repo_id="u/s", config=PublishConfig(), configs=[]).render()
    assert "## Contamination" not in clean


def test_missing_labels_stand_on_the_card_with_the_nearest_one(after):
    text = scores_card(after.manifest, repo_id="u/s", config=PublishConfig(), configs=[]).render()
    assert "| gflanguages | `swh_Latn` | swa_Latn |" in text


def test_no_placeholder_is_left_on_any_example():
    for card in EXAMPLES.glob("example-*/README.md"):
        text = card.read_text(encoding="utf-8")
        for trace in ("{{", "}}", "{%", "None", " nan", "More Information"):
            assert trace not in text.replace("{{EMMA-500}", ""), f"{trace} in {card.parent.name}"


def test_a_dataset_whose_config_finds_no_file_is_refused(tmp_path):
    write_card(tmp_path, [{"config_name": "a", "data_files": "data/a/*.parquet", "default": True}])
    with pytest.raises(SourceError, match=r"'a' finds no file 'data/a/\*.parquet'"):
        check_dataset(tmp_path, "user/x")


def test_a_dataset_without_one_default_is_refused(tmp_path):
    write_card(tmp_path, [{"config_name": "a", "data_files": "README.md"}])
    with pytest.raises(
        SourceError, match="exactly one configuration must be the default, not none"
    ):
        check_dataset(tmp_path, "user/x")


def test_a_file_that_datasets_takes_for_a_loading_script_is_refused(tmp_path):
    write_card(tmp_path, [{"config_name": "a", "data_files": "README.md", "default": True}])
    check_dataset(tmp_path, "user/mala")
    (tmp_path / "mala.py").touch()
    with pytest.raises(SourceError, match=r"mala.py looks like a loading script"):
        check_dataset(tmp_path, "user/mala")


def test_a_card_too_large_for_the_hub_is_refused_with_a_way_out(tmp_path):
    write_card(
        tmp_path, [{"config_name": "a" * 420_000, "data_files": "README.md", "default": True}]
    )
    with pytest.raises(SourceError, match="no more than 419,000: build with fewer languages"):
        check_dataset(tmp_path, "user/x")


def write_card(folder, configs):
    (folder / "README.md").write_text(front_matter({"configs": configs}), encoding="utf-8")
