"""The first fence between tenants, read off the code; the second is in the database."""

import ast
import re
from pathlib import Path

import pytest

CLOUD = Path(__file__).parents[2] / "cloud_api"
QUERIES = sorted(CLOUD.rglob("queries.py"))
MODULES = sorted(
    path
    for path in CLOUD.rglob("*.py")
    if "node_modules" not in path.parts and "web" not in path.parts
)
SQL_HOMES = {"queries.py", "doors.py"}
SQL = re.compile(r"^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|COPY|WITH)\s", re.MULTILINE)
ROWS = re.compile(r"\b(FROM|INTO|UPDATE|COPY)\b")
ABOVE_TENANTS = {CLOUD / "db", CLOUD / "vitals.py", CLOUD / "telemetry" / "partitions.py"}
"""Migrations, roles and transactions; the check that the database answers; days as partitions."""


def functions(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in tree.body if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)]


def name_of(path):
    return str(path.relative_to(CLOUD))


@pytest.mark.parametrize("path", QUERIES, ids=name_of)
def test_every_query_takes_connection_and_tenant_first(path):
    for function in functions(path):
        if not function.name.startswith("_"):
            names = [argument.arg for argument in function.args.args[:2]]
            assert names == ["db", "tenant"], f"{path}:{function.lineno} {function.name}"


@pytest.mark.parametrize("path", QUERIES, ids=name_of)
def test_every_statement_names_the_tenant(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    reading = [text for text in strings(tree) if SQL.search(text) and ROWS.search(text)]
    unscoped = [text for text in reading if "tenant_id" not in text]
    assert unscoped == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_sql_stands_in_queries_only(path):
    if path.name in SQL_HOMES or any(
        home == path or home in path.parents for home in ABOVE_TENANTS
    ):
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [text for text in strings(tree) if SQL.search(text)]
    assert found == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_statement_is_built_from_strings(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if (
            isinstance(call.func, ast.Attribute)
            and call.func.attr in {"execute", "copy"}
            and call.args
        ):
            statement = call.args[0]
            built = isinstance(statement, ast.JoinedStr | ast.BinOp) or (
                isinstance(statement, ast.Call)
                and ast.unparse(statement.func).endswith(("format", "join"))
                and "sql.SQL" not in ast.unparse(statement)
            )
            assert not built, f"{path}:{call.lineno}"


def strings(tree):
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
