"""The report in a real browser: it loads nothing, logs nothing, fits its window, and its search and keys work."""

import os
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emma500.folder import Corpus
from emma500.languages.labels import inventory
from emma500.publishing import corpus_figures, figures, loss_figures, mixture_figures
from emma500.publishing.report import report
from emma500.training.result import TrainingRun
from tests.publishing.chromium import started
from tests.publishing.conftest import write_corpus

_NAMES = ("chromium", "chromium-browser", "chrome-headless-shell", "google-chrome")
_HOSTILE = "<img src=http://x.example/a onerror=alert(1)><script src=http://x.example/b></script>"
_TEXT = "مرحبا بالعالم (1) <img src=http://x.example/c onerror=alert(2)>"
_SVG = """<svg width="576pt" height="216pt" viewBox="0 0 576 216" xmlns="http://www.w3.org/2000/svg">
<path d="M0 0H576V216H0z" style="fill: #ffffff"/><path d="M9 9H500" style="fill: none; stroke: #222222"/></svg>"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    program = os.environ.get("EMMA500_CHROMIUM") or next(
        filter(None, map(shutil.which, _NAMES)), None
    )
    if program is None:
        pytest.skip(
            f"no browser: none of {', '.join(_NAMES)} is on PATH, and EMMA500_CHROMIUM names none"
        )
    with started(program, tmp_path_factory.mktemp("browser")) as page:
        yield page


def wide(manifest):
    """Return the manifest of a corpus of all 939 labels of MaLA."""
    entries = inventory()
    fields = ("name", "iso639_3", "script", "macrolanguage", "resource_group")
    sizes = {"n_documents": 3, "n_words": 300, "n_chars": 1500, "n_bytes": 2000}
    keys = [{"component": "monolingual", "label": each.label} for each in entries]
    return manifest | {
        "fingerprint": "wide",
        "splits": [
            key
            | sizes
            | {
                "split": "train",
                "files": [f"data/{key['label']}/train-0.parquet"],
                "n_words": place,
            }
            for place, key in enumerate(keys)
        ],
        "counts": [
            key | sizes | {"source": "gflanguages", "stage": stage}
            for key in keys
            for stage in manifest["stages"]
        ],
        "excluded": [],
        "labels": {
            each.label: {name: getattr(each, name) for name in fields}
            | {"licenses": [], "sources": []}
            for each in entries
        },
    }


def draw_small(folder, name, figure, size):
    """Write a figure of two lines in the place of one that takes seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.svg").write_text(_SVG, encoding="utf-8")
    return folder / f"{name}.svg"


@pytest.fixture(scope="module")
def page(tmp_path_factory, manifests, results, before, after):
    folder = tmp_path_factory.mktemp("page")
    corpus = write_corpus(folder / "mala", wide(manifests["corpus"]), text="text", rows=1)
    arabic = corpus / "data" / "arb_Arab" / "train-0.parquet"
    pq.write_table(pa.table({"id": ["1"], "text": [_TEXT]}), arabic)
    with pytest.MonkeyPatch.context() as patched:
        for module in (figures, corpus_figures, loss_figures, mixture_figures):
            patched.setattr(module, "draw", draw_small)
        run = TrainingRun(results[1])
        return report(
            Corpus(corpus), run, before, after, folder / "out", title=_HOSTILE
        ).with_suffix(".html")


def visible(rows="tr[data-words]", within="#languages"):
    return (
        f"[...document.querySelectorAll('{within} {rows}')].filter(row => row.offsetParent).length"
    )


def test_a_page_of_all_labels_is_small_and_readable_without_a_script(page):
    html = page.read_text(encoding="utf-8")
    assert page.stat().st_size < 1_200_000
    assert html.count("<tr data-words") > len(inventory())
    assert "<tr hidden" not in html
    assert html.count(" hidden>") == html.count('role="search"')


def test_the_page_loads_nothing_logs_nothing_and_fits_its_window(browser, page):
    browser.open(page.as_uri())
    assert browser.run("document.querySelector('h1').textContent") == _HOSTILE
    assert browser.run("document.scripts.length") == 1
    for dark, ground in ((False, "rgb(255, 255, 255)"), (True, "rgb(13, 17, 23)")):
        for width in (390, 1280):
            browser.look(width, dark=dark)
            assert browser.run("document.documentElement.scrollWidth") == width
        assert browser.run("getComputedStyle(document.body).backgroundColor") == ground
        assert browser.run(_WORST_CONTRAST) >= 4.5
    assert browser.requests == [page.as_uri()]
    assert browser.complaints == []


