"""The list of rules and warnings is complete: it is compared with the code that names them."""

import ast
from pathlib import Path

import registry.domain
from registry.domain.rulebook import RULES, WARNINGS, rules_page

CODE = Path(registry.domain.__file__).parent


def named_in_code(*calls):
    """Every constant first argument of a call to one of these names."""
    found = set()
    for file in CODE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in calls:
                found |= {arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant)}
    return found


def test_every_rule_in_the_code_is_listed_and_every_listed_rule_is_in_the_code():
    assert named_in_code("Rejected", "Fault") == RULES.keys()


def test_every_warning_in_the_code_is_listed_and_every_listed_warning_is_in_the_code():
    assert (
        named_in_code("Advice") | {"renewal-without-signature", "amendment-without-signature"}
        == WARNINGS.keys()
    )


def test_the_page_has_a_line_for_each():
    page = rules_page()
    for name, sentence in {**RULES, **WARNINGS}.items():
        assert f"| `{name}` | {sentence} |" in page
        assert sentence.endswith(".")
    assert page.endswith("|\n")
