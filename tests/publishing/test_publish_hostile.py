"""Names and texts of anybody on cards and in folders: no markup, no other direction, no way out of the folder."""

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from emma500.errors import SourceError
from emma500.evaluation.scores import Scores
from emma500.folder import Corpus
from emma500.folder.front_matter import front_matter
from emma500.publishing.checks import check_dataset
from emma500.publishing.contents import is_inside
from emma500.publishing.generations import file_name
from emma500.publishing.metadata import split_card
from emma500.publishing.publish import PublishConfig, publish
from emma500.publishing.shown import shown, without_hidden

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</details><h1>owned</h1>",
    "![x](http://evil.example/pixel.png)",
    "[click](javascript:alert(1))",
    "`</code><b>out</b>`",
    "a``b```c<i>",
    "| cell | other |\n|---|---|",
    "\n\n# heading\n\n---\nlicense: mit\n---\n",
    "---\nconfigs: []\n---",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}",
    "\u202etxt.exe\u202c \u2066hidden\u2069",
    "null\x00byte\x1b[31mred\x07",
    "<!-- hidden",
    "&lt;b&gt; \\<b> \\\\`",
    "\ud800lone",
    "<" * 50_000,
    "'; DROP TABLE rows; --",
    '"quoted": [1, 2]',
    "../../../../etc/passwd",
    "http://a) <b>x</b> (",
)
_KEYS = {
    "name",
    "url",
    "revision",
    "license",
    "reason",
    "script_name",
    "contact",
    "identify",
    "source",
}
"""Fields of a manifest that hold what somebody wrote, not what emma500 computes with."""

_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

pytestmark = pytest.mark.usefixtures("placeholders")


