#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The house rules no other tool knows. Prints file:line: message for each breach and exits 1.

A rule is a function from a File (or the Tree) to (line, message) pairs, in the table RULES at the
end, with a seeded breach beside it that --self-test must catch. A rule that hurts a file is broken
in the open: by an entry in ALLOWED with its reason. An entry that is no longer needed is itself a
breach.

usage: tools/tidy.py [--self-test]
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINE_COUNT_MAX = 600
TEST_LINE_COUNT_MAX = 1000  # a test file follows the file it tests
COLUMN_COUNT_MAX = 120  # of scripts; clang-format holds C++ to 100

# (rule, path, text the offending line contains or "", reason)
ALLOWED = [
    ("packet_bytes", "src/net/flow_key.h", "memcmp(&x, &y, sizeof(FlowKey))",
     "compares two keys, which are asserted to have no padding"),
    ("packet_bytes", "src/dpi/context.cc", "*context.payload", "the Payload, not its bytes"),
    ("packet_bytes", "src/dpi/context.cc", "*inside_.payload", "the Payload, not its bytes"),
    ("packet_bytes", "src/dpi/protocols/hello_samples.h", "bytes + big_endian",
     "joins two byte strings a test makes"),
    ("one_home_per_field", "src/cli/commands/protocols.cc", "such as", "an example in the help"),
    ("one_home_per_field", "src/cli/commands/read_plan.cc", "weir read big.pcap",
     "an example in the help; tests/e2e/dpi_cli_test.py runs them all"),
]

SKIPPED_FOLDERS = {".git", "build", ".cache", "__pycache__"}
CPP = (".h", ".cc", ".inc")
HASH_COMMENTED = (".py", ".sh", ".cmake")
HASH_COMMENTED_NAMES = ("CMakeLists.txt", ".clang-format", ".clang-tidy")

