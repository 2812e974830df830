"""The rules of the house that no linter can say: sizes, imports, the environment, catch-alls."""

import ast
import re
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeGuard

import pytest

ROOT = Path(__file__).parents[1]
CORE = tuple(sorted(ROOT.glob("gateway/**/*.py")))
PLUGINS = tuple(sorted(ROOT.glob("plugins/*/gateway_*/**/*.py")))
CATCH_ALLS = ("Exception", "BaseException")
CATCH_ALLS_ALLOWED = {
    "gateway/core/background/work.py": 1,  # a bug ends one response, not the process; logs it
    "gateway/core/pump.py": 1,  # turns a bug into a failed response, and logs it
    "gateway/store/sqlite/thread.py": 1,  # hands what was raised to whoever waits for it
    "gateway/plugin/manager.py": 2,  # at start-up: names the plugin whose import or hook raised
}
ENVIRONMENT = ("os.environ", "os.environb", "os.getenv", "os.getenvb")
CONTRACT = ("gateway.plugin", "gateway.types", "gateway.errors")
BARE_IGNORE = re.compile(
    r"# *(?:noqa(?::[A-Z0-9, ]*)?|(?:type|pyright): *ignore(?:\[[\w, -]*\])?)[ #:-]*$"
)

CODE_OF = {  # at most so many lines
    "anthropic/gateway_anthropic": 900,
    "bedrock/gateway_bedrock": 900,
    "local/gateway_local": 900,
    "openai/gateway_openai": 900,
    # One dialect for thirty vendors: their rows, and what they have each invented for thoughts,
    # sources, searches and calls; besides, tools for models that know none.
    "chat/gateway_chat": 2000,
    # Two dialects: Google has an older and a newer API, and the newer one is written by translating
    # what the older one gets.
    "gemini/gateway_gemini": 1250,
    "gemini/gateway_gemini/interactions": 500,
}
NO_CODE = {
    *(tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT),
    *(tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER, tokenize.ENCODING),
}

every_module = pytest.mark.parametrize(
    "module", [*CORE, *PLUGINS], ids=lambda path: str(path.relative_to(ROOT))
)


def settings() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def plugin_packages() -> list[str]:
    return sorted(path.name for path in ROOT.glob("plugins/*/gateway_*") if path.is_dir())


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the full name of everything that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module}.{alias.name}" for alias in node.names)


def is_import(node: ast.AST) -> bool:
    called = isinstance(node, ast.Call) and ast.unparse(node.func)
    return isinstance(node, ast.Import | ast.ImportFrom) or called == "__import__"


def catches_everything(handler: ast.ExceptHandler) -> bool:
    """Tell whether `handler` keeps whatever it catches; one that raises it again tidies up."""
    last = handler.body[-1]
    if isinstance(last, ast.Raise) and last.exc is None:
        return False
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(ast.unparse(kind) in CATCH_ALLS for kind in kinds)


