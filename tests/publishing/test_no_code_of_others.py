"""The package runs nothing that came with data or a model: no pickle, no shell, no remote code, safe YAML."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "emma500"
MODULES = {
    path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
}
_UNPICKLE = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
_RUNS = {"eval", "exec", "compile", "os.system", "os.popen", "subprocess.getoutput"}


def calls(tree):
    """Each call with its name, as "yaml.load", and its keywords."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {each.arg: each.value for each in node.keywords}, node


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name.split(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module).split(".")[0]


def dangers(tree):
    """What a module does that could run code of others."""
    found = sorted(_UNPICKLE & set(imported(tree)))
    for name, keywords, node in calls(tree):
        text = ast.unparse(node)
        told = {key: ast.unparse(value) for key, value in keywords.items()}
        if name in _RUNS or "trust_remote_code" in told or told.get("shell", "False") != "False":
            found.append(text)
        if name in {"yaml.load", "yaml.full_load", "yaml.unsafe_load"} and "SafeLoader" not in text:
            found.append(text)
        if name == "torch.load" and told.get("weights_only") != "True":
            found.append(text)
        if name.endswith("load") and told.get("allow_pickle", "False") != "False":
            found.append(text)
        is_model = name.startswith("AutoModel") and name.endswith(".from_pretrained")
        if is_model and told.get("use_safetensors") != "True" and "gguf_file" not in told:
            found.append(text)
    return found


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "subprocess.run(x, shell=True)",
        "AutoTokenizer.from_pretrained(x, trust_remote_code=True)",
        "AutoModel.from_pretrained(x)",
        "torch.load(x)",
        "np.load(x, allow_pickle=True)",
        "yaml.load(x, Loader=yaml.Loader)",
        "eval(x)",
    ],
)
def test_what_could_run_code_of_others_is_recognised(code):
    assert dangers(ast.parse(code))


def test_nothing_in_the_package_runs_code_that_came_with_data_or_a_model():
    assert len(MODULES) > 200
    found = {name: dangers(tree) for name, tree in MODULES.items()}
    assert {name: each for name, each in found.items() if each} == {}


def test_the_hub_is_met_through_its_own_client_alone():
    """No other HTTP client, and no repository of git."""
    others = {"requests", "httpx", "httpx2", "aiohttp", "urllib3", "git"}
    found = {name for name, tree in MODULES.items() if others & set(imported(tree))}
    assert found == set()