# What a C++ file is made of, as far as the rules care: comments, strings, numbers (for their '
# separators), the rest.
TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<raw>R"(?P<tag>[^()\\ \n]*)\(.*?\)(?P=tag)")
      | (?P<string>"(?:\\.|[^"\\\n])*")
      | (?P<number>\b\d(?:[\w.]|'\w)*)
      | (?P<char>'(?:\\.|[^'\\\n])*')""", re.S | re.X)


def blank(text):
    """The text with all but its line breaks made spaces, so that offsets and lines stay."""
    return re.sub(r"[^\n]", " ", text)


class File:
    """One file of ours, with its C++ strings and comments taken apart."""

    def __init__(self, path, text):
        self.path = path  # relative to the root, with /
        self.text = text
        self.lines = text.split("\n")
        self.suffix = pathlib.PurePosixPath(path).suffix
        self.is_cpp = self.suffix in CPP
        self.is_test = bool(re.search(r"(_test|_fuzz|_bench)\.", path)) or path.startswith("tests/")
        self.code = text      # C++: without comments and strings
        self.strings = []     # C++: (line, literal), those of #include left out
        if self.is_cpp:
            self.take_apart()

    def take_apart(self):
        parts, end = [], 0
        for match in TOKEN.finditer(self.text):
            parts.append(self.text[end:match.start()])
            token, end = match.group(), match.end()
            if match.group("number"):
                parts.append(token)
                continue
            parts.append(blank(token))
            is_include = self.text[:match.start()].endswith("#include ")
            if (match.group("string") or match.group("raw")) and not is_include:
                self.strings.append((self.text.count("\n", 0, match.start()) + 1, token))
        parts.append(self.text[end:])
        self.code = "".join(parts)

    def search(self, pattern, text=None):
        """(line, match) for each match in the code."""
        text = self.code if text is None else text
        for match in re.finditer(pattern, text):
            yield text.count("\n", 0, match.start()) + 1, match


class Tree:
    def __init__(self, files):
        self.files = files
        self.by_path = {file.path: file for file in files}
        self.results = {}

    def once(self, function):
        """function(tree), worked out once for all files."""
        if function not in self.results:
            self.results[function] = function(self)
        return self.results[function]


# --- Rules about every file ---


def spdx(file, _):
    """Every file of ours says its licence in its first line, or in its second after #!."""
    name = pathlib.PurePosixPath(file.path).name
    has_shebang = file.text.startswith("#!")
    if file.is_cpp:
        wanted = "// SPDX-License-Identifier: Apache-2.0"
    elif file.suffix in HASH_COMMENTED or has_shebang or name in HASH_COMMENTED_NAMES:
        wanted = "# SPDX-License-Identifier: Apache-2.0"
    else:
        return
    line = 1 if has_shebang else 0
    if len(file.lines) <= line or file.lines[line] != wanted:
        yield line + 1, f"expected the line: {wanted}"


def whitespace(file, _):
    """No tabs, no spaces at line ends, one newline at the end of the file."""
    for number, line in enumerate(file.lines, 1):
        if "\t" in line:
            yield number, "a tab"
        if line != line.rstrip():
            yield number, "spaces at the end of the line"
    if file.text and (not file.text.endswith("\n") or file.text.endswith("\n\n")):
        yield len(file.lines), "a file ends with exactly one newline"


def long_lines(file, _):
    """Scripts only: clang-format sees to C++; rows and Markdown are as wide as they are."""
    if file.suffix != ".py" and not file.text.startswith("#!"):
        return
    for number, line in enumerate(file.lines, 1):
        if len(line) > COLUMN_COUNT_MAX:
            yield number, f"{len(line)} columns, at most {COLUMN_COUNT_MAX}"


def long_files(file, _):
    """Two ideas hide in a file this long. Lists of rows (.inc) may be as long as they are."""
    count, most = len(file.lines), TEST_LINE_COUNT_MAX if file.is_test else LINE_COUNT_MAX
    if file.suffix in (".h", ".cc", ".py") and count > most:
        yield count, f"{count} lines, at most {most}: is it two files?"


def unnumbered_todo(file, _):
    """What is left to do names the issue that will do it."""
    for number, line in enumerate(file.lines, 1):
        if re.search(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b(?!\(#\d+\))", line):
            yield number, "a to-do without the number of its issue in parentheses, as in (#12)"


# --- Rules about C++ ---


PACKET_BYTE_PATTERNS = (
    (r"\b(?:std::)?(?:memcpy|memmove|memcmp|bcopy)\b", "memcpy and its kin"),
    (r"\b(?:data|payload|bytes|packet|position\(\)|data\(\))\s*\+(?![+=])", "pointer arithmetic"),
    (r"\b(?:data|payload|packet)\s*\[", "indexing"),
    (r"\*\s*(?:\w+(?:\.|->))*(?:data|payload)\b(?!\()\s*[;,)=&|<>]", "dereferencing"),
)


def packet_bytes(file, _):
    """Parsing goes through ByteReader: net/, capture/ and dpi/ read packet bytes in no other way."""
    if not file.path.startswith(("src/net/", "src/capture/", "src/dpi/")) or file.is_test or not file.is_cpp:
        return
    for pattern, what in PACKET_BYTE_PATTERNS:
        for number, match in file.search(pattern):
            if not declares_pointer(file.code, match.start()):
                yield number, f"{what} on packet bytes: use ByteReader (base/byte_reader.h)"


def declares_pointer(code, start):
    """Whether the * at start belongs to a type: "const uint8_t* data"."""
    before = code[max(0, start - 20):start]
    return code[start] == "*" and re.search(r"(?:\w|>)\s*$", before) is not None


def casts(file, _):
    """reinterpret_cast and const_cast hide bugs; the few that are needed are in ALLOWED."""
    if file.is_cpp and file.path.startswith(("src/", "include/", "examples/")) and not file.is_test:
        for number, match in file.search(r"\b(reinterpret_cast|const_cast)\b"):
            yield number, f"{match.group()} (if it must be: tools/tidy.py ALLOWED, with the reason)"


BANNED_WORDS = (
    (r"\bstd::regex\b", "std::regex recurses on its input"),
    (r"\busing\s+namespace\s+std\b(?!::)", "using namespace std"),
    (r"\b(?:std::)?(?:strcpy|strcat|sprintf|vsprintf|gets)\s*\(", "an unbounded C function"),
    (r"\b(?:std::)?(?:rand|srand)\s*\(", "rand(): randomness is injected"),
    (r"\balloca\s*\(", "alloca"),
)


def banned_words(file, _):
    """Constructs that have a better way here."""
    if not file.is_cpp:
        return
    for pattern, why in BANNED_WORDS:
        for number, _match in file.search(pattern):
            yield number, why


def type_names(file, _):
    """A type named Manager, Helper, Util, … says nothing of what it is."""
    banned = r"(Manager|Helper|Utils?|Data|Info|Base|Impl)(?![a-z])"
    pattern = rf"\b(?:class|struct|enum(?:\s+class)?|union)\s+(\w*?{banned}\w*)"
    for number, match in file.search(pattern) if file.is_cpp else ():
        yield number, f"type name {match.group(1)}: {match.group(2)} says nothing; name what it is"


def headers(file, _):
    """A header is included once and begins by saying what it is."""
    if file.suffix != ".h":
        return
    if "\n#pragma once\n" not in file.text:
        yield 1, "a header without #pragma once"
    comment = re.match(r"// SPDX[^\n]*\n//\n((?://[^\n]*\n)+)", file.text)
    if not comment or len(comment.group(1)) < 40:
        yield 2, "a header begins with //, then a comment: what this is, why, what it does not do"


# --- Rules about the tree ---


def listed_sources(file, tree):
    """Every .cc of src/ is named by the CMakeLists.txt of its folder, or it is not built.

    The same for tests/e2e/NAME_test.py, which tests/CMakeLists.txt calls NAME.
    """
    parts = file.path.split("/")
    if parts[:2] == ["tests", "e2e"] and file.path.endswith("_test.py"):
        name = parts[-1].removesuffix("_test.py")
        lists = tree.by_path.get("tests/CMakeLists.txt")
        if lists is None or not re.search(rf"\b{name}\b", lists.text):
            yield 1, f"{name} is not in tests/CMakeLists.txt"
    if parts[0] != "src" or file.suffix != ".cc":
        return
    depth = 2 if len(parts) > 2 else 1  # src/main.cc is in src/CMakeLists.txt
    lists = tree.by_path.get("/".join(parts[:depth]) + "/CMakeLists.txt")
    name = "/".join(parts[depth:])
    if lists is None or not re.search(rf"(?<![\w/.]){re.escape(name)}(?![\w/.])", lists.text):
        yield 1, f"{name} is in no CMakeLists.txt"


FIELD_ROWS = "src/flow/flow_fields.cc"
FIELD_COUNT_MIN = 30


def field_homes(tree):
    """{name: the files that may spell it}: of its schema row and of the constant the row uses."""
    homes = {}
    sources = [file for file in tree.files if file.path.startswith("src/") and not file.is_test]
    constants = {}
    for file in sources:
        for _line, match in file.search(r'\b(k\w+Field)\s*=\s*"([^"]+)"', file.text):
            constants[match.group(1)] = (match.group(2), file.path)
    for file in sources:
        for _line, match in file.search(r'\{\s*("[^"]+"|k\w+)\s*,\s*FieldType::', file.text):
            name, home = constants.get(match.group(1), (match.group(1).strip('"'), file.path))
            homes.setdefault(name, set()).update((home, file.path))
    return homes


def one_home_per_field(file, tree):
    """A field's name is spelled once, in its schema row; the rest derives from the catalogue.

    Multi-word and dotted names only: a single word ("app") is a word like any other. Unit tests
    may: they state what a user reads, and one that asked the row for the name it expects would
    pass whatever the row said.
    """
    if not file.is_cpp or file.is_test or not file.path.startswith(("src/", "include/")):
        return
    homes = tree.once(field_homes)
    if file.path == FIELD_ROWS and len(homes) < FIELD_COUNT_MIN:
        yield 1, f'only {len(homes)} rows like {{"name", FieldType::…: is this file written anew?'
    names = "|".join(re.escape(name) for name in homes if "_" in name or "." in name)
    pattern = re.compile(rf"(?<![A-Za-z0-9_.])({names})(?![A-Za-z0-9_])")
    for number, literal in file.strings if names else ():
        for match in pattern.finditer(literal):
            if file.path not in homes[match.group()]:
                home = " and ".join(sorted(homes[match.group()]))
                yield number, f'the field name "{match.group()}" has one home: {home}'


def documented_folders(file, tree):
    """ARCHITECTURE.md says what each folder of src/ is for, and names none that is not there."""
    if file.path != "ARCHITECTURE.md":
        return
    paths = [path.split("/") for path in tree.by_path]
    there = {parts[1] for parts in paths if parts[0] == "src" and len(parts) > 2}
    named = set(re.findall(r"^\| `(?:src/)?([a-z_]+)/`", file.text, re.M))
    named -= {parts[0] for parts in paths}
    for folder in sorted(there - named):
        yield 1, f"src/{folder}/ has no row in the folder table"
    for folder in sorted(named - there):
        yield 1, f"the folder table names {folder}/, which is not there"


def links(file, tree):
    """A link of a page to a file of ours leads somewhere."""
    if file.suffix != ".md":
        return
    folder = pathlib.PurePosixPath(file.path).parent
    for number, match in file.search(r"\]\(([^)#\s]+)(?:#[^)]*)?\)"):
        target = match.group(1)
        if "://" in target or target.startswith("mailto:"):
            continue
        resolved = "/".join(resolve((folder / target).parts))
        is_folder = any(path.startswith(resolved + "/") for path in tree.by_path)
        if resolved not in tree.by_path and not is_folder:
            yield number, f"a link to {target}, which is not there"


def resolve(parts):
    out = []
    for part in parts:
        if part == "..":
            out = out[:-1]
        elif part != ".":
            out.append(part)
    return out


# Each rule with breaches that it must catch: (path, text). A text is checked as the only file of
# the tree, or beside SEED_TREE.
SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
SEED_TREE = [("src/net/CMakeLists.txt", "weir_folder(net SOURCES known.cc)\n"),
             (FIELD_ROWS, "{kNextField, FieldType::kU64},\n" + "".join(
                 f'{{"field_{n}", FieldType::kU64}},\n' for n in range(FIELD_COUNT_MIN))),
             ("src/flow/flow_fields.h", 'constexpr std::string_view kNextField = "next_field";\n'),
             ("src/net/packet.h", "\n")]
RULES = [
    (spdx, [("src/a.cc", "int a;\n"), ("tools/x", "#!/bin/sh\necho\n"),
            ("CMakeLists.txt", "project(x)\n")]),
    (whitespace, [("a.md", "a\tb\n"), ("a.md", "a \n"), ("a.md", "a"), ("a.md", "a\n\n")]),
    (long_lines, [("a.py", "#" * (COLUMN_COUNT_MAX + 1) + "\n")]),
    (long_files, [("a.cc", "\n" * LINE_COUNT_MAX + "int a;\n"),
                  ("a_test.cc", "\n" * TEST_LINE_COUNT_MAX + "int a;\n")]),
    (unnumbered_todo, [("a.cc", "// TO" "DO later\n"), ("a.py", "# FIX" "ME(me)\n")]),
    (packet_bytes, [
        ("src/net/a.cc", "memcpy(&x, p, 4);\n"), ("src/net/a.cc", "x = frame.data[3];\n"),
        ("src/capture/a.cc", "next = frame->data + 14;\n"),
        ("src/net/a.cc", "x = span.data() + n;\n"), ("src/net/a.cc", "x = *packet.payload;\n"),
        ("src/net/a.cc", "f(reader.position() + 2);\n"),
        ("src/dpi/protocols/a.cc", "port = payload[1];\n"), ("src/dpi/a.cc", "memcpy(to, from, size);\n")]),
    (casts, [("src/flow/a.cc", "auto h = reinterpret_cast<const Header*>(p);\n")]),
    (banned_words, [("src/a.cc", "std::regex r;\n"), ("src/a.cc", "using namespace std;\n"),
                    ("src/a.cc", "sprintf(buffer, f);\n"), ("src/a.cc", "int r = rand();\n")]),
    (type_names, [("src/a.h", "class FlowManager {};\n"), ("src/a.h", "struct PacketData {\n"),
                  ("src/a.h", "enum class BaseKind {};\n")]),
    (headers, [("src/a.h", SPDX + "//\n// A header that says what it is and why it is.\nint a;\n"),
               ("src/a.h", SPDX + "#pragma once\n")]),
    (listed_sources, [("src/net/unknown.cc", "\n"), ("src/nowhere/a.cc", "\n"),
                      ("tests/e2e/a_test.py", "\n")]),
    (one_home_per_field, [("src/export/a.cc", 'key = "field_3";\n'),
                          ("src/export/a.cc", 'x = "{\\"field_1\\":1}";\n'),
                          ("src/cli/a.cc", 'sort = "next_field";\n'),
                          (FIELD_ROWS, "\n")]),
    (documented_folders, [("ARCHITECTURE.md", "| `src/export/` | x |\n"),
                          ("ARCHITECTURE.md", "\n")]),
    (links, [("docs/a.md", "[x](../README.md)\n"), ("a.md", "[x](docs/none.md#part)\n")]),
]
# What no rule may object to.
CLEAN = [
    ("src/net/known.cc", SPDX + "#include \"net/packet.h\"\n\n// memcpy(data + 3); TO" "DO(#12)\n"
     "const uint8_t* data = frame.data;\nauto rest = std::span(data, size);\nx = 1'000 + count;\n"
     "return \"memcpy(field) \\\" reinterpret_cast\";\nclass Database;\nf(*data_source, bytes);\n"),
    ("a.md", "[x](src/net/packet.h) and [y](https://example.org/none)\n"),
]


def check(tree):
    """(path, line, rule, message) for each breach not allowed, and each entry allowing nothing."""
    unused = set(range(len(ALLOWED)))
    for file in tree.files:
        for rule, _seeds in RULES:
            for line, message in rule(file, tree):
                text = file.lines[line - 1] if line <= len(file.lines) else ""
                excuses = {index for index, (name, path, part, _reason) in enumerate(ALLOWED)
                           if name == rule.__name__ and path == file.path and part in text}
                unused -= excuses
                if not excuses:
                    yield file.path, line, rule.__name__, message
    for index in sorted(unused):
        yield "tools/tidy.py", 1, "allowed", f"{ALLOWED[index][:3]} allows nothing: delete it"


def self_test():
    """Every rule catches its seeded breaches, and nothing is said about the clean files."""
    seeds = [File(path, text) for path, text in SEED_TREE]
    for rule, breaches in RULES:
        assert breaches, f"{rule.__name__} has no seeded breach"
        for path, text in breaches:
            file = File(path, text)
            tree = Tree([other for other in seeds if other.path != path] + [file])
            assert list(rule(file, tree)), f"{rule.__name__} does not catch {text!r} in {path}"
    for path, text in CLEAN:
        file = File(path, text)
        for rule, _breaches in RULES:
            found = list(rule(file, Tree(seeds + [file])))
            assert not found, f"{rule.__name__} objects to the clean {path}: {found}"


def read_tree(root):
    files = []
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if SKIPPED_FOLDERS & set(relative.parts) or not path.is_file() or path.is_symlink():
            continue
        try:
            files.append(File(relative.as_posix(), path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            files.append(File(relative.as_posix(), ""))  # a capture: nothing to read, but there
    return Tree(files)


def main():
    self_test()
    if sys.argv[1:] == ["--self-test"]:
        return
    breaches = list(check(read_tree(ROOT)))
    for path, line, rule, message in breaches:
        print(f"{path}:{line}: {message} [{rule}]")
    sys.exit(bool(breaches))


if __name__ == "__main__":
    main()