def lines_of_code(module: Path) -> int:
    """Count the lines with code: no docstrings, comments and imports, and no blanks."""
    with module.open("rb") as source:
        tokens = [one for one in tokenize.tokenize(source.readline) if one.type not in NO_CODE]
    lines = {line for one in tokens for line in range(one.start[0], one.end[0] + 1)}
    for node in ast.walk(ast.parse(module.read_text())):
        if says_nothing(node):
            lines -= {*range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    return len(lines)


def says_nothing(node: ast.AST) -> TypeGuard[ast.stmt]:
    """Tell whether `node` is a text, an import or `__all__`."""
    match node:
        case ast.Expr(value=ast.Constant(value=str())) | ast.Import() | ast.ImportFrom():
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case _:
            return False


@every_module
def test_a_module_has_at_most_400_lines_and_a_function_50(module: Path) -> None:
    source = module.read_text()
    assert len(source.splitlines()) <= 400
    long = [
        node.name
        for node in functions(ast.parse(source))
        if node.end_lineno is not None and node.end_lineno - node.lineno >= 50
    ]
    assert long == []


@pytest.mark.parametrize("module", PLUGINS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_of_a_plugin_has_at_most_300_lines(module: Path) -> None:
    assert len(module.read_text().splitlines()) <= 300


@pytest.mark.parametrize("package", CODE_OF)
def test_a_provider_takes_little_code(package: str) -> None:
    home = ROOT / "plugins" / package
    inner = [ROOT / "plugins" / one for one in CODE_OF if one.startswith(f"{package}/")]
    modules = [path for path in home.rglob("*.py") if not {*inner} & {*path.parents}]
    assert modules
    assert sum(map(lines_of_code, modules)) <= CODE_OF[package]


def test_every_provider_has_a_limit() -> None:
    hooks = [path for path in PLUGINS if "def gateway_providers(" in path.read_text()]
    limited = {ROOT / "plugins" / package for package in CODE_OF}
    assert {path.parent for path in hooks} <= limited


@every_module
def test_a_module_says_what_it_is_for(module: Path) -> None:
    assert ast.get_docstring(ast.parse(module.read_text()))


@every_module
def test_nothing_is_imported_inside_a_function(module: Path) -> None:
    inside = [
        ast.unparse(node)
        for function in functions(ast.parse(module.read_text()))
        for node in ast.walk(function)
        if is_import(node)
    ]
    assert inside == []


@every_module
def test_only_the_configuration_reads_the_environment(module: Path) -> None:
    if module == ROOT / "gateway" / "config.py" or ROOT / "gateway" / "config" in module.parents:
        return
    tree = ast.parse(module.read_text())
    read = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ENVIRONMENT
    ]
    assert [*read, *(name for name in imported(tree) if name in ENVIRONMENT)] == []


@every_module
def test_only_the_core_and_the_plugin_manager_catch_everything(module: Path) -> None:
    found = [
        node.lineno
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.ExceptHandler) and catches_everything(node)
    ]
    allowed = CATCH_ALLS_ALLOWED.get(module.relative_to(ROOT).as_posix(), 0)
    assert len(found) <= allowed, found


@pytest.mark.parametrize("module", PLUGINS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_plugin_sees_only_the_contract(module: Path) -> None:
    foreign = [
        name
        for name in imported(ast.parse(module.read_text()))
        if name.split(".")[0] == "gateway" and ".".join(name.split(".")[:2]) not in CONTRACT
    ]
    assert foreign == []


def test_every_plugin_is_in_every_contract() -> None:
    packages = plugin_packages()
    assert packages
    linter = settings()["tool"]["importlinter"]
    contracts = {contract["name"]: contract for contract in linter["contracts"]}
    rooms = [contracts[name] for name in contracts if " only in " in name]
    assert linter["root_packages"] == ["gateway", *packages]
    assert contracts["the gateway never imports a plugin"]["forbidden_modules"] == packages
    assert contracts["plugins are independent of each other"]["modules"] == packages
    assert [room["source_modules"] for room in rooms] == [["gateway", *packages]] * 5


def test_every_plugin_is_a_package_of_the_workspace() -> None:
    tool = settings()["tool"]
    distributions = {package.replace("_", "-") for package in plugin_packages()}
    homes = [f"plugins/{package.removeprefix('gateway_')}" for package in plugin_packages()]
    assert tool["uv"]["sources"].keys() == {"responses-gateway", *distributions}
    assert tool["pyright"]["extraPaths"] == homes
    assert tool["ruff"]["lint"]["isort"]["known-first-party"] == ["gateway", *plugin_packages()]
    for package in plugin_packages():
        home = ROOT / "plugins" / package.removeprefix("gateway_")
        project = tomllib.loads((home / "pyproject.toml").read_text())["project"]
        assert project["name"] == package.replace("_", "-")
        assert package in project["entry-points"]["gateway"].values()
        assert (home / "README.md").is_file()
        assert (home / package / "py.typed").is_file()


def test_no_ignore_lacks_a_reason_on_its_line() -> None:
    tests = (*ROOT.glob("tests/**/*.py"), *ROOT.glob("plugins/*/tests/**/*.py"))
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in (*CORE, *PLUGINS, *tests)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if BARE_IGNORE.search(line)
    ]
    assert bare == []
