"""The byte scanners against their definitions and against the readable twins."""

import unicodedata

import naive
import numpy as np
import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from textkit.kernels import scan
from textkit.kernels.jit import JIT_DISABLED
from textkit.text import tokenizer as tokenizer_module
from textkit.text import unicode
from textkit.text.tokenizer import PADDING, Tokenizer, text_buffer

# Characters at which word rules change their mind, from many scripts.
INTERESTING = (
    "aZzéßΣςİſǅ'’＇·״-‐‑_.,٫…!05²½ⅷ٣५０"
    "\u0301\u0308\u093f\u0e31\u0651\ufe0f\u20e3\U000e0100"  # marks
    "\u00ad\u200c\u200d\u200b\u2060\ufeff"  # joiners and other invisible characters
    "漢字々〇𠀀あゝカナーｶﾞ゛한글ㄱ각"
    "अनुস্בתنیمع"
    "😀🏽€"
    " \t\r\0\x01\x0b\x1c\x1f\x7f\x85\xa0\u2028\u3000\u2581"
)
SCANNERS = ("whitespace", "word", "char")
OPTIONS = [
    {},
    {"lowercase": True},
    {"zero_digits": True},
    {"normalize": "nfc"},
    {"normalize": "nfkc", "lowercase": True, "zero_digits": True},
]

_characters = st.sampled_from(INTERESTING) | st.characters(exclude_categories=["Cs"])
_spaces = st.sampled_from(" \n")
texts = st.lists(_characters | _spaces, max_size=25).map(lambda parts: "".join(parts).encode())
# Characters broken at any byte, between whole ones.
any_bytes = st.lists(_characters.map(str.encode) | st.binary(min_size=1, max_size=3) | st.just(b"\n"), max_size=20).map(
    b"".join
)


def tokens_by_line(tokenizer: Tokenizer, data: bytes, room: int) -> list[list[bytes]]:
    """What the scanner finds, with space for `room` spans at a time."""
    lines: list[list[bytes]] = [[]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokenizer_module, "_BATCH", room)
        for buffer, spans, count in tokenizer.batches(text_buffer(data), len(data)):
            assert count <= room or tokenizer.name.startswith("regex:")
            for start, end in spans[:count].tolist():
                if start == end:
                    lines.append([])
                else:
                    lines[-1].append(buffer[start:end].tobytes())
    return lines


@pytest.mark.parametrize("name", SCANNERS)
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "+".join(options) or "plain")
@given(data=texts | any_bytes, room=st.integers(1, 6))
@example(data="İSTANBUL 10٣ ½ ǅ ﬁ\u00a0Å".encode(), room=1)
@example(data=b"\xf0\x9f\x98 e\xcc x\x80-y", room=2)
def test_scanner_equals_its_definition(name, options, data, room):
    tokenizer = Tokenizer(name, **options)
    expected = [tokenizer.reference_tokens(line) for line in data.split(b"\n")]
    assert tokens_by_line(tokenizer, data, room) == expected


@pytest.mark.parametrize("name", SCANNERS)
def test_every_character_between_letters_digits_and_alone(name):
    points = [*range(0x3100), *range(0x3100, 0x40000, 701), *range(0xE0000, 0xE0200), 0x10FFFF]
    shown = [chr(p) for p in points[:: 97 if JIT_DISABLED else 1] if not 0xD800 <= p < 0xE000 and p != 10]
    data = "\n".join(f"a{c}b 1{c}2 a{c}2 1{c}b {c} {c}{c}a a'{c}b" for c in shown).encode()
    tokenizer = Tokenizer(name)
    assert tokens_by_line(tokenizer, data, 1000) == [tokenizer.reference_tokens(line) for line in data.split(b"\n")]


@given(any_bytes)
def test_whitespace_scanner_equals_the_readable_split(data):
    expected = [naive.whitespace_split(line) for line in data.split(b"\n")]
    assert tokens_by_line(Tokenizer("whitespace"), data, 3) == expected


