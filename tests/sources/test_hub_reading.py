"""Data sets read from a Hub on loopback: which files are asked for, and what happens when it does not answer."""

import gzip
import io
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

N_ROWS = 2000


def parquet(name, n_rows=N_ROWS, **columns):
    sink = io.BytesIO()
    noise = [f"{n * 2654435761 % 2**32:032b}" * 20 for n in range(n_rows)]
    table = pa.table({"text": [f"{name} {n}" for n in range(n_rows)], "noise": noise, **columns})
    pq.write_table(table, sink, row_group_size=500, compression="none", use_dictionary=False)
    return sink.getvalue()


def card(*configs):
    entries = "".join(f"- config_name: {name}\n  data_files: {files}\n" for name, files in configs)
    return f"---\nconfigs:\n{entries}---\n".encode()


@pytest.fixture
def texts(hub):
    """A data set with a configuration a language, two files each."""
    codes = ("fin_Latn", "swh_Latn", "yor_Latn")
    files = {"README.md": card(*((code, f"data/{code}/*.parquet") for code in codes))}
    for code in codes:
        for number in range(2):
            files[f"data/{code}/train-{number:05d}.parquet"] = parquet(f"{code} {number}")
    return hub.put("emma/texts", files)


READ_ONE = """
(source,) = resolve("emma/texts:swh_Latn", delay=0.01)
rows = read(source)
print(json.dumps([source.info.revision, len(rows), rows[-1]["text"], rows[-1]["original_code"], rows[-1]["origin"],
                  len({row["origin"] for row in rows}), rows == read(source)]))
"""
ONE = [
    2 * N_ROWS,
    "swh_Latn 1 1999",
    "swh_Latn",
    "data/swh_Latn/train-00001.parquet:2000",
    2 * N_ROWS,
    True,
]


def test_a_configuration_is_read_at_its_commit_and_nothing_else_is_fetched(hub, client, texts):
    assert client(READ_ONE) == [texts, *ONE]
    fetched = {
        line.split("resolve/")[1].split()[0]
        for line in hub.requests("GET /datasets/emma/texts/resolve/")
    }
    data = {each for each in fetched if ".parquet" in each}
    assert data == {f"{texts}/data/swh_Latn/train-{n:05d}.parquet" for n in range(2)}


def test_only_the_columns_needed_are_fetched(hub, client):
    data = parquet("x")
    hub.put("emma/wide", {"a.parquet": data})
    served = client("""
import huggingface_hub, emma500.sources.remote as remote
sizes, fetch = [], remote._fetch
def counting(file, start, end):
    sizes.append(end - start)
    return fetch(file, start, end)
remote._fetch = counting
(source,) = resolve("emma/wide", delay=0.01)
assert len(read(source)) == 2000
remote._fetch = fetch
print(json.dumps(sum(sizes)))
""")
    assert served < len(data) / 4


def test_languages_choose_the_configurations_in_any_code(client, texts):
    code = """
found = resolve("emma/texts", languages=["sw", "Finnish"], delay=0.01)
print(json.dumps([len(found), sorted({row["original_code"] for row in read(found[0])}),
                  error(lambda: resolve("emma/texts", languages=["ibo"], delay=0.01))]))
"""
    n_sources, codes, (kind, message) = client(code)
    assert (n_sources, codes) == (1, ["fin_Latn", "swh_Latn"])
    assert kind == "SourceError"
    assert "has no configuration for ibo: there are 3, as fin_Latn" in message


def test_languages_choose_files_where_there_are_no_configurations(hub, client):
    """As MaLA's own data sets lie on the Hub: a folder a language, one configuration for all."""
    lines = gzip.compress(b'{"text": "one"}\n{"text": "two"}\n{"text": bad}\n')
    hub.put("emma/folders", {f"{code}/a.jsonl.gz": lines for code in ("fin_Latn", "swh_Latn")})
    code = """
found = resolve("emma/folders", languages=["swh_Latn"], delay=0.01)
print(json.dumps(column(found, "origin", "text", "original_code", "reason")))
"""
    assert client(code) == [
        ["swh_Latn/a.jsonl.gz:1", "one", "swh_Latn", None],
        ["swh_Latn/a.jsonl.gz:2", "two", "swh_Latn", None],
        ["swh_Latn/a.jsonl.gz:3", None, "swh_Latn", "invalid_json"],
    ]
    assert not hub.requests("fin_Latn/a.jsonl.gz")


def test_a_later_commit_is_another_fingerprint_and_the_pinned_one_is_still_read(hub, client, texts):
    hub.put("emma/texts", {"a.jsonl": b'{"text": "new"}\n'})
    code = f"""
(old,), (new,) = resolve("emma/texts@{texts}:yor_Latn", delay=0.01), resolve("emma/texts", delay=0.01)
print(json.dumps([len(read(old)), len(read(new)), old.fingerprint() != new.fingerprint(),
                  old.fingerprint() == resolve("emma/texts@{texts}:yor_Latn")[0].fingerprint()]))
"""
    assert client(code) == [2 * N_ROWS, 1, True, True]


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": 503}, {"status": 429}, {"drop": True}]
)
def test_a_reading_that_is_interrupted_goes_on_at_its_row(hub, client, texts, fault):
    hub.server.fault(r"GET .*resolve/.*parquet", times=3, skip=2, **fault)
    assert client(READ_ONE) == [texts, *ONE]
    assert not any(each["times"] for each in hub.server.faults)