def test_the_search_narrows_the_table(browser, page):
    browser.open(page.as_uri())
    assert browser.run(visible()) > len(inventory())
    for wanted, expected in (
        ("yor_Latn", ["yor_Latn"]),
        ("Èdè Yorùbá", ["yor_Latn"]),
        ("ede yoruba", ["yor_Latn"]),
        ("ไทย", ["tha_Thai"]),
        ("no such language", []),
    ):
        browser.run("document.querySelector('#languages input').select()")
        browser.call("Input.insertText", text=wanted)
        shown = browser.run(
            "[...document.querySelectorAll('#languages tr[data-words]')].filter(row => !row.hidden)"
            ".map(row => row.cells[0].textContent)"
        )
        assert shown == expected, wanted
        assert browser.run("document.querySelector('#languages output').value").startswith(
            f"{len(expected)} of "
        )
        assert browser.run(visible()) == len(expected)


def test_a_column_sorts_by_its_numbers_and_says_so(browser, page):
    browser.open(page.as_uri())
    browser.run(
        "var head = [...document.querySelectorAll('#languages thead th')].find(each => each.textContent === 'words')"
    )
    words = "[...document.querySelectorAll('#languages tbody tr')].map(row => row.cells[head.cellIndex].textContent)"
    for direction, first in (("ascending", "0"), ("descending", str(len(inventory()) - 1))):
        browser.run("head.querySelector('button').focus()")
        browser.press("Enter", 13, "\r")
        assert browser.run("head.getAttribute('aria-sort')") == direction
        values = browser.run(words)
        assert values[0] == first
        known = [int(value.replace(",", "")) for value in values if value]
        assert known == sorted(known, reverse=direction == "descending")
        assert values[len(known) :] == [""] * (len(values) - len(known))


def test_text_from_right_to_left_stands_on_the_right(browser, page):
    browser.open(page.as_uri())
    cell = "[...document.querySelector('#languages tr[data-words^=arb_Arab]').cells].pop()"
    assert browser.run(f"getComputedStyle({cell}).direction") == "rtl"
    assert browser.run(f"{cell}.lang") == "arb-Arab"
    assert "<img src=http" in browser.run(f"{cell}.textContent")
    other = "[...document.querySelector('#languages tr[data-words^=yor_Latn]').cells][2]"
    assert browser.run(f"getComputedStyle({other}).direction") == "ltr"


def test_the_keyboard_reaches_everything_and_the_focus_is_seen(browser, page):
    browser.open(page.as_uri())
    browser.press("Tab", 9)
    assert browser.run("document.activeElement.className") == "skip"
    assert browser.run("document.activeElement.getBoundingClientRect().left") == 0
    assert browser.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    browser.press("Enter", 13, "\r")
    assert browser.run("document.activeElement.id") == "report"
    seen = set()
    for _ in range(200):
        browser.press("Tab", 9)
        kind = browser.run(
            "document.activeElement.localName + '.' + document.activeElement.className.split(' ').pop()"
        )
        assert browser.run("getComputedStyle(document.activeElement).outlineStyle") == "solid", kind
        seen.add(kind)
        if browser.run("document.activeElement.closest('#languages .scroll') !== null"):
            break
    assert {"a.", "div.scroll", "input.", "button."} <= seen


_WORST_CONTRAST = """(() => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(each => each / 255)
      .map(each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = element => {
    const colour = getComputedStyle(element).backgroundColor;
    return colour === "rgba(0, 0, 0, 0)" && element.parentElement ? ground(element.parentElement) : colour;
  };
  const seen = new Map();
  const kinds = new Map([...document.querySelectorAll("body *")].map(each => [each.localName + each.className, each]));
  for (const element of kinds.values()) {
    if (element.textContent.trim()) seen.set([getComputedStyle(element).color, ground(element)].join("|"), 0);
  }
  return Math.min(...[...seen.keys()].map(key => {
    const [one, other] = key.split("|").map(light).sort((a, b) => b - a);
    return (one + 0.05) / (other + 0.05);
  }));
})()"""
