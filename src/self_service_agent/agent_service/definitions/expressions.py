"""The small language in which a definition decides: comparisons, and/or/not, dates and table look-ups."""

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from .values import ValueProblem, add_months, months_between, read_date, walk_path

LENGTH_LIMIT = 500


class ExpressionError(ValueError):
    """The text is not an expression of this language."""


@dataclass(frozen=True)
class Scope:
    """What an expression can see."""

    names: Mapping[str, Any]
    tables: Mapping[str, Mapping[Any, Mapping[str, Any]]]
    today: date


Evaluator = Callable[[Scope], Any]

_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, items: item in items,
    ast.NotIn: lambda item, items: item not in items,
}
_FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "date": (1, read_date),
    "months_between": (2, months_between),
    "add_months": (2, add_months),
    "count": (1, len),
    "lower": (1, lambda text: str(text).lower()),
}


@dataclass(frozen=True)
class Expression:
    """A checked expression: its source, the names and tables it needs, and how to evaluate it."""

    source: str
    names: frozenset[str]
    tables: frozenset[str]
    _evaluator: Evaluator = field(compare=False, repr=False)

    def evaluate(self, scope: Scope) -> Any:
        """Return the expression's value; raises `ValueProblem` when a value it needs is missing or unfit."""
        try:
            return self._evaluator(scope)
        except (TypeError, AttributeError) as error:
            raise ValueProblem(f"cannot work out: {self.source}") from error


def compile_expression(source: Any) -> Expression:
    """Check `source` against the language and return it ready to evaluate."""
    if isinstance(source, Expression):
        return source
    if not isinstance(source, str) or len(source) > LENGTH_LIMIT:
        raise ExpressionError(f"an expression is a text of at most {LENGTH_LIMIT} characters")
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, RecursionError) as error:
        raise ExpressionError(f"not an expression: {source}") from error
    compiler = _Compiler()
    evaluator = compiler.compile(tree)
    return Expression(source, frozenset(compiler.names), frozenset(compiler.tables), evaluator)


class _Compiler:
    """Turns the allowed syntax into functions, and remembers which names and tables were used."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.tables: set[str] = set()

    def compile(self, node: ast.expr) -> Evaluator:
        match node:
            case ast.Constant(value=str() | int() | float() | None as value):
                return lambda _scope: value
            case ast.Name() | ast.Attribute():
                return self._path(node)
            case ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                return self._logic(node)
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                return self._comparison(left, ops, comparators)
            case ast.List(elts=items) | ast.Tuple(elts=items):
                parts = [self.compile(item) for item in items]
                return lambda scope: [part(scope) for part in parts]
            case _:
                return self._call(node)

    def _path(self, node: ast.expr) -> Evaluator:
        path: tuple[str, ...] = ()
        while isinstance(node, ast.Attribute):
            path = (node.attr, *path)
            node = node.value
        if not isinstance(node, ast.Name):
            raise ExpressionError(f"not allowed in an expression: {ast.unparse(node)}")
        if node.id == "today" and not path:
            return lambda scope: scope.today
        self.names.add(node.id)
        full = (node.id, *path)
        return lambda scope: walk_path(scope.names, full)

    def _logic(self, node: ast.BoolOp | ast.UnaryOp) -> Evaluator:
        if isinstance(node, ast.UnaryOp):
            inner = self.compile(node.operand)
            return lambda scope: not inner(scope)
        parts = [self.compile(value) for value in node.values]
        if isinstance(node.op, ast.And):
            return lambda scope: all(part(scope) for part in parts)
        return lambda scope: any(part(scope) for part in parts)

    def _comparison(self, left: ast.expr, ops: list[ast.cmpop], comparators: list[ast.expr]) -> Evaluator:
        operands = [self.compile(node) for node in (left, *comparators)]
        unknown = [op for op in ops if type(op) not in _COMPARISONS]
        if unknown:
            raise ExpressionError("`is` is not allowed in an expression")
        compare = [_COMPARISONS[type(op)] for op in ops]

        def evaluate(scope: Scope) -> bool:
            values = [operand(scope) for operand in operands]
            pairs = zip(compare, values, values[1:], strict=False)
            return all(test(first, second) for test, first, second in pairs)

        return evaluate

    def _call(self, node: ast.expr) -> Evaluator:
        match node:
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                pass
            case _:
                raise ExpressionError(f"not allowed in an expression: {ast.unparse(node)}")
        if name == "lookup":
            return self._lookup(arguments)
        if name not in _FUNCTIONS or _FUNCTIONS[name][0] != len(arguments):
            raise ExpressionError(f"no function {name} with {len(arguments)} arguments")
        function = _FUNCTIONS[name][1]
        parts = [self.compile(argument) for argument in arguments]
        return lambda scope: function(*(part(scope) for part in parts))

    def _lookup(self, arguments: list[ast.expr]) -> Evaluator:
        match arguments:
            case [ast.Constant(value=str() as table), key_node, ast.Constant(value=str() as column)]:
                key = self.compile(key_node)
            case _:
                raise ExpressionError('lookup takes "table", a key and "column"')
        self.tables.add(table)

        def evaluate(scope: Scope) -> Any:
            row = scope.tables[table].get(key(scope))
            if row is None or column not in row:
                raise ValueProblem(f"the table {table} has no such entry")
            return row[column]

        return evaluate
