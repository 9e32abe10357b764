"""Files that are not what they should be, by seed: bytes changed, words replaced, members swapped, and bombs."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Sequence
from random import Random

MOST = 1 << 22  # bytes that a bomb expands to
WORDS = [
    "0", "-1", "1", "2", "3", "1.5", "-0", "1e309", "nan", "inf", "1e-400", "2147483647", "2147483648", "-2147483649",
    "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551616", "99999999999999999999999",
    "1_0", "0x1", "1e", "1d0", "+1", ".", "-", "%", "%%", "real", "pattern", "complex", "integer", "general",
    "symmetric", "skew-symmetric", "hermitian", "array", "coordinate", "matrix", "vector",
]  # fmt: skip
NUMBERS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
HEADERS = (
    "{'descr': '<i8', 'fortran_order': False, 'shape': (%d,), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (%d,), }",
    "{'descr': '<U%d', 'fortran_order': False, 'shape': (), }",
    "{'descr': '<i4', 'fortran_order': True, 'shape': (%d, 1), }",
    "{'descr': '|V%d', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-%d,), }",
    "{'descr': [('a', '<i8')] * %d, 'shape': (1,)}",
)


def bytes_changed(random: Random, data: bytes) -> bytes:
    """Cut, repeat or overwrite some bytes."""
    changed = bytearray(data)
    for _ in range(random.choice((0, 1, 1, 2, 8))):
        place = random.randrange(len(changed) + 1)
        kind = random.randrange(5)
        if kind == 0:
            changed[place : place + 1] = [random.randrange(256)]
        elif kind == 1:
            changed[place : place + 4] = struct.pack("<I", random.choice(NUMBERS))
        elif kind == 2:
            del changed[place : place + random.randrange(1, 40)]
        elif kind == 3:
            changed[place:place] = changed[random.randrange(len(changed) + 1) :][: random.randrange(1, 40)]
        else:
            changed[place:place] = random.randbytes(random.randrange(1, 9))
    return bytes(changed)


def text_changed(random: Random, seeds: Sequence[bytes]) -> bytes:
    """Change words and lines of a Matrix Market file, and now and then compress it; some expand to much."""
    lines = random.choice(seeds).decode("latin-1").split("\n")
    for _ in range(random.randrange(4)):
        place = random.randrange(len(lines))
        words = lines[place].split(" ")
        kind = random.randrange(5)
        if kind < 2:
            words[random.randrange(len(words))] = random.choice(WORDS)
            lines[place] = " ".join(words)
        elif kind == 2:
            lines[place:place] = [random.choice(lines)] * random.randrange(4)
        elif kind == 3:
            del lines[place]
        else:
            lines[place] += random.choice((" 1", "\r", "\x00", "\t", "\x0b", "\xa0", "\x85", "%", " " * 2000))
        lines = lines or [""]
    if random.randrange(500) == 0:
        line = random.choice((random.choice(lines), "0", "1 1", "1 1 1", "0 " * 500, "", "%" + " " * 900, "1" * 1000))
        count = MOST // (len(line) + 1)
        lines = [lines[0], random.choice((f"{count} 1", f"{count} {count} {count}", "1 1 1", "3 3"))] + [line] * count
    text = "\n".join(lines).encode("latin-1", "replace")
    text = bytes_changed(random, text) if random.randrange(3) == 0 else text
    if random.randrange(4):
        return text
    packed = gzip.compress(text, 6, mtime=0)
    return bytes_changed(random, packed) if random.randrange(2) else packed


def archive_changed(random: Random, seeds: Sequence[bytes]) -> bytes:
    """Change bytes of a saved file, or write it again with other members, headers, sizes and compressions."""
    seed = random.choice(seeds)
    if random.randrange(2):
        return bytes_changed(random, seed)
    with zipfile.ZipFile(io.BytesIO(seed)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(random.randrange(1, 3)):
        name = random.choice(sorted(members))
        kind = random.randrange(6)
        if kind == 0:
            members[name] = bytes_changed(random, members[name])
        elif kind == 1:
            members[random.choice(("other.npy", "../up.npy", "indptr", "mode.npy.npy", "x" * 300))] = members[name]
        elif kind == 2:
            members[name] = members[random.choice(sorted(members))]
        elif kind == 3:
            header = random.choice(HEADERS) % random.choice((0, 1, 7, 2**31, 2**62))
            head = f"{header}\n".encode()
            members[name] = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + members[name][128:]
        elif kind == 4 and len(members) > 1:
            del members[name]
        elif random.randrange(20) == 0:
            members[name] += bytes(MOST)
    packed = io.BytesIO()
    method = random.choice((zipfile.ZIP_DEFLATED,) * 6 + (zipfile.ZIP_STORED, zipfile.ZIP_BZIP2))
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return bytes_changed(random, packed.getvalue()) if random.randrange(4) == 0 else packed.getvalue()