@given(texts)
def test_users_pattern_finds_what_regex_finds(data):
    tokenizer = Tokenizer(r"regex:\p{L}+|\d", lowercase=True)
    expected = [tokenizer.reference_tokens(line) for line in data.split(b"\n")]
    assert tokens_by_line(tokenizer, data, 1) == expected


WORDS = [
    ("Don't stop, it's 5 o'clock!", "Don't|stop|,|it's|5|o'clock|!"),
    ("the '90s' music: rock-'n'-roll", "the|'|90s|'|music|:|rock|-|'|n|'|-|roll"),
    ("He’s well-known, isn’t he?", "He’s|well-known|,|isn’t|he|?"),
    ("Straßenbahn-Haltestelle für 3,50 €.", "Straßenbahn-Haltestelle|für|3,50|€|."),
    ("В 2024-м году, кто-то пришёл.", "В|2024-м|году|,|кто-то|пришёл|."),
    ("مرحبا بالعالم، كتابٌ", "مرحبا|بالعالم|،|كتابٌ"),
    ("हिन्दी में क्षत्रिय।", "हिन्दी|में|क्षत्रिय|।"),
    ("می‌خواهم کتاب‌ها", "می‌خواهم|کتاب‌ها"),
    ("私はカメラを買った。", "私|は|カメラ|を|買|った|。"),
    ("コーヒーとｶﾞｽ", "コーヒー|と|ｶﾞｽ"),
    ("한국어 문장이다.", "한국어|문장이다|."),
    ("我喜欢Python3，真的", "我|喜|欢|Python3|，|真|的"),
    (
        "3.14 1,000,000 1. 2..3 .5 1990-1995 19-year-old B-2",
        "3.14|1,000,000|1|.|2|.|.|3|.|5|1990|-|1995|19-year-old|B-2",
    ),
    ("e-mail me@site.com snake_case __init__", "e-mail|me|@|site|.|com|snake_case|_|_|init|_|_"),
    ("co\u00adop\u00ader\u00adate e\u0301te\u0301", "co\u00adop\u00ader\u00adate|e\u0301te\u0301"),
    ("a\u00a0b\u2028c\ufeffd\0e\r", "a|b|c|d|e"),
    ("👍🏽 ok", "👍|🏽|ok"),
]


@pytest.mark.parametrize(("text", "tokens"), WORDS, ids=[text[:12] for text, _ in WORDS])
def test_words_of_many_languages(text, tokens):
    assert Tokenizer("word").tokenize(text) == tokens.split("|")


def test_char_tokens_show_inner_spaces_once():
    assert Tokenizer("char").tokenize("  ab \t c\u3000 ") == ["a", "b", "▁", "c"]


def test_clean_up_options_by_example():
    assert Tokenizer("word", lowercase=True).tokenize("ÄRGER İ ΣΑΣ") == ["ärger", "i\u0307", "σασ"]
    assert Tokenizer("word", zero_digits=True).tokenize("42 ٣٫١ x9") == ["00", "0٫0", "x0"]
    assert Tokenizer("word", normalize="nfc").tokenize("e\u0301") == ["é"]
    assert Tokenizer("word", normalize="nfkc").tokenize("ﬁ ²") == ["fi", "2"]
    assert Tokenizer("whitespace").tokenize("a\0b\tc\rd\x0be\xa0f") == ["a", "b", "c", "d\x0be\xa0f"]


@pytest.mark.parametrize("filler", [0x21, 0x61, 0x7F, 0x80, 0xA0, 0xFF])
def test_next_low_byte_for_every_byte_at_every_alignment(filler):
    for byte in range(256):
        for place in range(11) if byte < 0x23 or byte > 0x7E else (5,):
            data = np.full(11 + PADDING, filler, np.uint8)
            data[place] = byte
            data[11:] = 0  # beyond `stop`: must not be found
            for start in range(place + 2):
                expected = next((i for i in range(start, 11) if data[i] <= 0x20), 11)
                assert scan.next_low_byte(data, start, 11) == expected