def test_an_answer_that_breaks_off_is_asked_for_again(hub, client, texts):
    hub.cuts = 2
    assert client(READ_ONE) == [texts, *ONE]
    assert hub.cuts == 0


def test_the_hub_is_waited_for_as_long_as_it_asks_but_not_for_hours(hub, client, texts):
    hub.limits = ["0.4", "0.4"]
    code = """
start = time.monotonic()
(source,) = resolve("emma/texts:swh_Latn", delay=0.0)
n_rows = len(read(source))
print(json.dumps([n_rows, time.monotonic() - start]))
"""
    n_rows, seconds = client(code)
    assert n_rows == 2 * N_ROWS
    assert seconds > 0.8
    hub.limits = ["86400"] * 9
    kind, message = client(
        """print(json.dumps(error(lambda: read(resolve("emma/texts:swh_Latn")[0]))))"""
    )
    assert kind == "HubError"
    assert "(429)" in message
    assert "the Hub limits requests" in message


@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (401, "HubError", "it is private or gated: accept its conditions"),
        (403, "HubError", "the token may not read it"),
        (500, "HubError", "after 2 attempts"),
    ],
)
def test_a_refusal_is_told_with_a_way_out(hub, client, texts, status, kind, advice):
    hub.server.fault(r"GET /api/datasets/emma/texts", status=status, times=99)
    code = """print(json.dumps(error(lambda: resolve("emma/texts:swh_Latn", delay=0.01, attempts=2))))"""
    found, message = client(code)
    assert (found, f"({status})" in message) == (kind, True)
    assert advice in message
    wanted = 2 if status == 500 else 1
    assert len(hub.requests("GET /api/datasets/emma/texts")) == wanted


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("emma/nothing", "there is no such data set, revision or file, or it is private"),
        ("emma/texts:ibo_Latn", "ibo_Latn"),
        ("emma/texts@v9:swh_Latn", "v9"),
    ],
)
def test_what_is_not_there_is_an_error_at_once(client, texts, name, message):
    kind, said = client(f"print(json.dumps(error(lambda: resolve({name!r}))))")
    assert kind == "SourceError"
    assert message in said


def test_a_data_set_that_was_renamed_is_followed(hub, client, texts):
    hub.moved["emma/before"] = "emma/texts"
    code = READ_ONE.replace("emma/texts", "emma/before")
    assert client(code) == [texts, *ONE]


def test_a_source_that_fails_leaves_a_row_and_the_others_are_read(hub, client, texts, tmp_path):
    hub.put("emma/broken", {"a.jsonl.gz": gzip.compress(b'{"text": "x"}\n' * 5000)[:60]})
    hub.put("emma/late", {"a.parquet": parquet("late")})
    hub.server.fault(r"GET .*emma/late/resolve/", status=503, times=99, skip=4)
    (tmp_path / "good.jsonl").write_text('{"text": "good"}\n')
    code = """
from emma500.sources.failures import failures_of
names = ["good.jsonl", "emma/nothing", "emma/broken", "emma/late"]
found = resolve(names, strict=False, delay=0.01, attempts=2)
rows = [row for source in found for row in read(source)]
print(json.dumps([[source.info.name for source in found], sum(row["text"] is not None for row in rows),
                  [[each.source, each.reason] for each in failures_of(rows)],
                  [source.fingerprint() for source in found] == [source.fingerprint() for source in found]]))
"""
    names, n_texts, failures, is_same = client(code)
    assert names == ["good.jsonl", "emma/nothing", "emma/broken", "emma/late"]
    assert [name for name, _ in failures] == ["emma/broken", "emma/late", "emma/nothing"]
    reasons = dict(failures)
    assert "is damaged and cannot be decompressed" in reasons["emma/broken"]
    assert "after 2 attempts" in reasons["emma/late"]
    assert "no such data set" in reasons["emma/nothing"]
    assert 1 <= n_texts < 1 + N_ROWS
    assert is_same


def test_a_column_of_invalid_text_on_the_hub_is_told_by_row(hub, client):
    binary = pa.array([b"good", b"caf\xe9", b"end"])
    broken = pa.Array.from_buffers(pa.string(), 3, binary.buffers())
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": broken}), sink)
    hub.put("emma/bad", {"a.parquet": sink.getvalue()})
    code = """print(json.dumps(column(resolve("emma/bad"), "text", "reason")))"""
    assert client(code) == [["good", None], [None, "invalid_utf8"], ["end", None]]


def test_an_archive_and_a_pair_of_files_on_the_hub_are_read(hub, client):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("GNOME.en-sw.en", "Open\nClose\n")
        archive.writestr("GNOME.en-sw.sw", "Fungua\nFunga\n")
        archive.writestr("LICENSE", "see the project")
    hub.put("emma/moses", {"README.md": b"pairs", "en-sw.txt.zip": sink.getvalue()})
    names = ("origin", "text", "target_text", "target_original_code")
    code = f"""print(json.dumps(column(resolve("emma/moses"), *{names})))"""
    assert client(code) == [
        ["en-sw.txt.zip/GNOME.en-sw:1", "Open", "Fungua", "sw"],
        ["en-sw.txt.zip/GNOME.en-sw:2", "Close", "Funga", "sw"],
    ]
