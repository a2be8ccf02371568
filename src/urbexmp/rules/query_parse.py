"""Reads an expression: text to the tree of `rules.query`, or one sentence that says what is wrong.

expression = either { "OR" either }
either     = negated { [ "AND" ] negated }
negated    = { "NOT" } one
one        = "(" expression ")" | term
"""

from __future__ import annotations

from typing import NamedTuple

from urbexmp.model.errors import UsageProblem
from urbexmp.model.folding import SEPARATOR
from urbexmp.rules.query import (
    And,
    Everything,
    HasTerm,
    KeywordTerm,
    Not,
    NumberTerm,
    Or,
    Query,
    TextTerm,
    WordTerm,
)
from urbexmp.rules.query_fields import ALIASES, FIELDS, HAS_ALIASES
from urbexmp.rules.query_values import days, numbers, text_words

MAX_LENGTH = 10_000
"""Characters in an expression."""
MAX_DEPTH = 60
"""Parentheses and NOTs inside one another: a tree that deep no person wrote."""
MAX_TERMS = 500

_OPERATORS = (">=", "<=", ":", "=", ">", "<")
_JOINERS = ("AND", "OR", "NOT")


class QueryMistake(UsageProblem):
    """An expression cannot be read. `column` counts from 1."""

    def __init__(self, text: str, column: int, detail: str) -> None:
        self.column = column
        super().__init__(
            f"column {column} of {_excerpt(text)!r}",
            detail,
            "`urbexmp query --help` shows the language",
        )


