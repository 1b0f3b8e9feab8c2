#!/usr/bin/env python3
"""Writes CharacterClassData.swift and NormalizationData.swift beside this file: the frozen Unicode tables of the tokenizers.

    python3 -m venv venv && venv/bin/pip install unicodedata2==16.0.0 regex==2024.11.6
    venv/bin/python make_tables.py        (needs perl too, any version that knows Unicode 9.0 or later)

Letters, numbers and word characters are those of Unicode 16.0, which tokenizers 0.21.2 and later match; the Digits pre-tokenizer asks Rust's
standard library instead, which is at Unicode 17.0 in tokenizers 0.23.3 and knows 13 more numbers; NFC is that of Unicode 9.0. Assigned
characters never change their decomposition or combining class, so the tables of 9.0 are those of 16.0 without the characters added since."""
import os, subprocess
import regex
import unicodedata2 as ucd

assert ucd.unidata_version == "16.0.0", ucd.unidata_version
HERE = os.path.dirname(os.path.abspath(__file__))
POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
NOTE = "// Made by make_tables.py (see there for how to run it again). Do not edit.\n"

def ranges(members):
    out, members = [], sorted(members)
    for c in members:
        if out and out[-1][1] == c - 1: out[-1][1] = c
        else: out.append([c, c])
    return ["%X" % a if a == b else "%X-%X" % (a, b) for a, b in out]

def literal(name, words, comment):
    lines, line = [], ""
    for w in words:
        if len(line) + 1 + len(w) > 150: lines.append(line); line = ""
        line += (" " if line else "") + w
    lines.append(line)
    return "    /// %s\n    static let %s: StaticString = \"\"\"\n%s\n        \"\"\"\n" % (comment, name, "\n".join("        " + l for l in lines))

category = {c: ucd.category(chr(c)) for c in POINTS}
letters = [c for c in POINTS if category[c][0] == "L"]
numbers = [c for c in POINTS if category[c][0] == "N"]
assert len(letters) == 141028 and len(numbers) == 1911
newer = list(range(0x11DE0, 0x11DEA)) + [0x16FF4, 0x16FF5, 0x16FF6]
word = regex.compile(r"[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d]")
words = [c for c in POINTS if word.match(chr(c))]
with open(os.path.join(HERE, "CharacterClassData.swift"), "w") as f:
    f.write(NOTE + "/// Ranges of code points in hexadecimal.\nenum CharacterClassData {\n")
    f.write(literal("letters", ranges(letters), "`\\p{L}` of Unicode 16.0, as tokenizers 0.21.2 to 0.23.3 match it: %d code points." % len(letters)))
    f.write(literal("numbers", ranges(numbers), "`\\p{N}` of Unicode 16.0, as tokenizers 0.21.2 to 0.23.3 match it: %d code points." % len(numbers)))
    f.write(literal("newerNumbers", ranges(newer), "What Unicode 17.0 added to `\\p{N}`, numbers to the Digits step of tokenizers 0.23.3 alone: %d code points." % len(newer)))
    f.write(literal("words", ranges(words), "`\\w` of Unicode 16.0 (UTS 18: alphabetic, mark, decimal number, connector, join control): %d code points." % len(words)))
    f.write("}\n")

known = subprocess.run(["perl", "-e", r'for (0..0x10ffff) { next if $_ >= 0xd800 && $_ < 0xe000; print "$_\n" if chr($_) =~ /\p{Present_In: 9.0}/ }'],
                       check=True, capture_output=True, text=True).stdout.split()
known = set(map(int, known))
decompositions, classes = [], {}
for c in POINTS:
    if c not in known or 0xAC00 <= c < 0xD7A4: continue
    d = ucd.decomposition(chr(c))
    if d and not d.startswith("<"):
        parts = d.split()
        # "*" marks what is never composed again: singletons, non-starters and the exclusions of the standard.
        composes = len(parts) == 2 and ucd.normalize("NFC", chr(int(parts[0], 16)) + chr(int(parts[1], 16))) == chr(c)
        decompositions.append("%X=%s%s" % (c, "+".join("%X" % int(p, 16) for p in parts), "" if composes else "*"))
    if ucd.combining(chr(c)): classes.setdefault(ucd.combining(chr(c)), []).append(c)
with open(os.path.join(HERE, "NormalizationData.swift"), "w") as f:
    f.write(NOTE + "/// Canonical decomposition and composition of Unicode 9.0, as the NFC of tokenizers 0.23.3, without Hangul syllables (they are computed).\nenum NormalizationData {\n")
    f.write(literal("decompositions", decompositions, "Code point=its one-step decomposition; a trailing * is never composed again. %d entries." % len(decompositions)))
    f.write(literal("combiningClasses", ["%d:%s" % (k, ",".join(ranges(v))) for k, v in sorted(classes.items())], "Canonical combining class:ranges; all others are 0."))
    f.write("}\n")
print(len(letters), len(numbers), len(words), len(decompositions), sum(map(len, classes.values())))
