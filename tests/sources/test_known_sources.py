"""Sources of the catalogue, opened by their names from a Hub on loopback."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq


def parquet(name, n_rows, **columns):
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": [f"{name} {n}" for n in range(n_rows)], **columns}), sink)
    return sink.getvalue()


def card(*configs):
    entries = "".join(f"- config_name: {name}\n  data_files: {files}\n" for name, files in configs)
    return f"---\nconfigs:\n{entries}---\n".encode()


def test_sources_of_the_catalogue_are_opened_by_name_and_language(hub, client):
    line = json.dumps({"text": "ujumbe", "language": "swh"}).encode() + b"\n"
    hub.put(
        "HuggingFaceFW/fineweb-2",
        {
            "README.md": card(*((code, f"data/{code}/train/*.parquet") for code in ("swh_Latn", "fin_Latn"))),
            "data/swh_Latn/train/0.parquet": parquet("swh", 5, language=["swh"] * 5),
            "data/fin_Latn/train/0.parquet": parquet("fin", 5, language=["fin"] * 5),
        },
    )  # fmt: skip
    hub.put(
        "wikimedia/wikipedia",
        {
            "README.md": card(("20231101.als", "20231101.als/*.parquet"), ("20231101.sw", "20231101.sw/*.parquet")),
            "20231101.als/0.parquet": parquet("als", 3), "20231101.sw/0.parquet": parquet("sw", 4),
        },
    )  # fmt: skip
    hub.put("MaLA-LM/mala-monolingual-integration", {
        "swh_Latn/swh_Latn_part_1.jsonl": line, "fin_Latn/fin_Latn_part_1.jsonl": line,
    })  # fmt: skip
    code = """
found = [resolve(*each[:1], **each[1], delay=0.01)[0] for each in (
    ("fineweb2", dict(languages=["sw"])), ("wikipedia:gsw", {}), ("wikipedia", {}),
    ("mala-integration", dict(languages=["swh_Latn"])))]
print(json.dumps([[source.info.name, source.info.license, source.info.convention, source.info.component,
    len(rows), sorted({row["original_code"] for row in rows})] for source in found for rows in [read(source)]]))
"""
    fineweb, alemannic, wikipedia, mala = client(code)
    assert fineweb == ["fineweb2", "ODC-By-1.0", "flores", "monolingual", 5, ["swh"]]
    assert alemannic[0] == "wikipedia:gsw"
    assert alemannic[2:] == ["wikipedia", "monolingual", 3, ["als"]]
    assert wikipedia[4:] == [7, ["als", "sw"]]
    assert mala[4] == 1
    assert not hub.requests("GET /datasets/HuggingFaceFW/fineweb-2/resolve/main/data/fin")


def test_files_of_the_catalogue_are_opened_by_pattern_and_a_missing_language_is_left_out(
    hub, client
):
    tables = {
        "python": {"content": "x = 1", "lang": "Python"},
        "go": {"content": "package main", "lang": "Go"},
    }
    files = {}
    for name, record in tables.items():
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist([record]), sink)
        files[f"data/{name}/train-00000.parquet"] = sink.getvalue()
    hub.put("bigcode/the-stack-dedup", files)
    code = """
found = resolve("the-stack", languages=["python", "cobol"])
print(json.dumps([column(found, "component", "original_code", "text"), column(resolve("the-stack:go"), "text"),
                  error(lambda: resolve("the-stack", languages=["cobol"]))]))
"""
    python, go, (kind, message) = client(code)
    assert python == [["code", "Python", "x = 1"]]
    assert go == [["package main"]]
    assert kind == "SourceError"
    assert "has no file data/cobol/*.parquet" in message


def test_a_source_to_be_fetched_by_hand_says_so(client):
    kind, message = client("""print(json.dumps(error(lambda: resolve("1000langs"))))""")
    assert kind == "SourceError"
    assert "has to be fetched by hand, from https://github.com/ehsanasgari/1000Langs" in message
