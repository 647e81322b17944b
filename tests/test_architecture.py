"""The house keeps its shape: imports go one way, files stay short, no package registry is named."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

LONGEST_FILE = 320
LONG_FOR_A_REASON = {
    "app/domain/errors.py": "one class for each of the 43 codes; nothing but the list",
}
"""Files that may be longer: path → the reason."""

DOMAIN_MAY_IMPORT = {*sys.stdlib_module_names, "app", "transitions", "iso4217", "annotated_types"}

# In pieces, or this file would be the first to be found.
REGISTRY_NAMES = [
    "pypi" + ".org",
    "python" + "hosted",
    "npm" + "js",
    "debian" + ".org",
]


def test_import_contracts() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_part_of_app_stands_in_the_layers() -> None:
    """A module the contract does not name would escape it."""
    layers = CONFIG["tool"]["importlinter"]["contracts"][0]["layers"]
    named = {name for layer in layers for name in re.findall(r"app\.(\w+)", layer)}
    present = {path.stem for path in (ROOT / "app").iterdir() if _is_module(path)} - {"__init__", "__main__"}
    assert present <= named, f"Name them in pyproject.toml, [tool.importlinter]: {sorted(present - named)}"


def test_the_domain_imports_pure_libraries_only() -> None:
    foreign = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / "app" / "domain").rglob("*.py")
        for name in _imported(path) - DOMAIN_MAY_IMPORT
    }
    assert not foreign


def test_files_stay_short() -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines())
        for folder in ("app", "jobs")
        for path in (ROOT / folder).rglob("*.py")
    }
    long = {name: n for name, n in lengths.items() if n > LONGEST_FILE and name not in LONG_FOR_A_REASON}
    assert not long, f"Split them (at most {LONGEST_FILE} lines): {long}"


def test_what_is_declared_is_locked() -> None:
    """After a change of dependencies: make lock."""
    groups = CONFIG["dependency-groups"]
    runtime = CONFIG["project"]["dependencies"] + groups["build"]
    assert _missing_from("requirements.lock", runtime) == set()
    assert _missing_from("requirements-dev.lock", runtime + groups["dev"]) == set()


def test_no_registry_is_named() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in _committed_files()
        for name in REGISTRY_NAMES
        if name.encode() in path.read_bytes().lower()
    ]
    assert not found


def _is_module(path: Path) -> bool:
    return path.suffix == ".py" or (path.is_dir() and any(path.rglob("*.py")))


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


def _missing_from(lock: str, requirements: list[str]) -> set[str]:
    locked = re.findall(r"^([\w.-]+)(?:\[.*])?==", (ROOT / lock).read_text("utf-8"), flags=re.MULTILINE)
    return {_name(requirement) for requirement in requirements} - {_name(name) for name in locked}


def _name(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", requirement)[0]).lower()


def _committed_files() -> list[Path]:
    """What is committed, and what would be by `git add .`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    paths = [ROOT / name.decode() for name in names if name]
    return [path for path in paths if path.is_file()]
