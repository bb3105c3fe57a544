"""Reads a little JavaScript: enough to see whether an injected script would reach its payload.

This is no engine. It reads the grammar of ECMAScript's expressions and plain statements, so that
a script with a syntax error runs not at all, as in a browser; and it follows straight-line code:
literals, ``+`` and the other operators, names, calls, members, functions, ``if`` and ``try``.
What it meets beyond that (loops, classes, promises, most of the standard library) it calls *not
modelled* and stops there; the caller records so. Work is bounded by :data:`MAX_STEPS`.

Values: ``str``, ``float``, ``bool``, ``None`` for null, :data:`UNDEFINED`, :class:`Thing` for
objects, ``list`` for arrays, and Python callables behind :class:`Native`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import Parameter, signature
from typing import Any, NoReturn

MAX_SOURCE = 100_000
"""Longest script in characters."""

MAX_STEPS = 100_000
"""Most steps that the scripts of one action of the user take together."""

MAX_DEPTH = 40
"""Deepest nesting of expressions, and of calls."""

MAX_NESTING = 120
"""Most expressions within one another that are evaluated."""

MAX_TEXT = 1_000_000
"""Longest text value in characters."""


class SyntaxFault(Exception):  # noqa: N818 - reads as what it says
    """The script is not JavaScript; none of it runs."""


class NotModelled(Exception):  # noqa: N818 - reads as what it says
    """The script goes beyond what the model follows."""


class Thrown(Exception):  # noqa: N818 - reads as what it says
    """The script threw; the rest of it does not run. ``value`` is what was thrown."""

    def __init__(self, value: Any) -> None:
        super().__init__(to_text(value))
        self.value = value


class _Undefined:
    def __repr__(self) -> str:
        return "undefined"

    def __bool__(self) -> bool:
        return False


UNDEFINED = _Undefined()
"""JavaScript's ``undefined``."""


@dataclass(eq=False)
class Native:
    """A function of the page's surroundings; it gets the arguments, and ``this`` if it wants it."""

    name: str
    function: Callable[..., Any]
    makes: bool = False
    bound: bool = False

    def __call__(self, arguments: list[Any]) -> Any:
        """Call it as JavaScript does: too many arguments are dropped, missing ones undefined.

        A lab's own function (``bound``) may fail in its own way; of the others, one that does not
        understand its arguments is beyond the model.
        """
        fitted = fit(self.function, arguments)
        if self.bound:
            return self.function(*fitted)
        try:
            return self.function(*fitted)
        except (TypeError, ValueError, IndexError, OverflowError) as error:
            raise NotModelled(f"{self.name} with these arguments") from error


def fit(function: Callable[..., Any], arguments: list[Any], *, given: int = 0) -> list[Any]:
    """The arguments that a Python function takes after its first ``given``, as JavaScript fits."""
    try:
        parameters = list(signature(function).parameters.values())[given:]
    except ValueError:
        return arguments
    if any(parameter.kind is Parameter.VAR_POSITIONAL for parameter in parameters):
        return arguments
    places = [p for p in parameters if p.kind is not Parameter.KEYWORD_ONLY]
    needed = sum(parameter.default is Parameter.empty for parameter in places)
    missing = needed - len(arguments)
    return [*arguments[: len(places)], *[UNDEFINED] * missing]


class Thing:
    """An object. Subclasses offer the members of what they stand for."""

    def get(self, name: str) -> Any:
        """The value of a member."""
        raise NotModelled(f"the member {name}")

    def put(self, name: str, value: Any) -> None:  # noqa: ARG002 - a subclass takes the value
        """Set a member."""
        raise NotModelled(f"setting the member {name}")


class Plain(Thing):
    """An object literal."""

    def __init__(self, members: dict[str, Any] | None = None) -> None:
        self.members = members or {}

    def get(self, name: str) -> Any:
        """The member, or ``undefined``."""
        return self.members.get(name, UNDEFINED)

    def put(self, name: str, value: Any) -> None:
        """Set the member."""
        self.members[name] = value


@dataclass(eq=False)
class Function:
    """A function written in the script."""

    parameters: list[str]
    body: tuple[Any, ...]
    scope: Scope
    arrow: bool


@dataclass(eq=False)
class Scope:
    """Names in reach, innermost first; ``surroundings`` is the window."""

    surroundings: Thing
    names: dict[str, Any] = field(default_factory=dict)
    outer: Scope | None = None


def to_text(value: Any) -> str:
    """A value as JavaScript's ``String`` writes it."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if value is True or value is False:
        return str(value).lower()
    if isinstance(value, float) and value - value != 0:
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)
    if isinstance(value, list):
        return ",".join(
            "" if item is None or item is UNDEFINED else to_text(item) for item in value
        )
    if isinstance(value, _Undefined):
        return "undefined"
    if isinstance(value, Native | Function):
        return "function"
    shown = getattr(value, "shown", None)
    return str(shown) if shown is not None else "[object Object]"


def truthy(value: Any) -> bool:
    """A value as JavaScript's ``Boolean`` sees it."""
    if isinstance(value, str | float):
        return bool(value) and value == value
    return value is not None and value is not False and value is not UNDEFINED


# The lexer.

