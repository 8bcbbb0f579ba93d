"""Which dialect a table of text is in: separator, decimal sign, comments, names in its first line, row numbers.

What a file leaves open is ``unclear``, and is asked for by whoever reads it.
"""

from __future__ import annotations

import csv
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

SEPARATORS = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas", " ": "spaces"}
SEPARATED = ("\t", ";", "|", ",")  # what parts cells and not words
MISSING = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NAN", "-nan", "NaT", "NULL", "null", "?", "-", "--")
NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|inf|infinity)", re.IGNORECASE)
NUMBERLIKE = re.compile(  # of whatever country, also as an amount of money, hexadecimal or complex
    r"\(?[+\-−–]?\s*[$€£¥]?[.,'’_\s]*\d[\d.,'’_\s]*([eEdD][+-]?\d+)?\s*[%$€£¥]?\)?|0[xX][\da-fA-F]+"
    r"|\(?[+-]?[\d.]+[+-][\d.]+[ij]\)?"
)
GROUPED = re.compile(r"[+-]?\d{1,3}([.,'’\u00a0\u202f]\d{3})+([.,]\d+)?\s*[%$€£¥]?")  # 1.234,50
SPACED = re.compile(r"[+-]?\d{1,3}( \d{3})+([.,]\d+)?")  # 1 234,50
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")  # 1,234, which is also a number with three decimals
DATE = re.compile(  # 2024-01-31, 31 Jan 2024, Jan 31, 2024; 2024-01, Jan 2024, 2024-Q1, 2024-W05; 10:30 PM
    r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}([T ].*)?|\d{1,2}[ .-]+[A-Za-z]{3,9}[ .,-]+\d{2,4}|\d{1,2}:\d{2}(:\d{2}.*)?"
    r"|[A-Za-z]{3,9}\.?[ -]\d{1,2}(st|nd|rd|th)?,? +(19|20)\d{2}|(19|20)\d{2}[-/](0[1-9]|1[0-2]|Q[1-4]|W[0-5]\d)"
    r"|[A-Za-z]{3,9}[ -](19|20)\d{2}|\d{1,2}:\d{2}(:\d{2})? ?[AaPp]\.?[Mm]\.?"
)
AMOUNT = re.compile(r"[+-]?\d+([.,]\d+)?\s*([%$€£¥]|[^\W\d_]{1,4})")  # 0,50 €
WITH_UNIT = re.compile(r"(?P<number>[+-]?[\d.,]+)(?P<unit>\s+\D.*|[^\W\d_][^\d]*)")
ERROR = re.compile(r'"?#(N/A|DIV/0!|REF!|VALUE!|NUM!|NAME\?|NULL!)')  # what a spreadsheet writes into a cell
EXCEL = re.compile(r'"?sep=.?"?', re.IGNORECASE)  # a first line by which Excel is told the separator
SMALL = re.compile(r"[+-]?\d{1,3}")  # what needs no mark of thousands
SEVERAL = 3  # cells with a mark of thousands that are no accident
WHOLE = re.compile(r"[+-]?\d+")
CODES = r"0\d+|\d+[eE]\+?\d+"  # whole numbers that may be names, which are others when they are written as numbers
CODED = re.compile(rf"(?<![\w.])(?:{CODES})(?![\w.])")
DECIMAL_COMMA = re.compile(r"(?:^|[;\t| \"])[+-]?\d*,\d+(?:[eE][+-]?\d+)?(?=$|[;\t| \"])", re.MULTILINE)
DECIMAL_POINT = re.compile(r"(?:^|[;\t| \"])[+-]?\d*\.\d+(?:[eE][+-]?\d+)?(?=$|[;\t| \"])", re.MULTILINE)
BOOLEANS = ("true", "false")
SAMPLE = 200  # rows that the first one is compared with
SNIFFED = 50  # lines that the separator is told from
SHORT, LONG = 4, 6  # numbers that run one way by no accident: in equal steps, and in any
ID = re.compile(r"(^|[^A-Za-z])id$|[a-z](ID|Id)$|^ID$", re.ASCII)
COUNTERS = ("index", "idx", "id", "row", "rows", "row_id", "rowid", "nr", "no")
UNNAMED = ("", "Unnamed: 0")  # the header of an index by pandas, and what it becomes when pandas reads it

