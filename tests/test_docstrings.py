"""Every function, class and method with a public name says what it does, or overrides one that does."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping

from house_rules import FILES, ROOT, parsed

Classes = Mapping[str, list[ast.ClassDef]]


def bases(node: ast.ClassDef) -> Iterator[str]:
    """The names of the classes that one is derived from."""
    for base in node.bases:
        base = base.value if isinstance(base, ast.Subscript) else base
        if isinstance(base, ast.Name | ast.Attribute):
            yield base.id if isinstance(base, ast.Name) else base.attr


def is_inherited(
    node: ast.ClassDef, method: str, classes: Classes, seen: frozenset[str] = frozenset()
) -> bool:
    """Whether a class above has a method of that name that says what it does."""
    for name in set(bases(node)) - seen:
        for above in classes.get(name, ()):
            own = (each for each in above.body if isinstance(each, ast.FunctionDef) and each.name == method)
            if any(map(ast.get_docstring, own)) or is_inherited(above, method, classes, seen | {name}):
                return True
    return False


def is_silent(node: ast.AST) -> bool:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return False
    again = any(isinstance(each, ast.Name) and each.id == "overload" for each in node.decorator_list)
    return not node.name.startswith("_") and not again and ast.get_docstring(node) is None


def undocumented(trees: Mapping[str, ast.Module]) -> list[str]:
    """What says nothing, by file and name."""
    classes: dict[str, list[ast.ClassDef]] = defaultdict(list)
    for tree in trees.values():
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                classes[node.name].append(node)
    found = []
    for file, tree in trees.items():
        for node in tree.body:
            if is_silent(node):
                found.append(f"{file}: {node.name}")  # pyright: ignore[reportAttributeAccessIssue]
            if not isinstance(node, ast.ClassDef) or node.name.startswith("_"):
                continue
            for each in filter(is_silent, node.body):
                if not is_inherited(node, each.name, classes):  # pyright: ignore[reportAttributeAccessIssue]
                    found.append(f"{file}: {node.name}.{each.name}")  # pyright: ignore[reportAttributeAccessIssue]
    return found


def test_whatever_has_a_public_name_says_what_it_does():
    trees = {
        path.relative_to(ROOT).as_posix(): parsed(path.read_text("utf-8"))
        for path in FILES
        if path.suffix == ".py"
    }
    assert len(trees) > 300
    assert undocumented(trees) == []


def test_what_says_nothing_is_found():
    source = '''
class Above:
    """Above."""
    def told(self):
        """Told."""
    def silent(self): ...
class Below(Above):
    """Below."""
    def told(self): ...
    @property
    def own(self): ...
    def _private(self): ...
class Bare: ...
def loose(): ...
'''
    found = undocumented({"a.py": ast.parse(source)})
    assert found == ["a.py: Above.silent", "a.py: Below.own", "a.py: Bare", "a.py: loose"]
