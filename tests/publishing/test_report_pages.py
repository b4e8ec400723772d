"""The pages of a report show whatever a manifest or a text says, and never take it for markup."""

import base64
import copy
import json
import re
from html.parser import HTMLParser

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emma500.evaluation.aggregation import details_schema
from emma500.evaluation.scores import Scores
from emma500.folder import Corpus
from emma500.publishing.report import report
from emma500.publishing.reporting.excerpts import beginnings, shortened
from emma500.publishing.reporting.pages import image, inline_html, points
from emma500.publishing.tables import code, literal, table
from emma500.training.result import TrainingRun

LABEL = '"><img src=x onerror=alert(1)>_Latn'
NAME = "<script>alert(2)</script> `` ` ** [a](javascript:alert(3)) | \u202e\x1b[31m \ud800 $x$"
BENCHMARK = "../../<b>gf`[x](https://evil.example)"
TEXT = (
    "<iframe src=http://evil.example></iframe> \u202e\u2066 **b** [c](https://evil.example) `d` | e"
)
_TAGS = frozenset(
    re.findall(
        r"\w+",
        "html head meta title style body a header h1 bdi p dl div dt dd nav ul li main section h2 h3 table caption "
        "thead tbody tr th td code strong figure img figcaption label input output svg polyline footer script",
    )
)


class Reader(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text, self._raw = [], "", ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._raw = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag):
        self._raw = ""

    def handle_data(self, data):
        if not self._raw:
            self.text += data

    def having(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def poisoned(manifest):
    """Return a manifest whose names are hostile, and with them one of its labels."""
    text = json.dumps(manifest).replace("swa_Latn", LABEL.replace('"', '\\"'))
    found = json.loads(
        text.replace('"benchmark": "gflanguages"', json.dumps({"benchmark": BENCHMARK})[1:-1])
    )
    found["versions"][NAME] = NAME
    found.get("config", {})["title"] = NAME
    for row in found.get("sources", ()):
        row |= {
            "name": NAME,
            "license": NAME,
            "revision": NAME,
            "url": "https://x.example/\"onclick='alert(4)'",
        }
    for row in found.get("excluded", ()):
        row["reason"] = NAME
    for each in found.get("labels", {}).values():
        each["name"] = NAME
    for name in ("base_model", "model"):
        found.get(name, {})["name"] = NAME
    if found["kind"] == "corpus":
        found["name"] = NAME
    return found


@pytest.fixture
def hostile(tmp_path, manifests, before, after, write_corpus_folder, placeholders):
    corpus = write_corpus_folder(tmp_path / "mala", poisoned(manifests["corpus"]), text=TEXT)
    model = tmp_path / "model"
    model.mkdir()
    (model / "manifest.json").write_text(json.dumps(poisoned(manifests["training-run"])))
    first, second = [
        Scores(poisoned(each.manifest), pa.Table.from_pylist(
            [
                row | {"benchmark": BENCHMARK, "label": LABEL if row["label"] == "swa_Latn" else row["label"]}
                for row in each.details.to_pylist()
            ],
            schema=details_schema(),
        ))
        for each in (before, after)
    ]  # fmt: skip
    return report(Corpus(corpus), TrainingRun(model), first, second, tmp_path / "out", title=NAME)


def test_no_name_leads_out_of_the_folder(hostile, tmp_path):
    assert {path.name for path in tmp_path.iterdir()} == {"mala", "model", "out"}
    figures = sorted(path.name for path in (tmp_path / "out" / "figures").iterdir())
    assert "before-after-..-..-b-gf-x-https-evil.example-.svg" in figures


def test_hostile_names_and_texts_are_text(hostile):
    html = hostile.with_suffix(".html").read_text(encoding="utf-8")
    page = Reader(html)
    assert {tag for tag, _ in page.elements} <= _TAGS
    assert not [name for _, found in page.elements for name in found if name.startswith("on")]
    assert len(page.having("script")) == 1
    assert all(
        found["src"].startswith("data:image/svg+xml;base64,") for found in page.having("img")
    )
    addresses = {found["href"] for found in page.having("a")}
    assert not [
        each
        for each in addresses
        if not each.startswith(("#part-", "#report", "https://x.example/"))
    ]
    for shown in (
        LABEL,
        "<script>alert(2)</script>",
        "<iframe src=http://evil.example></iframe>",
        "[a](javascript",
    ):
        assert shown in page.text
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x1b\ud800]", html)