Verdict = Literal["names", "row", "counting names", "unclear"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user says of a table: whether its first line has names, and its first column row numbers.

    None infers both, and refuses what can be read either way. ``rows`` is how many rows the table must have to belong
    to another one, where that is known. ``option`` says that it is said by options, ``header=1``, instead of flags;
    ``decimal`` is the decimal sign, where it is given.
    """

    header: bool | None = None
    index: bool | None = None
    rows: int | None = None
    option: bool = False
    decimal: str = ""

    @property
    def answers(self) -> str:
        """How the user says whether the first line has names."""
        return "header=1 or header=0" if self.option else "--header or --no-header"


class Lines(NamedTuple):
    """The lines of a table: ``first`` is the number of the first of ``rows``; ``comments`` stood above it."""

    rows: list[str]
    first: int
    comments: list[str]
    trailing: int


def split_comments(text: str) -> Lines:
    """The lines of a text without those of ``#``, Excel's ``sep=;`` and blank ones above its first and below its last
    row."""
    lines = text.split("\n")
    above = next((i for i, line in enumerate(lines) if not _is_aside(line)), len(lines))
    below = next((i for i in range(len(lines), above, -1) if not _is_aside(lines[i - 1])), above)
    comments = [line.lstrip()[1:].strip() for line in lines[:above] if line.lstrip().startswith("#")]
    return Lines(lines[above:below], above + 1, comments, sum(bool(line.strip()) for line in lines[below:]))


def _is_aside(line: str) -> bool:
    return not line.strip() or is_comment(line) or EXCEL.fullmatch(line.strip()) is not None


def is_comment(line: str) -> bool:
    """Whether a line is a comment: of ``#``, unless that is the name of a column, or an error in a spreadsheet's cell.

    >>> is_comment("# a,b"), is_comment("#,name,type"), is_comment("#N/A,1.5")
    (True, False, False)
    """
    text = line.lstrip()
    return text.startswith("#") and text[1:2] not in SEPARATED and not ERROR.match(text)


def cells_of(lines: Sequence[str], separator: str) -> list[list[str]]:
    """The cells of lines, without the spaces around them; a blank line has none."""
    stripped = (line.strip(" ") for line in lines) if separator == " " else lines
    parsed = csv.reader((f"{line}\n" for line in stripped), delimiter=separator, skipinitialspace=True)
    return [[cell.strip() for cell in row] for row in parsed]


def separator_of(lines: Sequence[str]) -> str:
    """The separator by which most lines have equally many cells, as many of them numbers as can be."""
    best, chosen = 0.0, ","
    for separator in SEPARATORS:
        rows = [row for row in cells_of(lines[:SNIFFED], separator) if row]
        width, times = Counter(map(len, rows)).most_common(1)[0]
        cells = [cell for row in rows for cell in row]
        share = sum(_is_number(cell, separator) for cell in cells) / len(cells)
        merit = times / len(rows) * (0.5 + share)
        if width > 1 and merit > best and (separator != " " or share >= 0.5):
            best, chosen = merit, separator
    return chosen


def _is_number(cell: str, separator: str) -> bool:
    plainly = is_value(cell.replace(",", ".") if separator != "," else cell)
    return plainly or any(each.fullmatch(cell) for each in (GROUPED, SPACED, AMOUNT))


def grouped(lines: Sequence[str], separator: str, decimal: str) -> str:
    """A cell with the decimal sign, where all that have it may be whole numbers with a mark of thousands; else nothing.

    Commas that part cells mark no thousands, and points only in files of semicolons, as Excel writes them.

    >>> grouped(["1.234;7", "2.000;8"], ";", "."), grouped(["1.234;7", "2.5;8"], ";", ".")
    ('1.234', '')
    """
    if separator == "," or (decimal == "." and separator != ";"):
        return ""
    pattern = DECIMAL_COMMA if decimal == "," else DECIMAL_POINT
    found = [match[0].strip(' \t;|"') for line in lines for match in pattern.finditer(line)]
    return found[0] if found and all(map(THOUSANDS.fullmatch, found)) else ""


def in_thousands(cells: Sequence[str]) -> str:
    """A cell of a column with a mark of thousands: all cells with a mark have three digits behind it, others have few.

    Numbers that are written with three decimals have them in every row.

    >>> in_thousands(["850", "1.250", "12.500", "3.725"]), in_thousands(["0.850", "1.250", "12.500", "3.725"])
    ('1.250', '')
    """
    marked = [cell for cell in cells if THOUSANDS.fullmatch(cell)]
    plain = sum(SMALL.fullmatch(cell) is not None for cell in cells)
    return marked[0] if len(marked) >= SEVERAL and 0 < plain == len(cells) - len(marked) else ""


def decimal_of(lines: Sequence[str], separator: str) -> str:
    """The decimal sign: a comma where numbers have one and none has a point."""
    if separator == ",":
        return "."
    commas = any(DECIMAL_COMMA.search(line) for line in lines)
    return "," if commas and not any(DECIMAL_POINT.search(line) for line in lines) else "."


def is_number(cell: str, decimal: str = ".") -> bool:
    """Whether a cell is a number as text."""
    return NUMBER.fullmatch(cell.replace(",", ".") if decimal == "," else cell) is not None


def is_value(cell: str, decimal: str = ".") -> bool:
    """Whether a cell is a number, a truth value or a mark of a missing one; anything else is a word."""
    return cell in MISSING or cell.lower() in BOOLEANS or is_number(cell, decimal)


def judge(rows: Sequence[Sequence[str]], decimal: str = ".") -> Verdict:
    """Whether the first row holds ``names``, or is a ``row`` like the others.

    ``counting names`` are 0, 1, 2, …, as pandas writes them; ``unclear`` is what could be either.
    """
    first, below = list(rows[0]), rows[1 : SAMPLE + 1]
    words = [j for j, cell in enumerate(first) if not is_value(cell, decimal)]
    if words:
        return _judge_words(first, below, words, decimal)
    verdict = _judge_numbers(first, below)
    return "unclear" if verdict == "row" and _is_scale(first, below, decimal) else verdict


def _is_scale(first: list[str], below: Sequence[Sequence[str]], decimal: str) -> bool:
    """Whether the first row may name the points of a scale, as years and wavelengths do: its numbers run one way.

    They are three or more in equal steps, far from what is in their columns; or `LONG` or more, in equal steps `SHORT`
    or more, where most other rows run in no order.
    """
    rows = [_numbers(row, decimal) for row in (first, *below) if len(row) == len(first)]
    way, rest = _way(rows[0]), rows[1:]
    if way == 0 or len(rest) < 2:
        return False
    given = [number for number in rows[0] if not math.isnan(number)]
    steps = [after - before for before, after in pairwise(given)]
    equal = max(steps) - min(steps) <= 0.02 * abs(sum(steps) / len(steps))
    if equal and all(_is_far(number, [row[j] for row in rest]) for j, number in enumerate(rows[0])):
        return True
    return len(given) >= (SHORT if equal else LONG) and 2 * sum(_way(row) == way for row in rest) < len(rest)


def _is_far(number: float, column: list[float]) -> bool:
    """Whether a number lies farther from a column than the column is wide, or is missing."""
    known = [each for each in column if not math.isnan(each)]
    if math.isnan(number) or not known:
        return True
    low, high = min(known), max(known)
    return max(low - number, number - high) > high - low


def _numbers(row: Sequence[str], decimal: str) -> list[float]:
    cells = [cell.replace(",", ".") if decimal == "," else cell for cell in row]
    return [float(cell) if NUMBER.fullmatch(cell) else math.nan for cell in cells]


def _way(numbers: Sequence[float]) -> int:
    """1 where three numbers or more rise, -1 where they fall, 0 elsewhere; the first may be missing."""
    known = numbers[1:] if numbers and math.isnan(numbers[0]) else numbers
    steps = [after - before for before, after in pairwise(known)]
    if len(steps) < 2 or not all(map(math.isfinite, steps)):
        return 0
    return 1 if min(steps) > 0 else -1 if max(steps) < 0 else 0


def _judge_numbers(first: list[str], below: Sequence[Sequence[str]]) -> Verdict:
    names = first[1:] if first[0] == "" else first
    if not names or not all(map(WHOLE.fullmatch, names)) or len(set(names)) < len(names):
        return "row"
    indexed = len(names) < len(first) and [row[0] for row in below] == [str(i) for i in range(len(below))]
    broken = bool(below) and not any(WHOLE.fullmatch(cell) for row in below for cell in row[len(first) - len(names) :])
    if names != [str(j) for j in range(len(names))]:
        return "unclear" if broken or indexed else "row"
    return "counting names" if below and (indexed or broken or len(names) > 2) else "unclear"


def _judge_words(first: list[str], below: Sequence[Sequence[str]], words: list[int], decimal: str) -> Verdict:
    if any(NUMBERLIKE.fullmatch(first[j]) for j in words):
        return "unclear"
    columns = {j: [row[j] for row in below if row[j] not in MISSING] for j in words}
    if not below or any(_may_be_value(cell, decimal) for column in columns.values() for cell in column):
        return "names"
    if any(first[j] in columns[j] for j in words):
        return "row"
    repeated = any(len(set(column)) < len(column) for column in columns.values())
    return "names" if repeated and len(words) == len(first) else "unclear"


def _may_be_value(cell: str, decimal: str) -> bool:
    return is_value(cell, decimal) or NUMBERLIKE.fullmatch(plain(cell)) is not None


def plain(cell: str) -> str:
    """A cell without letters that are not shown, in the plain form of digits and spaces, and with an ASCII minus.

    >>> plain("1\u200b.5\u00a0"), plain("\u22121\uff15")
    ('1.5', '-15')
    """
    shown = "".join(letter for letter in cell if unicodedata.category(letter) != "Cf")
    return unicodedata.normalize("NFKC", shown).replace("\u2212", "-").replace("\u2013", "-").strip()


def mend_of(cell: str) -> str:
    """How to make a number of what may be meant as one, as the end of a sentence; empty where that is not plain.

    >>> mend_of("1,234"), mend_of("12%"), mend_of("1e400"), mend_of("low")
    (': remove marks of thousands', ': remove the unit', ': floats end at 1.8e308', '')
    """
    found = plain(cell)
    if is_number(cell):
        return "" if math.isfinite(float(cell)) else ": floats end at 1.8e308"
    if is_number(found):
        return ": it has letters that are not shown, or signs and digits that are not ASCII"
    if AMOUNT.fullmatch(found) or re.fullmatch(r"[$€£¥]\s*[\d.,]+", found):
        return ": remove the unit"
    if GROUPED.fullmatch(cell) or GROUPED.fullmatch(found) or SPACED.fullmatch(found):
        return ": remove marks of thousands"
    if re.fullmatch(r"[+-]?\d*,\d+([eE][+-]?\d+)?", found):
        return ": write decimals with a point"
    if re.fullmatch(r"\([\d.,]+\)|[\d.,]+-", found):
        return ": write a minus before it"
    return ""


def has_row_names(rows: Sequence[Sequence[str]], decimal: str = ".") -> bool:
    """Whether the first row, shorter by one cell, names the columns but the first, as R leaves row names nameless."""
    first, below = rows[0], [row[0] for row in rows[1:]]
    counting = any(below == [str(i) for i in range(low, low + len(below))] for low in (0, 1))
    words = len(set(below)) == len(below) and not any(is_value(cell, decimal) for cell in below)
    named = list(first) == [str(j) for j in range(len(first))] or not any(is_value(cell, decimal) for cell in first)
    return named and (counting or words)


def names_in_comment(comments: Sequence[str], width: int, separator: str) -> list[str] | None:
    """The names in the last comment above a table of that width, as `numpy.savetxt` writes them, or None."""
    for sign in dict.fromkeys((separator, *SEPARATORS)) if comments else ():
        names = cells_of(comments[-1:], sign)[0]
        counting = names == [str(j) for j in range(width)]
        if len(names) == width and (counting or not any(map(is_value, names))):
            return names
    return None
