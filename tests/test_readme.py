"""The generated parts of the README are what the code says. `python -m tests.test_readme` writes them."""

import re
from pathlib import Path

import pytest

from app.domain import diagram
from jobs.registry import JOBS

README = Path(__file__).parents[1] / "README.md"


def jobs_table() -> str:
    rows = [
        f"| {i + 1 if job.place is not None else ''} | `{job.name}` | {job.does} | {job.rules} |"
        for i, job in enumerate(JOBS)
    ]
    return "\n".join(["| | job | what it does | rules |", "|---|---|---|---|", *rows])


def generated() -> dict[str, str]:
    return {"diagram": f"```mermaid\n{diagram.draw('mermaid').strip()}\n```", "jobs": jobs_table()}


def written(text: str) -> str:
    for name, content in generated().items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        text = re.sub(pattern, lambda found, c=content: f"{found[1]}{c}\n{found[2]}", text, flags=re.DOTALL)
    return text


@pytest.mark.parametrize("name", list(generated()))
def test_generated_parts_are_true(name: str) -> None:
    assert f"<!-- {name} -->\n{generated()[name]}\n<!-- /{name} -->" in README.read_text("utf-8")


def test_every_command_of_the_table_exists() -> None:
    from typer.main import get_command

    from app.cli.program import root

    known = set(get_command(root).commands)  # type: ignore[attr-defined]
    table = README.read_text("utf-8").partition("| to | use |")[2].partition("\n\n")[0]
    named = {word.split()[0] for word in re.findall(r"`([^`]+)`", table)}
    assert named <= known | {"columns"}, named - known


if __name__ == "__main__":
    README.write_text(written(README.read_text("utf-8")), "utf-8")