def test_hostile_names_and_texts_are_text_in_the_markdown(hostile):
    markdown_it = pytest.importorskip("markdown_it")
    text = hostile.read_text(encoding="utf-8")
    page = Reader(markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
    known = _TAGS - {"script", "style", "svg", "section"} | {"em"}
    assert {tag for tag, _ in page.elements} <= known
    assert all(found["src"].startswith("figures/") for found in page.having("img"))
    assert not page.having("a")


def test_the_policy_of_the_page_allows_its_own_script_and_nothing_else(hostile):
    html = hostile.with_suffix(".html").read_text(encoding="utf-8")
    [policy] = [each["content"] for each in Reader(html).having("meta") if each.get("http-equiv")]
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy


def test_a_reader_of_the_page_by_ear_or_by_keys_finds_the_way(hostile):
    page = Reader(hostile.with_suffix(".html").read_text(encoding="utf-8"))
    names = [tag for tag, _ in page.elements]
    assert (
        names.index("a")
        < names.index("header")
        < names.index("nav")
        < names.index("main")
        < names.index("footer")
    )
    assert page.having("html") == [{"lang": "en"}]
    assert names.count("h1") == 1
    assert names.count("table") == names.count("caption")
    assert all(found["scope"] in ("col", "row") for found in page.having("th"))
    assert all(found["alt"].startswith("Figure: ") for found in page.having("img"))
    marks = {found["id"] for _, found in page.elements if "id" in found}
    assert len(marks) == len([found for _, found in page.elements if "id" in found])
    assert {found["href"][1:] for found in page.having("a") if found["href"][0] == "#"} <= marks
    assert {found["for"] for found in page.having("label")} <= marks
    scrolled = [found for found in page.having("div") if "scroll" in found.get("class", "").split()]
    assert scrolled
    assert all(found["tabindex"] == "0" and found["role"] == "region" for found in scrolled)
    level = 1
    for name in names:
        if name in ("h1", "h2", "h3"):
            assert int(name[1]) <= level + 1
            level = int(name[1])


@pytest.mark.parametrize(
    "text",
    ["a < b", "**", "`", "[", "\\", "[a](javascript:b)", "&lt;", "<b>", "a_b_c", "\\`<", "x" * 100],
)
def test_text_that_is_taken_literally_is_shown_as_it_is(text):
    assert Reader(str(inline_html(literal(text)))).text == text
    assert Reader(str(inline_html(code(text)))).text == text


def test_a_huge_cell_is_cut():
    assert len(inline_html("x" * 10**6)) < 5000


@pytest.mark.parametrize("cell", ["``<b>`", "`<b>", "a`b`<b>", "\\\\<b>", "`a``<b>", "\\`<b>`"])
def test_no_cell_of_a_markdown_table_is_html(cell):
    markdown_it = pytest.importorskip("markdown_it")
    text = table(("a",), "l", [(cell,)]).markdown()
    page = Reader(markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
    assert "b" not in {tag for tag, _ in page.elements}


def test_a_figure_says_its_size_and_its_colours_in_the_dark(tmp_path):
    svg = '<?xml version="1.0"?>\n<svg width="720pt" viewBox="0 0 720 360" xmlns="http://www.w3.org/2000/svg">\n<g/></svg>'
    (tmp_path / "a.svg").write_text(svg)
    found = image(tmp_path / "a.svg")
    assert (found.width, found.height) == (960, 480)
    inside = base64.b64decode(found.address.removeprefix("data:image/svg+xml;base64,")).decode()
    assert (
        '<style>@media (prefers-color-scheme:dark){[style*="fill: #ffffff"]{fill:#0d1117!important}'
        in inside
    )


def test_a_curve_falls_where_values_fall():
    assert points((3.0, 2.0, 1.0), 72, 18) == "2.0,2.0 36.0,9.0 70.0,16.0"
    assert points((1.0, 1.0)) == "2.0,9.0 70.0,9.0"


def test_an_excerpt_is_cut_between_words_and_never_within_a_letter():
    assert shortened("ab cd  ef\ngh", 20) == "ab cd ef gh"
    assert shortened("hello brave new world", 18) == "hello brave new…"
    assert shortened("e\u0301" * 20, 5) == "e\u0301e\u0301…"
    assert shortened("a\u202eb\x00c\u200dd") == "a b c\u200dd"


def test_an_excerpt_is_of_a_file_of_the_corpus_alone(corpus, tmp_path):
    corpus.manifest = copy.deepcopy(corpus.manifest)
    [row] = [
        each
        for each in corpus.manifest["splits"]
        if (each["label"], each["split"]) == ("tam_Taml", "train")
    ]
    assert beginnings(corpus)["monolingual", "tam_Taml"].startswith("tam_Taml-train text")
    pq.write_table(pa.table({"text": ["outside"]}), tmp_path / "outside.parquet")
    for file in ("../outside.parquet", str(tmp_path / "outside.parquet")):
        row["files"][:] = [file]
        assert beginnings(corpus)["monolingual", "tam_Taml"] == ""
