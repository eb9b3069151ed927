"""The standard library's C extensions, each made to do something of its own."""
import array
import bz2
import datetime
import decimal
import hashlib
import json
import lzma
import math
import mmap
import pathlib
import pickle
import random
import re
import socket
import sqlite3
import struct
import unicodedata
import xml.etree.ElementTree as tree
import zlib
import zoneinfo

decimal.getcontext().prec = 50
print(decimal.Decimal(2).sqrt(), decimal.Decimal("1e-10").ln())
data = b"some data " * 1000
for module in (zlib, bz2, lzma):
    packed = module.compress(data)
    print(module.__name__, len(packed) < len(data), module.decompress(packed) == data)
print(sorted(hashlib.algorithms_guaranteed))
print(hashlib.sha256(data).hexdigest(), hashlib.blake2b(data).hexdigest()[:16])
print(hashlib.scrypt(b"password", salt=b"salt", n=16, r=8, p=1).hex()[:16])
print(json.dumps({"a": [1, 2.5, None, True, "\u00fc"]}, sort_keys=True), json.loads("[1e3, \"\\u00e9\"]"))
db = sqlite3.connect(":memory:")
db.execute("create table t (n integer, text text)")
db.executemany("insert into t values (?, ?)", [(n, str(n) * 2) for n in range(100)])
print(db.execute("select count(*), sum(n), max(text) from t where n % 3 = 0").fetchone())
db.create_function("twice", 1, lambda x: 2 * x)
print(db.execute("select twice(21)").fetchone())
print(math.fsum([0.1] * 10), math.comb(50, 25), math.erf(0.5), math.sin(1e10), math.lgamma(3.3))
print(random.Random(7).sample(range(100), 5))
print(unicodedata.name("\u00e9"), unicodedata.normalize("NFD", "\u00e9").encode())
print(tree.fromstring("<a><b c='d'>text</b></a>").find("b").attrib)
print(struct.unpack("<Ihd", struct.pack("<Ihd", 1, -2, 3.5)), array.array("d", [1, 2]).tobytes()[:4])
print(pickle.loads(pickle.dumps({1: (2, 3)})))
print(re.findall(r"(?i)\b(\w)\w*", "Some Words here"))
print(datetime.datetime(2024, 7, 1, tzinfo=zoneinfo.ZoneInfo("UTC")).isoformat())
print(socket.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM))
print(sorted({a[4][0] for a in socket.getaddrinfo("localhost", None, family=socket.AF_INET)}))
with mmap.mmap(-1, 4096) as memory:
    memory[:5] = b"mmap!"
    print(memory[:5])
print(pathlib.Path("/etc/passwd").owner())