def _excerpt(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."


class Token(NamedTuple):
    """A parenthesis, or a word with what was quoted in it."""

    text: str
    """Without quotes."""
    column: int
    quoted: tuple[bool, ...]
    """For each character, whether quotes or a backslash took its special meaning away."""

    @property
    def plain(self) -> bool:
        """Nothing in it was quoted."""
        return not any(self.quoted) and bool(self.text)

    def is_sign(self, sign: str) -> bool:
        """Whether it is this parenthesis or joiner, unquoted."""
        return self.plain and self.text == sign


def parse_query(text: str) -> Query:
    """Read an expression. Raises `QueryMistake`. An empty one means all photos."""
    if len(text) > MAX_LENGTH:
        raise QueryMistake(text, MAX_LENGTH, f"is longer than {MAX_LENGTH:,} characters")
    tokens = _tokens(text)
    if not tokens:
        return Everything()
    parser = _Parser(text, tokens)
    found = parser.either_or(0)
    if parser.now is not None:
        raise QueryMistake(text, parser.now.column, "has a ) without a ( before it")
    return found


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char.isspace():
            at += 1
        elif char in "()":
            tokens.append(Token(char, at + 1, (False,)))
            at += 1
        else:
            token, at = _word(text, at)
            tokens.append(token)
    return tokens


def _word(text: str, start: int) -> tuple[Token, int]:
    """A word: up to a blank or a parenthesis outside quotes."""
    chars: list[str] = []
    quoted: list[bool] = []
    opened: int | None = None
    at = start
    while at < len(text):
        char = text[at]
        if opened is not None and char == "\\" and text[at + 1 : at + 2] in ('"', "\\"):
            at += 1
            char = text[at]
        elif char == '"':
            opened = at if opened is None else None
            at += 1
            continue
        elif opened is None and (char.isspace() or char in "()"):
            break
        if char == "\0":
            raise QueryMistake(text, at + 1, "holds a character that no keyword can hold")
        chars.append(char)
        quoted.append(opened is not None)
        at += 1
    if opened is not None:
        raise QueryMistake(text, opened + 1, 'has a " that is never closed')
    if not chars:
        raise QueryMistake(text, start + 1, "has nothing between its quotes")
    return Token("".join(chars), start + 1, tuple(quoted)), at


class _Parser:
    def __init__(self, text: str, tokens: list[Token]) -> None:
        self.text = text
        self.tokens = tokens
        self.at = 0
        self.terms = 0

    @property
    def now(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def next_is(self, sign: str) -> bool:
        return self.now is not None and self.now.is_sign(sign)

    def either_or(self, depth: int) -> Query:
        parts = [self.all_of(depth)]
        while self.next_is("OR"):
            self.at += 1
            parts.append(self.all_of(depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def all_of(self, depth: int) -> Query:
        parts = [self.negated(depth)]
        while self.now is not None and not self.next_is("OR") and not self.next_is(")"):
            if self.next_is("AND"):
                self.at += 1
            parts.append(self.negated(depth))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def negated(self, depth: int) -> Query:
        token = self.now
        if depth > MAX_DEPTH and token is not None:
            raise QueryMistake(self.text, token.column, f"nests deeper than {MAX_DEPTH} levels")
        if token is None:
            raise QueryMistake(self.text, len(self.text) + 1, self._wanting())
        if token.is_sign("NOT"):
            self.at += 1
            return Not(self.negated(depth + 1))
        if token.is_sign("("):
            self.at += 1
            inside = self.either_or(depth + 1)
            if not self.next_is(")"):
                raise QueryMistake(self.text, token.column, "has a ( that is never closed")
            self.at += 1
            return inside
        if token.is_sign(")") or (token.plain and token.text in _JOINERS):
            raise QueryMistake(self.text, token.column, self._wanting(token.text))
        self.at += 1
        self.terms += 1
        if self.terms > MAX_TERMS:
            raise QueryMistake(self.text, token.column, f"has more than {MAX_TERMS} terms")
        return self.term(token)

    def _wanting(self, found: str = "") -> str:
        before = self.tokens[self.at - 1].text if self.at else ""
        place = f"after {before}" if before else "at the beginning"
        return f"wants a keyword or a field {place}" + (f", and has {found}" if found else "")

    # --- Terms ---------------------------------------------------------------------------------

    def term(self, token: Token) -> Query:
        if token.plain and token.text.upper() in _JOINERS:
            raise self.mistake(
                token, f'wants {token.text.upper()} in capitals, or "{token.text}" in quotes'
            )
        if token.plain and token.text == "untagged":
            return Not(HasTerm("keywords"))
        split = _split(token)
        if split is None:
            return self.keyword(token, 0)
        name, operator, start = split
        return self.field(token, name, operator, start)

    def mistake(self, token: Token, detail: str, offset: int = 0) -> QueryMistake:
        return QueryMistake(self.text, token.column + offset, detail)

    def field(self, token: Token, name: str, operator: str, start: int) -> Query:
        asked = name.lower()
        asked = ALIASES.get(asked, asked)
        if asked not in FIELDS:
            raise self.mistake(token, _no_field(name, operator))
        field = FIELDS[asked]
        if start >= len(token.text):
            raise self.mistake(token, f"wants a value after {name}{operator}")
        if field.kind in ("number", "day"):
            value = token.text[start:]
            read = numbers if field.kind == "number" else days
            try:
                low, high = read(operator, value)
            except ValueError as failure:
                raise self.mistake(token, f"{failure} after {name}{operator}", start) from failure
            return NumberTerm(asked, low, high)
        if operator not in (":", "="):
            raise self.mistake(token, f"cannot compare {asked} with {operator}, only with :")
        if field.kind == "keyword":
            return self.keyword(token, start, below=asked != "is", vetoed=asked == "veto")
        value = token.text[start:]
        if field.kind in ("choice", "has"):
            value = value.lower()
            value = HAS_ALIASES.get(value, value) if field.kind == "has" else value
            if value not in field.choices:
                raise self.mistake(
                    token, f"wants one of {', '.join(field.choices)} after {name}:", start
                )
            return HasTerm(value) if field.kind == "has" else WordTerm(asked, value)
        open_end = len(value) > 0 and value.endswith("*") and not token.quoted[-1]
        if field.kind == "text":
            words = text_words(value)
            if not words:
                raise self.mistake(token, f"wants letters or digits after {name}:", start)
            return TextTerm(words, prefix=open_end)
        open_start = value.startswith("*") and not token.quoted[start]
        if asked == "name" and open_start:
            raise self.mistake(token, "cannot begin a name with *, only end it so", start)
        value = value[open_start : len(value) - open_end]
        if field.kind == "path":
            value = value.strip("/") if not (open_start or open_end) else value
        if not value and not (field.kind == "path" and not (open_start or open_end)):
            raise self.mistake(token, f"wants more than * after {name}: (has:{asked}?)", start)
        return WordTerm(asked, value, open_start, open_end)

    def keyword(
        self, token: Token, start: int, *, below: bool = True, vetoed: bool = False
    ) -> KeywordTerm:
        text, quoted = token.text[start:], token.quoted[start:]
        low, high = 0, 100
        at = _last_plain(text, quoted, "@")
        if at is not None:
            operator = next((one for one in _OPERATORS if text.startswith(one, at + 1)), None)
            if operator is None or vetoed:
                detail = (
                    "has no scores for vetoes"
                    if vetoed
                    else "wants a comparison after @, as in Hospital@>=80 (or quotes around it all)"
                )
                raise self.mistake(token, detail, start + at)
            try:
                low, high = numbers(operator, text[at + 1 + len(operator) :])
            except ValueError as failure:
                raise self.mistake(token, f"{failure} after @{operator}", start + at) from failure
            text, quoted = text[:at], quoted[:at]
        prefix = text.endswith("*") and not quoted[-1]
        names = (text[:-1] if prefix else text).split(SEPARATOR)
        if not all(name.strip() for name in names):
            raise self.mistake(token, "has a keyword with an empty name", start)
        if prefix and sum(char.isalnum() for char in names[-1]) == 1:
            raise self.mistake(token, "wants at least two letters before *", start)
        stars = [n for n, char in enumerate(text) if char == "*" and not quoted[n]]
        if len(stars) > prefix:
            raise self.mistake(token, "has a * that is not at the end", start + stars[0])
        return KeywordTerm(
            tuple(name.strip() if n or len(names) > 1 else name for n, name in enumerate(names)),
            below=below,
            prefix=prefix,
            low=low,
            high=high,
            vetoed=vetoed,
        )


def _last_plain(text: str, quoted: tuple[bool, ...], char: str) -> int | None:
    at = text.rfind(char)
    while at >= 0 and quoted[at]:
        at = text.rfind(char, 0, at)
    return at if at > 0 else None


def _split(token: Token) -> tuple[str, str, int] | None:
    """Field name, operator and where the value begins; None for a keyword."""
    for at, char in enumerate(token.text):
        if token.quoted[at] or char == "@":
            return None
        if char in ":=<>":
            operator = next(one for one in _OPERATORS if token.text.startswith(one, at))
            return token.text[:at], operator, at + len(operator)
    return None


def _no_field(name: str, operator: str) -> str:
    import difflib

    near = difflib.get_close_matches(name.lower(), [*FIELDS, *ALIASES], n=1, cutoff=0.6)
    hint = (
        f"; did you mean {near[0]}{operator}?" if near else ", and a keyword with it wants quotes"
    )
    return f"knows no field {name!r}{hint}"