def poisoned(value, draw, names=None):
    """Return a manifest in which what somebody wrote is hostile; one name stays one name."""
    names = {} if names is None else names
    if isinstance(value, dict):
        return {
            key: names.setdefault(each, f"{each}{hostile(draw)}")
            if key in _KEYS and isinstance(each, str)
            else poisoned(each, draw, names)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [poisoned(each, draw, names) for each in value]
    return value


def hostile(draw):
    parts = draw.choices(HOSTILE, k=draw.randint(1, 2))
    letters = "".join(
        draw.choices("<>`[](){}|*_#!\\\n\r\t\u2028\u202e'\"&aé漢\U0001f600", k=draw.randint(0, 30))
    )
    return letters.join(["", *parts])


def place(published):
    """The folder something was published to."""
    assert published.path is not None
    return published.path


def check_card(text):
    """A card's body has no element, image, link or heading but those of its template."""
    markdown_it = pytest.importorskip("markdown_it")
    fields, body = split_card(text)
    assert not _HIDDEN.search(text)
    parser = markdown_it.MarkdownIt("commonmark").enable("table")
    found: dict[str, list[str]] = {"html": [], "links": [], "images": []}
    tokens = parser.parse(body)
    for token in [*tokens, *(child for each in tokens for child in each.children or ())]:
        if token.type in ("html_block", "html_inline"):
            found["html"] += re.findall(r"<\s*[/!]?\s*\w*", token.content)
        elif token.type == "link_open":
            found["links"].append(token.attrs["href"])
        elif token.type == "image":
            found["images"].append(token.attrs["src"])
    assert set(found["html"]) <= {"<details", "<summary", "</summary", "</details"}
    assert all(each.startswith("figures/") for each in found["images"]), found["images"]
    assert not [each for each in found["links"] if each.startswith("javascript")]
    assert not [each for each in tokens if each.type == "inline" and each.content == "owned"]
    return fields


@pytest.mark.parametrize("seed", range(4))
def test_a_corpus_of_hostile_names_has_a_harmless_card(
    seed, manifests, tmp_path, write_corpus_folder
):
    draw = random.Random(seed)
    manifest = poisoned(manifests["corpus"], draw)
    folder = write_corpus_folder(tmp_path / "mala", manifest)
    done = publish(folder, "user/mala", directory=tmp_path / "out")
    text = (place(done) / "README.md").read_text(encoding="utf-8")
    fields = check_card(text)
    assert {each["config_name"] for each in fields["configs"]} >= {"yor_Latn", "default"}
    assert fields["license"] == "other"
    check_card("---\nname: x\n---\n" + (place(done) / "LICENSE.md").read_text(encoding="utf-8"))
    assert len(text) < 400_000
    published = json.loads((place(done) / "manifest.json").read_text(encoding="utf-8"))
    assert published["sources"] == manifest["sources"], "the manifest says what is, escaped as JSON"


@pytest.mark.parametrize(
    "kind", ["training-run", "extended-model", "merged-model", "instructed-model"]
)
def test_a_model_of_hostile_names_has_a_harmless_card(kind, manifests, made, tmp_path):
    folder = made(kind)
    manifest = poisoned(manifests[kind], random.Random(kind))
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    done = publish(folder, "user/model", directory=tmp_path / "out")
    check_card((place(done) / "README.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("generations", [False, True])
def test_scores_and_generations_of_hostile_names_have_harmless_cards(
    written, generations, tmp_path
):
    draw = random.Random(9)
    samples = written.samples.to_pylist()
    for row in samples:
        row["prompt"], row["outputs"] = (
            hostile(draw).replace("\ud800", ""),
            [hostile(draw).replace("\ud800", "")],
        )
        row["benchmark"] = "../<b>`x`"
    manifest = json.loads(json.dumps(written.manifest))
    manifest["model"]["name"] = HOSTILE[5] + HOSTILE[0]
    for row in manifest["results"]:
        row["model"] = manifest["model"]["name"]
    hurt = Scores(
        manifest,
        written.details,
        samples=written.samples.from_pylist(samples, schema=written.samples.schema),
    )
    done = publish(
        hurt, "user/x", PublishConfig(generations=generations), scores=[] if generations else [written],
        directory=tmp_path / "out",
    )  # fmt: skip
    check_card((place(done) / "README.md").read_text(encoding="utf-8"))
    assert all(is_inside(name) for name in done.files)
    assert (place(done) / "data" / "b-x.parquet").is_file() == generations


def test_what_a_user_puts_on_a_card_keeps_its_direction(corpus, tmp_path):
    config = PublishConfig(title="\u202eevil", contact="a@b.c\x1b[31m", tags=["<b>", "a: b\n- c"])
    done = publish(corpus, "user/mala", config, directory=tmp_path / "out")
    text = (place(done) / "README.md").read_text(encoding="utf-8")
    assert not _HIDDEN.search(text)
    assert check_card(text)["tags"][-2:] == ["<b>", "a: b\n- c"]


def test_plain_text_stays_as_it_is_and_hostile_text_is_one_harmless_line():
    for text in ("Yorùbá", "ქართული", "Māori - te reo", "a(b) 'c' \"d\" e|f *g*", "می‌خواهم"):
        assert shown(text) == text
    draw = random.Random(1)
    for _ in range(2000):
        found = shown(hostile(draw))
        assert not set("<`[]\\\n\r\u2028") & set(found)
        assert not _HIDDEN.search(found)
        assert len(found) <= 2001
    assert shown({"a<": ["b`", 1, None, 2.5]}) == {"a＜": ["b｀", 1, None, 2.5]}  # noqa: RUF001
    assert without_hidden("a\nb\u202ec") == "a\nbc"


@pytest.mark.parametrize(
    "name", ["pytorch_model.bin", "sub/weights.PT", "a.ckpt", "state.pkl", "x.pth"]
)
def test_weights_that_can_run_code_are_refused(model, name, tmp_path):
    (model / name).parent.mkdir(exist_ok=True)
    (model / name).write_bytes(b"\x80\x04")
    with pytest.raises(SourceError, match="only safetensors are published"):
        publish(model, "user/m", directory=tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.*"))


def test_a_link_to_another_place_is_refused_and_one_inside_is_not(model, corpus, tmp_path):
    secret = tmp_path / "id_rsa"
    secret.write_text("secret")
    (model / "same.json").symlink_to(model / "config.json")
    publish(model, "user/m", directory=tmp_path / "out")
    for folder in (model, Path(corpus.root)):
        (folder / "notes.txt").symlink_to(secret)
        with pytest.raises(SourceError, match="a link to a place outside of that folder"):
            publish(folder, "user/m", PublishConfig(overwrite=True), directory=tmp_path / "out")


@pytest.mark.parametrize(
    "file", ["../../secret.parquet", "/etc/passwd", "data\\..\\x", "http://evil/x"]
)
@pytest.mark.parametrize("part", ["splits", "excluded_files", "clusters", "decisions"])
def test_a_manifest_whose_files_leave_its_folder_is_no_corpus(corpus, file, part):
    manifest = Path(corpus.root) / "manifest.json"
    found = json.loads(manifest.read_text(encoding="utf-8"))
    if part in ("splits", "excluded_files"):
        found[part] = [
            *found.get(part, []),
            {**found["splits"][0], "stage": "filter", "files": [file]},
        ]
    else:
        found[part] = {"files": [file]}
    manifest.write_text(json.dumps(found), encoding="utf-8")
    with pytest.raises(SourceError, match="names a file outside of it"):
        Corpus(corpus.root)


@pytest.mark.parametrize("pattern", ["../*.parquet", "/etc/*", "data/../../x"])
def test_a_configuration_that_leaves_the_repository_is_refused(tmp_path, pattern):
    (tmp_path / "README.md").write_text(
        f"---\nconfigs:\n- {{config_name: default, default: true, data_files: {pattern}}}\n---\n"
    )
    with pytest.raises(SourceError, match="leaves the repository"):
        check_dataset(tmp_path, "user/mala")


def test_yaml_that_makes_objects_is_refused():
    with pytest.raises(SourceError, match=r"the YAML of README.md is not valid"):
        split_card("---\nx: !!python/object/apply:os.system ['true']\n---\n")


def test_names_become_files_only_inside_their_folder():
    draw = random.Random(2)
    for _ in range(500):
        name = file_name(hostile(draw))
        assert re.fullmatch(r"[\w-]+", name, re.ASCII)
    assert [is_inside(each) for each in ("a/b", "a..b/c", "../a", "/a", "a/../b", "a\\b", "a\0")] == [
        True, True, False, False, False, False, False,
    ]  # fmt: skip


def test_a_thousand_labels_and_four_stages_stay_within_the_yaml_that_the_hub_takes(tmp_path):
    labels = [
        f"a{chr(97 + n // 26 % 26)}{chr(97 + n % 26)}_Lat{chr(97 + n // 676)}" for n in range(1000)
    ]
    configs: list[dict[str, Any]] = [
        {"config_name": label, "data_files": [
            {"split": split, "path": f"data/{label}/{split}-*.parquet"} for split in ("train", "validation")
        ]}
        for label in labels
    ]  # fmt: skip
    configs += [
        {"config_name": stage, "data_files": f"excluded/{stage}/*.parquet"}
        for stage in ("integration", "filter", "dedup")
    ]  # fmt: skip
    configs.append(
        {"config_name": "default", "default": True, "data_files": "data/*/train-*.parquet"}
    )
    (tmp_path / "README.md").write_text(front_matter({"configs": configs}), encoding="utf-8")
    for config in configs:
        files = config["data_files"]
        for pattern in [files] if isinstance(files, str) else [each["path"] for each in files]:
            path = tmp_path / pattern.replace("*", "0")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    check_dataset(tmp_path, "user/mala")
    assert 100_000 < (tmp_path / "README.md").stat().st_size < 300_000