_KEYWORDS = frozenset(
    (  # noqa: SIM905 - a list of words reads better as words
        "break case catch class const continue debugger default delete do else export extends "
        "finally for function if import in instanceof new return super switch this throw try "
        "typeof var void while with yield let async await null true false enum"
    ).split()
)
_RESERVED = _KEYWORDS - {"let", "async", "await", "yield"}
_PUNCTUATORS = sorted(
    (  # noqa: SIM905 - a list of words reads better as words
        ">>>= ... === !== **= <<= >>= >>> &&= ||= ??= => == != <= >= && || ?? ?. ++ -- += -= "
        "*= /= %= &= |= ^= << >> ** { } ( ) [ ] ; , < > + - * / % & | ^ ! ~ ? : = ."
    ).split(),
    key=len,
    reverse=True,
)
_SPACE = re.compile(r"[ \t\v\f\u00a0\ufeff\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_NEWLINE = re.compile(r"\r\n|[\n\r\u2028\u2029]")
_NAME = re.compile(
    r"(?:[^\W\d]|[$_]|\\u[0-9a-fA-F]{4}|\\u\{[0-9a-fA-F]+\})(?:[\w$\u200c\u200d]|\\u[0-9a-fA-F]{4}|\\u\{[0-9a-fA-F]+\})*"
)
_NUMBER = re.compile(
    r"0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
)
_REGEX = re.compile(r"/(?![*/])(?:[^\\/\[\n\r]|\\[^\n\r]|\[(?:[^\]\\\n\r]|\\[^\n\r])*\])+/[a-z]*")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    value: Any
    newline: bool


def _tokens(source: str) -> list[_Token]:
    if len(source) > MAX_SOURCE:
        raise NotModelled(f"a script of more than {MAX_SOURCE} characters")
    found: list[_Token] = []
    position, newline = 0, True
    while position < len(source):
        if match := _SPACE.match(source, position):
            position = match.end()
        elif match := _NEWLINE.match(source, position):
            position, newline = match.end(), True
        elif source.startswith(("//", "<!--"), position) or (
            newline and source.startswith("-->", position)
        ):
            end = _NEWLINE.search(source, position)
            position = end.start() if end else len(source)
        elif source.startswith("/*", position):
            end_of_comment = source.find("*/", position + 2)
            if end_of_comment < 0:
                raise SyntaxFault("a comment does not end")
            newline = newline or bool(_NEWLINE.search(source, position, end_of_comment))
            position = end_of_comment + 2
        else:
            token, position = _token(source, position, newline, found)
            found.append(token)
            newline = False
    found.append(_Token("end", "", newline))
    return found


def _token(source: str, position: int, newline: bool, before: list[_Token]) -> tuple[_Token, int]:
    letter = source[position]
    if letter in "\"'":
        value, end = _string(source, position)
        return _Token("string", value, newline), end
    if letter == "`":
        parts, end = _template(source, position)
        return _Token("template", parts, newline), end
    if (letter.isdigit() or (letter == "." and source[position + 1 : position + 2].isdigit())) and (
        match := _NUMBER.match(source, position)
    ):
        if _NAME.match(source, match.end()):
            raise SyntaxFault("a number runs into a name")
        return _Token("number", _number(match[0]), newline), match.end()
    if match := _NAME.match(source, position):
        name = re.sub(
            r"\\u(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{4}))",
            lambda found: chr(int(found[1] or found[2], 16) % 0x110000),
            match[0],
        )
        return _Token("keyword" if match[0] in _KEYWORDS else "name", name, newline), match.end()
    if letter == "/" and not _ends_operand(before):
        match = _REGEX.match(source, position)
        if not match:
            raise SyntaxFault("a regular expression does not end")
        return _Token("regex", match[0], newline), match.end()
    for mark in _PUNCTUATORS:
        if source.startswith(mark, position):
            if mark == "?." and source[position + 2 : position + 3].isdigit():
                continue
            return _Token("mark", mark, newline), position + len(mark)
    raise SyntaxFault(f"the character {letter!r}")


def _ends_operand(before: list[_Token]) -> bool:
    if not before:
        return False
    last = before[-1]
    if last.kind == "mark":
        return last.value in (")", "]", "}")
    if last.kind == "keyword":
        return last.value in ("this", "null", "true", "false", "super")
    return True


def _number(text: str) -> float:
    prefixes = {"0x": 16, "0b": 2, "0o": 8}
    base = prefixes.get(text[:2].lower())
    return float(int(text[2:], base)) if base else float(text)


def _string(source: str, start: int) -> tuple[str, int]:
    quote, position = source[start], start + 1
    parts: list[str] = []
    while position < len(source):
        letter = source[position]
        if letter == quote:
            return "".join(parts), position + 1
        if letter in "\n\r":
            break
        if letter == "\\":
            part, position = _escape(source, position)
            parts.append(part)
        else:
            parts.append(letter)
            position += 1
    raise SyntaxFault("a string does not end")


def _escape(source: str, position: int) -> tuple[str, int]:
    letter = source[position + 1 : position + 2]
    if letter == "x":
        match = re.compile(r"[0-9a-fA-F]{2}").match(source, position + 2)
    elif letter == "u":
        match = re.compile(r"[0-9a-fA-F]{4}|\{[0-9a-fA-F]{1,6}\}").match(source, position + 2)
    else:
        newline = _NEWLINE.match(source, position + 1)
        if newline:
            return "", newline.end()
        if not letter:
            raise SyntaxFault("a backslash at the end")
        return _ESCAPES.get(letter, letter), position + 2
    if not match or int(match[0].strip("{}"), 16) > 0x10FFFF:
        raise SyntaxFault("a broken escape")
    return chr(int(match[0].strip("{}"), 16)), match.end()


def _template(source: str, start: int) -> tuple[list[str], int]:
    """The parts of a template: text at even places, the source of ``${…}`` at odd ones."""
    parts: list[str] = []
    text, position = "", start + 1
    while position < len(source):
        letter = source[position]
        if letter == "`":
            return [*parts, text], position + 1
        if letter == "\\":
            part, position = _escape(source, position)
            text += part
        elif source.startswith("${", position):
            end = _closing(source, position + 2)
            parts += [text, source[position + 2 : end]]
            text, position = "", end + 1
        else:
            text += letter
            position += 1
    raise SyntaxFault("a template does not end")


def _closing(source: str, position: int) -> int:
    depth = 0
    while position < len(source):
        letter = source[position]
        if letter in "\"'":
            _, position = _string(source, position)
            continue
        if letter == "`":
            _, position = _template(source, position)
            continue
        if letter == "{":
            depth += 1
        elif letter == "}":
            if depth == 0:
                return position
            depth -= 1
        position += 1
    raise SyntaxFault("a template's ${ does not end")


# The parser. A node is a tuple whose first item names it.

Node = tuple[Any, ...]

_BINARY = {
    "??": 1, "||": 2, "&&": 3, "|": 4, "^": 5, "&": 6,
    "==": 7, "!=": 7, "===": 7, "!==": 7,
    "<": 8, ">": 8, "<=": 8, ">=": 8, "in": 8, "instanceof": 8,
    "<<": 9, ">>": 9, ">>>": 9, "+": 10, "-": 10, "*": 11, "/": 11, "%": 11, "**": 12,
}  # fmt: skip
_ASSIGN = frozenset(
    (  # noqa: SIM905 - a list of words reads better as words
        "= += -= *= /= %= **= <<= >>= >>>= &= |= ^= &&= ||= ??="
    ).split()
)
_LOOPS = frozenset(
    ["for", "while", "do", "switch", "class", "import", "export", "with", "break", "continue"]
)


class _Parser:
    def __init__(self, source: str) -> None:
        self._tokens = _tokens(source)
        self._at = 0
        self._depth = 0
        self._functions = 0

    def program(self, *, in_function: bool = False) -> list[Node]:
        self._functions = int(in_function)
        statements = []
        while self._look.kind != "end":
            statements.append(self._statement())
        return statements

    @property
    def _look(self) -> _Token:
        return self._tokens[self._at]

    def _next(self) -> _Token:
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _is(self, *values: str) -> bool:
        return self._look.kind in ("mark", "keyword") and self._look.value in values

    def _take(self, *values: str) -> bool:
        if self._is(*values):
            self._next()
            return True
        return False

    def _expect(self, value: str) -> None:
        if not self._take(value):
            self._unexpected()

    def _unexpected(self) -> NoReturn:
        shown = self._look.value if self._look.kind != "end" else "the end"
        raise SyntaxFault(f"unexpected {str(shown)[:40]}")

    def _end(self) -> None:
        if self._take(";") or self._is("}") or self._look.kind == "end" or self._look.newline:
            return
        self._unexpected()

    def _name(self) -> str:
        token = self._look
        if token.kind == "name" or (token.kind == "keyword" and token.value not in _RESERVED):
            return str(self._next().value)
        if token.kind == "mark" and token.value in ("{", "["):
            raise NotModelled("destructuring")
        self._unexpected()
        return None

    def _nested(self, parse: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise NotModelled("very deep nesting")
        node = parse()
        self._depth -= 1
        return node

    def _statement(self) -> Node:
        return self._nested(self._any_statement)

    def _any_statement(self) -> Node:
        token = self._look
        if token.kind == "keyword":
            if token.value in _LOOPS:
                if token.value == "import" and self._tokens[self._at + 1].value in ("(", "."):
                    raise NotModelled("import()")
                raise NotModelled(f"`{token.value}`")
            if token.value in ("var", "const") or (
                token.value == "let"
                and (
                    self._tokens[self._at + 1].kind == "name"
                    or self._tokens[self._at + 1].value in ("[", "{")
                )
            ):
                return self._variables()
            if token.value == "function":
                self._next()
                name = self._name()
                return ("declare", [(name, self._function_rest())])
            if token.value in ("if", "try", "throw", "return"):
                return getattr(self, f"_{token.value}")()  # type: ignore[no-any-return]
            if token.value == "debugger":
                self._next()
                self._end()
                return ("empty",)
        if self._take(";"):
            return ("empty",)
        if self._is("{"):
            return ("block", self._block())
        following = self._tokens[min(self._at + 1, len(self._tokens) - 1)]
        if token.kind == "name" and following.kind == "mark" and following.value == ":":
            self._next()
            self._next()
            return self._statement()
        expression = self._expression()
        self._end()
        return ("expression", expression)

    def _block(self) -> list[Node]:
        self._expect("{")
        statements = []
        while not self._is("}"):
            if self._look.kind == "end":
                self._unexpected()
            statements.append(self._statement())
        self._next()
        return statements

    def _variables(self) -> Node:
        constant = self._next().value == "const"
        names: list[tuple[str, Node | None]] = []
        while True:
            name = self._name()
            value = self._assignment() if self._take("=") else None
            if constant and value is None:
                raise SyntaxFault("a const without a value")
            names.append((name, value))
            if not self._take(","):
                break
        self._end()
        return ("declare", names)

    def _if(self) -> Node:
        self._next()
        self._expect("(")
        test = self._expression()
        self._expect(")")
        then = self._statement()
        other = self._statement() if self._take("else") else ("empty",)
        return ("if", test, then, other)

    def _try(self) -> Node:
        self._next()
        body, caught, handler, final = self._block(), "", None, []
        if self._take("catch"):
            if self._take("("):
                caught = self._name()
                self._expect(")")
            handler = self._block()
        if self._take("finally"):
            final = self._block()
        elif handler is None:
            self._unexpected()
        return ("try", body, caught, handler, final)

    def _throw(self) -> Node:
        self._next()
        if self._look.newline:
            raise SyntaxFault("a line break after throw")
        value = self._expression()
        self._end()
        return ("throw", value)

    def _return(self) -> Node:
        if not self._functions:
            raise SyntaxFault("return outside a function")
        self._next()
        bare = self._is(";", "}") or self._look.kind == "end" or self._look.newline
        value = None if bare else self._expression()
        self._end()
        return ("return", value)

    def _expression(self) -> Node:
        node = self._assignment()
        while self._take(","):
            node = ("comma", node, self._assignment())
        return node

    def _assignment(self) -> Node:
        return self._nested(self._any_assignment)

    def _any_assignment(self) -> Node:
        arrow = self._arrow()
        if arrow:
            return arrow
        left = self._conditional()
        if self._look.kind == "mark" and self._look.value in _ASSIGN:
            operator = self._next().value
            if left[0] not in ("name", "member"):
                if left[0] in ("array", "object") and operator == "=":
                    raise NotModelled("destructuring")
                raise SyntaxFault("an assignment to something that is no place")
            return ("assign", operator, left, self._assignment())
        return left

    def _arrow(self) -> Node | None:
        start = self._at
        if self._look.kind == "name" and self._tokens[self._at + 1].value == "=>":
            parameters = [self._name()]
        elif self._is("("):
            depth, end = 0, self._at
            while end < len(self._tokens) - 1:
                token = self._tokens[end]
                if token.kind == "mark" and token.value in "([{":
                    depth += 1
                elif token.kind == "mark" and token.value in ")]}":
                    depth -= 1
                    if depth == 0:
                        break
                end += 1
            following = self._tokens[min(end + 1, len(self._tokens) - 1)]
            if following.kind != "mark" or following.value != "=>":
                return None
            parameters = self._parameters()
        else:
            return None
        self._expect("=>")
        self._functions += 1
        body = self._block() if self._is("{") else [("return", self._assignment())]
        self._functions -= 1
        assert self._at > start
        return ("function", "", parameters, body, True)

    def _parameters(self) -> list[str]:
        self._expect("(")
        names: list[str] = []
        while not self._take(")"):
            if self._is("..."):
                raise NotModelled("rest parameters")
            names.append(self._name())
            if self._is("="):
                raise NotModelled("default parameters")
            if not self._is(")"):
                self._expect(",")
        return names

    def _function_rest(self) -> Node:
        if self._is("*"):
            raise NotModelled("generators")
        parameters = self._parameters()
        self._functions += 1
        body = self._block()
        self._functions -= 1
        return ("function", "", parameters, body, False)

    def _conditional(self) -> Node:
        test = self._binary(0)
        if not self._take("?"):
            return test
        then = self._assignment()
        self._expect(":")
        return ("conditional", test, then, self._assignment())

    def _binary(self, floor: int) -> Node:
        left = self._unary()
        while self._look.kind in ("mark", "keyword"):
            operator = self._look.value
            strength = _BINARY.get(operator, 0)
            if strength <= floor:
                break
            self._next()
            right = self._binary(strength - 1 if operator == "**" else strength)
            left = ("binary", operator, left, right)
        return left

    def _unary(self) -> Node:
        if self._is("!", "~", "+", "-", "typeof", "void", "delete"):
            operator = self._next().value
            return ("unary", operator, self._nested(self._unary))
        if self._is("++", "--"):
            operator = self._next().value
            target = self._nested(self._unary)
            if target[0] not in ("name", "member"):
                raise SyntaxFault(f"{operator} of something that is no place")
            return ("step", operator, target)
        if self._is("await", "async", "yield"):
            raise NotModelled(f"`{self._look.value}`")
        node = self._postfix()
        if self._is("++", "--") and not self._look.newline:
            if node[0] not in ("name", "member"):
                raise SyntaxFault("++ or -- of something that is no place")
            return ("step", self._next().value, node)
        return node

    def _postfix(self) -> Node:
        node = self._new() if self._is("new") else self._primary()
        while True:
            if self._take(".", "?."):
                maybe = self._tokens[self._at - 1].value == "?."
                if maybe and self._is("("):
                    node = ("call", node, self._arguments())
                elif maybe and self._take("["):
                    node = ("member", node, self._expression())
                    self._expect("]")
                elif self._look.kind in ("name", "keyword"):
                    node = ("member", node, ("literal", self._next().value))
                else:
                    self._unexpected()
            elif self._take("["):
                node = ("member", node, self._expression())
                self._expect("]")
            elif self._is("("):
                node = ("call", node, self._arguments())
            elif self._look.kind == "template":
                node = ("tagged", node, self._next().value)
            else:
                return node

    def _new(self) -> Node:
        self._next()
        if self._is("."):
            raise NotModelled("new.target")
        callee = self._new() if self._is("new") else self._primary()
        while self._is(".", "["):
            if self._take("."):
                if self._look.kind not in ("name", "keyword"):
                    self._unexpected()
                callee = ("member", callee, ("literal", self._next().value))
            else:
                self._next()
                callee = ("member", callee, self._expression())
                self._expect("]")
        return ("new", callee, self._arguments() if self._is("(") else [])

    def _arguments(self) -> list[Node]:
        self._expect("(")
        arguments: list[Node] = []
        while not self._take(")"):
            if self._is("..."):
                raise NotModelled("spreading")
            arguments.append(self._assignment())
            if not self._is(")"):
                self._expect(",")
        return arguments

    def _primary(self) -> Node:
        token = self._look
        if token.kind in ("string", "number"):
            return ("literal", self._next().value)
        if token.kind == "template":
            return ("template", self._next().value)
        if token.kind == "regex":
            return ("regex", self._next().value)
        if token.kind == "keyword":
            if token.value in ("null", "true", "false"):
                self._next()
                return ("literal", {"null": None, "true": True, "false": False}[token.value])
            if token.value == "this":
                self._next()
                return ("this",)
            if token.value == "function":
                self._next()
                name = "" if self._is("(", "*") else self._name()
                return ("function", name, *self._function_rest()[2:])
            if token.value in ("class", "super", "import"):
                raise NotModelled(f"`{token.value}`")
        if token.kind == "name" or (token.kind == "keyword" and token.value not in _RESERVED):
            return ("name", self._next().value)
        if self._take("("):
            node = self._expression()
            self._expect(")")
            return ("group", node) if node[0] not in ("name", "member") else node
        if self._take("["):
            return ("array", self._items("]"))
        if self._take("{"):
            return self._object()
        self._unexpected()
        return None

    def _items(self, end: str) -> list[Node]:
        items: list[Node] = []
        while not self._take(end):
            if self._is("..."):
                raise NotModelled("spreading")
            if self._take(","):
                items.append(("literal", UNDEFINED))
                continue
            items.append(self._assignment())
            if not self._is(end):
                self._expect(",")
        return items

    def _object(self) -> Node:
        members: list[tuple[Node, Node]] = []
        while not self._take("}"):
            if self._is("..."):
                raise NotModelled("spreading")
            token = self._next()
            key: Node
            if token.kind in ("name", "keyword", "string"):
                key = ("literal", token.value)
            elif token.kind == "number":
                key = ("literal", to_text(token.value))
            elif token.kind == "mark" and token.value == "[":
                key = self._assignment()
                self._expect("]")
            else:
                self._at -= 1
                self._unexpected()
            if self._take(":"):
                members.append((key, self._assignment()))
            elif self._is("("):
                members.append((key, self._function_rest()))
            elif token.kind == "name" and self._is(",", "}"):
                members.append((key, ("name", token.value)))
            elif token.value in ("get", "set", "async"):
                raise NotModelled("accessors")
            else:
                self._unexpected()
            if not self._is("}"):
                self._expect(",")
        return ("object", members)


# The evaluator.


class _Return(Exception):  # noqa: N818 - a jump, not an error
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


@dataclass
class Budget:
    """How many steps are left; shared by the pages of a browser."""

    left: int = MAX_STEPS


class Interpreter:
    """Follows scripts of one page.

    Args:
        window: The global object; its :meth:`Thing.get` raises ``KeyError`` for unknown names.
        budget: The steps that are left; of its own by default.
    """

    def __init__(self, window: Thing, budget: Budget | None = None) -> None:
        self._window = window
        self._globals = Scope(window)
        self._budget = Budget() if budget is None else budget
        self._depth = 0
        self._nesting = 0

    def run(self, source: str, *, this: Any = None, as_handler: bool = False) -> Any:
        """Run a script, or the body of an event handler, and return its value.

        Raises:
            SyntaxFault: If it is not JavaScript; nothing has run.
            Thrown: If it threw.
            NotModelled: If it goes beyond the model; what came before has run.
        """
        statements = _Parser(source).program(in_function=as_handler)
        scope = (
            Scope(self._window, {"event": Plain()}, self._globals) if as_handler else self._globals
        )
        return self._body(statements, scope, self._window if this is None else this)

    def call(self, function: Any, arguments: list[Any], this: Any = None) -> Any:
        """Call a function value."""
        if isinstance(function, Native):
            return function(arguments)
        if not isinstance(function, Function):
            raise Thrown(f"TypeError: {to_text(function)} is not a function")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._depth = 0
            raise NotModelled("very deep calls")
        names = {
            name: arguments[place] if place < len(arguments) else UNDEFINED
            for place, name in enumerate(function.parameters)
        }
        scope = Scope(self._window, names, function.scope)
        own_this = scope_this(function.scope) if function.arrow else this
        scope.names["this"] = self._window if own_this is None else own_this
        try:
            self._statements(list(function.body), scope)
        except _Return as done:
            return done.value
        finally:
            self._depth = max(0, self._depth - 1)
        return UNDEFINED

    def _body(self, statements: list[Node], scope: Scope, this: Any) -> Any:
        scope.names["this"] = this
        try:
            return self._statements(statements, scope)
        except _Return as done:
            return done.value

    def _statements(self, statements: list[Node], scope: Scope) -> Any:
        for node in statements:
            # Function declarations are in reach before the statements above them.
            if node[0] == "declare":
                for name, value in node[1]:
                    if value is not None and value[0] == "function" and not value[1]:
                        scope.names[name] = self._evaluate(value, scope)
                    else:
                        scope.names.setdefault(name, UNDEFINED)
        result: Any = UNDEFINED
        for node in statements:
            value = self._statement(node, scope)
            result = value if node[0] == "expression" else result
        return result

    def _statement(self, node: Node, scope: Scope) -> Any:
        self._count()
        kind = node[0]
        if kind == "expression":
            return self._evaluate(node[1], scope)
        if kind == "declare":
            for name, value in node[1]:
                if value is not None:
                    scope.names[name] = self._evaluate(value, scope)
        elif kind == "block":
            self._statements(node[1], scope)
        elif kind == "if":
            chosen = node[2] if truthy(self._evaluate(node[1], scope)) else node[3]
            self._statement(chosen, scope)
        elif kind == "throw":
            raise Thrown(self._evaluate(node[1], scope))
        elif kind == "return":
            raise _Return(UNDEFINED if node[1] is None else self._evaluate(node[1], scope))
        elif kind == "try":
            self._try(node, scope)
        return UNDEFINED

    def _try(self, node: Node, scope: Scope) -> None:
        _, body, caught, handler, final = node
        try:
            self._statements(body, scope)
        except Thrown as thrown:
            if handler is None:
                self._statements(final, scope)
                raise
            names = {caught: thrown.value} if caught else {}
            self._statements(handler, Scope(self._window, names, scope))
        self._statements(final, scope)

    def _count(self) -> None:
        self._budget.left -= 1
        if self._budget.left < 0:
            raise NotModelled(f"more than {MAX_STEPS} steps")

    def _evaluate(self, node: Node, scope: Scope) -> Any:
        self._count()
        self._nesting += 1
        try:
            if self._nesting > MAX_NESTING:
                raise NotModelled("very deep nesting")
            return getattr(self, f"_on_{node[0]}")(node, scope)
        finally:
            self._nesting -= 1

    def _on_literal(self, node: Node, _scope: Scope) -> Any:
        return node[1]

    def _on_regex(self, node: Node, _scope: Scope) -> Any:
        thing = Plain()
        thing.shown = node[1]  # type: ignore[attr-defined]
        return thing

    def _on_group(self, node: Node, scope: Scope) -> Any:
        return self._evaluate(node[1], scope)

    def _on_this(self, _node: Node, scope: Scope) -> Any:
        this = scope_this(scope)
        return self._window if this is None else this

    def _on_name(self, node: Node, scope: Scope) -> Any:
        name = node[1]
        here: Scope | None = scope
        while here is not None:
            if name in here.names:
                return here.names[name]
            here = here.outer
        if name == "undefined":
            return UNDEFINED
        try:
            return self._window.get(name)
        except KeyError:
            raise Thrown(f"ReferenceError: {name} is not defined") from None

    def _on_template(self, node: Node, scope: Scope) -> str:
        parts = [
            part if place % 2 == 0 else to_text(self._source(part, scope))
            for place, part in enumerate(node[1])
        ]
        return _bounded("".join(parts))

    def _source(self, source: str, scope: Scope) -> Any:
        parsed = _Parser(f"({source}\n)").program()
        return self._evaluate(parsed[0][1], scope)

    def _on_tagged(self, node: Node, scope: Scope) -> Any:
        values = [self._source(part, scope) for part in node[2][1::2]]
        function, this = self._callee(node[1], scope)
        return self.call(function, [list(node[2][::2]), *values], this)

    def _on_comma(self, node: Node, scope: Scope) -> Any:
        self._evaluate(node[1], scope)
        return self._evaluate(node[2], scope)

    def _on_conditional(self, node: Node, scope: Scope) -> Any:
        chosen = node[2] if truthy(self._evaluate(node[1], scope)) else node[3]
        return self._evaluate(chosen, scope)

    def _on_array(self, node: Node, scope: Scope) -> list[Any]:
        return [self._evaluate(item, scope) for item in node[1]]

    def _on_object(self, node: Node, scope: Scope) -> Plain:
        return Plain(
            {
                to_text(self._evaluate(key, scope)): self._evaluate(value, scope)
                for key, value in node[1]
            }
        )

    def _on_function(self, node: Node, scope: Scope) -> Function:
        return Function(node[2], tuple(node[3]), scope, node[4])

    def _callee(self, node: Node, scope: Scope) -> tuple[Any, Any]:
        if node[0] != "member":
            return self._evaluate(node, scope), None
        target = self._evaluate(node[1], scope)
        name = to_text(self._evaluate(node[2], scope))
        return self._member(target, name), target

    def _on_call(self, node: Node, scope: Scope) -> Any:
        function, this = self._callee(node[1], scope)
        arguments = [self._evaluate(argument, scope) for argument in node[2]]
        return self.call(function, arguments, this)

    def _on_new(self, node: Node, scope: Scope) -> Any:
        function = self._evaluate(node[1], scope)
        arguments = [self._evaluate(argument, scope) for argument in node[2]]
        if isinstance(function, Native):
            if function.makes:
                return function(arguments)
            raise Thrown(f"TypeError: {function.name} is not a constructor")
        if not isinstance(function, Function) or function.arrow:
            raise Thrown("TypeError: not a constructor")
        made = Plain()
        result = self.call(function, arguments, made)
        return result if isinstance(result, Thing) else made

    def _on_member(self, node: Node, scope: Scope) -> Any:
        target = self._evaluate(node[1], scope)
        return self._member(target, to_text(self._evaluate(node[2], scope)))

    def _member(self, target: Any, name: str) -> Any:
        if target is None or target is UNDEFINED:
            raise Thrown(f"TypeError: cannot read {name} of {to_text(target)}")
        if isinstance(target, Thing):
            try:
                return target.get(name)
            except KeyError:
                return UNDEFINED
        if isinstance(target, str):
            return _text_member(target, name)
        if isinstance(target, list):
            return self._list_member(target, name)
        if isinstance(target, Native | Function) and name in ("call", "apply", "bind"):
            return self._function_member(target, name)
        raise NotModelled(f"the member {name}")

    def _function_member(self, function: Native | Function, name: str) -> Native:
        def call(this: Any = UNDEFINED, *arguments: Any) -> Any:
            return self.call(function, list(arguments), this)

        def apply(this: Any = UNDEFINED, arguments: Any = UNDEFINED) -> Any:
            return self.call(function, arguments if isinstance(arguments, list) else [], this)

        def bind(this: Any = UNDEFINED, *first: Any) -> Native:
            return Native("bound", lambda *rest: self.call(function, [*first, *rest], this))

        return Native(name, {"call": call, "apply": apply, "bind": bind}[name])

    def _list_member(self, items: list[Any], name: str) -> Any:
        if name == "length":
            return float(len(items))
        if name.isdigit():
            return items[int(name)] if int(name) < len(items) else UNDEFINED
        if name == "join":
            return Native(
                name, lambda mark=",": _bounded(to_text(mark).join(to_text(item) for item in items))
            )
        if name in ("map", "forEach", "find", "filter", "some"):

            def each(function: Any) -> Any:
                results = [
                    self.call(function, [item, float(place), items])
                    for place, item in enumerate(items)
                ]
                return results if name == "map" else UNDEFINED

            return Native(name, each)
        raise NotModelled(f"the member {name} of a list")

    def _on_assign(self, node: Node, scope: Scope) -> Any:
        _, operator, place, source = node
        if operator in ("&&=", "||=", "??="):
            raise NotModelled(f"`{operator}`")
        if operator == "=":
            if place[0] == "name":
                value = self._evaluate(source, scope)
                self._set_name(place[1], value, scope)
                return value
            target = self._evaluate(place[1], scope)
            name = to_text(self._evaluate(place[2], scope))
            value = self._evaluate(source, scope)
            self._set_member(target, name, value)
            return value
        value = _operate(operator[:-1], self._evaluate(place, scope), self._evaluate(source, scope))
        self._put(place, value, scope)
        return value

    def _put(self, place: Node, value: Any, scope: Scope) -> None:
        if place[0] == "name":
            self._set_name(place[1], value, scope)
        else:
            target = self._evaluate(place[1], scope)
            self._set_member(target, to_text(self._evaluate(place[2], scope)), value)

    def _set_name(self, name: str, value: Any, scope: Scope) -> None:
        here: Scope | None = scope
        while here is not None:
            if name in here.names:
                here.names[name] = value
                return
            here = here.outer
        self._window.put(name, value)

    def _set_member(self, target: Any, name: str, value: Any) -> None:
        if target is None or target is UNDEFINED:
            raise Thrown(f"TypeError: cannot set {name} of {to_text(target)}")
        if isinstance(target, Thing):
            target.put(name, value)
        elif isinstance(target, list) and name.isdigit():
            raise NotModelled("setting an item of a list")

    def _on_step(self, node: Node, scope: Scope) -> Any:
        old = _to_number(self._evaluate(node[2], scope))
        self._put(node[2], old + (1 if node[1] == "++" else -1), scope)
        return old

    def _on_unary(self, node: Node, scope: Scope) -> Any:
        operator = node[1]
        if operator == "typeof" and node[2][0] == "name":
            try:
                return _typeof(self._evaluate(node[2], scope))
            except Thrown:
                return "undefined"
        value = self._evaluate(node[2], scope)
        if operator == "!":
            return not truthy(value)
        if operator == "void":
            return UNDEFINED
        if operator == "typeof":
            return _typeof(value)
        if operator == "delete":
            return True
        number = _to_number(value)
        if operator == "~":
            return float(~to_int(number))
        return -number if operator == "-" else number

    def _on_binary(self, node: Node, scope: Scope) -> Any:
        _, operator, left, right = node
        first = self._evaluate(left, scope)
        if operator in ("&&", "||", "??"):
            keeps = {
                "&&": not truthy(first),
                "||": truthy(first),
                "??": first is not None and first is not UNDEFINED,
            }[operator]
            return first if keeps else self._evaluate(right, scope)
        second = self._evaluate(right, scope)
        if operator in ("in", "instanceof"):
            if isinstance(second, Thing | Native | Function | list):
                raise NotModelled(f"`{operator}`")
            raise Thrown(f"TypeError: the right side of {operator} is no object")
        return _operate(operator, first, second)


def scope_this(scope: Scope) -> Any:
    """What ``this`` is in a scope."""
    here: Scope | None = scope
    while here is not None:
        if "this" in here.names:
            return here.names["this"]
        here = here.outer
    return None


def _bounded(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise NotModelled(f"a text of more than {MAX_TEXT} characters")
    return text


def _typeof(value: Any) -> str:
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, float):
        return "number"
    if value is UNDEFINED:
        return "undefined"
    return "function" if isinstance(value, Native | Function) else "object"


def _to_number(value: Any) -> float:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, float):
        return value
    if value is None:
        return 0.0
    if isinstance(value, str):
        try:
            return float(value.strip() or "0")
        except ValueError:
            return float("nan")
    return float("nan")


def to_int(value: Any) -> int:
    """A value as a whole number of 32 bits, as JavaScript's bit operators see it."""
    number = _to_number(value)
    if number != number or number in (float("inf"), float("-inf")):
        return 0
    folded = int(number) & 0xFFFFFFFF
    return folded - (1 << 32) if folded & 0x80000000 else folded


def _operate(operator: str, left: Any, right: Any) -> Any:
    if operator == "+":
        simple = (float, bool, type(None), _Undefined)
        if isinstance(left, simple) and isinstance(right, simple):
            return _to_number(left) + _to_number(right)
        return _bounded(to_text(left) + to_text(right))
    if operator in ("==", "===", "!=", "!=="):
        same = left is right if isinstance(left, Thing | list) else left == right
        if operator in ("==", "!=") and {type(left), type(right)} <= {type(None), _Undefined}:
            same = True
        elif len(operator) == 3 and type(left) is not type(right):
            same = False
        return same if operator[0] == "=" else not same
    if operator in ("<", ">", "<=", ">="):
        if not (isinstance(left, str) and isinstance(right, str)):
            left, right = _to_number(left), _to_number(right)
        return {
            "<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right,
        }[operator]  # fmt: skip
    first, second = _to_number(left), _to_number(right)
    if operator in ("-", "*"):
        return first - second if operator == "-" else first * second
    if operator in ("/", "%"):
        if second == 0:
            return (
                float("nan")
                if operator == "%" or first == 0 or first != first
                else first * float("inf")
            )
        return first / second if operator == "/" else float(first - second * int(first / second))
    if operator in ("&", "|", "^"):
        one, two = to_int(first), to_int(second)
        return float({"&": one & two, "|": one | two, "^": one ^ two}[operator])
    raise NotModelled(f"`{operator}`")


def _split(text: str, mark: Any) -> list[str]:
    if mark is UNDEFINED:
        return [text]
    return text.split(to_text(mark)) if to_text(mark) else list(text)


def _text_member(text: str, name: str) -> Any:
    def cut(start: Any = 0.0, end: Any = UNDEFINED) -> str:
        return text[to_int(start) : None if end is UNDEFINED else to_int(end)]

    methods: dict[str, Callable[..., Any]] = {
        "slice": cut,
        "substring": cut,
        "concat": lambda *parts: _bounded(text + "".join(map(to_text, parts))),
        "indexOf": lambda wanted="undefined": float(text.find(to_text(wanted))),
        "includes": lambda wanted="undefined": to_text(wanted) in text,
        "startsWith": lambda wanted="undefined": text.startswith(to_text(wanted)),
        "toLowerCase": lambda: text.lower(),
        "toUpperCase": lambda: text.upper(),
        "trim": lambda: text.strip(),
        "toString": lambda: text,
        "split": lambda mark=UNDEFINED: _split(text, mark),
        "charCodeAt": lambda place=0.0: float(ord(text[to_int(place)])),
    }
    if name == "length":
        return float(len(text))
    if name in methods:
        return Native(name, methods[name])
    if name.isdigit():
        return text[int(name)] if int(name) < len(text) else UNDEFINED
    raise NotModelled(f"the member {name} of a text")