@pytest.mark.parametrize("filler", b"azAZ09m")
def test_ascii_run_end_for_every_byte_at_every_alignment(filler):
    for byte in range(256):
        for place in range(10):
            data = np.zeros(10 + PADDING, np.uint8)
            data[:10] = filler
            data[place] = byte
            inside = bytes([byte]).isalnum()
            for start in (0, place):
                assert scan.ascii_run_end(data, start) == (10 if inside else place)


@given(any_bytes)
@example(b"\xed\xa0\x80")  # a surrogate
@example(b"\xc0\x80")  # an overlong NUL
@example(b"12345678\xf4\x90\x80\x80")  # beyond U+10FFFF
@example(b"12345678" + "é".encode()[:1])
def test_first_invalid_is_where_pythons_decoder_stops(data):
    found = scan.first_invalid(text_buffer(data), 0, len(data))
    assert found == naive.first_invalid(data)
    try:
        data.decode("utf-8")
        assert found == len(data)
    except UnicodeDecodeError as error:
        assert found == error.start


def test_utf8_check_of_all_short_sequences():
    edges = [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF]
    edges += [0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF]
    for first in edges:
        for second in edges:
            for rest in (b"", b"\x80", b"\xbf", b"\x80\x80", b"\x80\x41", b"\x80\xc0"):
                data = bytes([first, second]) + rest
                length = scan.character_length(text_buffer(data), 0, len(data))
                assert length == naive.character_length(data, 0), data


@given(st.characters(exclude_categories=["Cs"]))
def test_code_points_are_read_and_written(character):
    data = character.encode()
    assert scan.code_point(text_buffer(data), 0, len(data)) == ord(character)
    out = np.zeros(8, np.uint8)
    size = scan.put_character(out, 1, np.int64(ord(character)))
    assert out[1:size].tobytes() == data


@pytest.mark.parametrize(("lowercase", "zero_digits"), [(True, False), (False, True), (True, True)])
@given(data=any_bytes)
def test_characters_are_mapped_one_by_one(lowercase, zero_digits, data):
    images = {}
    for character in {c for c in naive.characters(data) if isinstance(c, str)}:
        image = character.lower() if lowercase else character
        images[character] = "0" if zero_digits and regex.match(r"\p{Nd}", image) else image
    out = np.zeros(3 * len(data) + PADDING, np.uint8)
    size = scan.map_characters(text_buffer(data), len(data), out, *unicode.character_map(lowercase, zero_digits))
    assert out[:size].tobytes() == naive.map_characters(data, images)


def test_character_classes_equal_their_definition():
    pages, classes = unicode.word_classes()
    for point in [*range(0x3200), 0xAC00, 0xFE0F, 0xFF70, 0x20000, 0xE0100, 0x10FFFF]:
        expected = [k for k, pattern in unicode.WORD_CLASSES.items() if regex.match(pattern, chr(point))]
        assert classes[pages[point >> 8], point & 255] == (expected[-1] if expected else scan.OTHER), hex(point)


@given(
    lines=st.lists(st.lists(st.binary(min_size=1, max_size=3), max_size=4), min_size=1, max_size=5),
    cut=st.integers(0, 30),
)
def test_tokens_are_joined_across_calls(lines, cut):
    words = [word for line in lines for word in [*line, b""]][:-1]
    edges = np.cumsum([0, *map(len, words)])
    spans = np.stack([edges[:-1], edges[1:]], axis=1).astype(np.int32).reshape(-1, 2)
    buffer, out = text_buffer(b"".join(words)), np.zeros(int(edges[-1]) + len(words), np.uint8)
    cut = min(cut, len(spans))
    size, fresh = scan.join_tokens(buffer, spans[:cut], cut, out, 0, True)
    size, _ = scan.join_tokens(buffer, spans[cut:], len(spans) - cut, out, size, fresh)
    assert out[:size].tobytes() == naive.join_tokens(lines)


def test_normal_forms_leave_lines_apart():
    # A combining mark at the start of a line must not join the line before it.
    data = "e\n\u0301e\u0301".encode()
    expected = [["e"], [unicodedata.normalize("NFC", "\u0301e\u0301")]]
    assert tokens_by_line(Tokenizer("whitespace", normalize="nfc"), data, 4) == [
        [t.encode() for t in line] for line in expected
    ]
