"""name<TAB>v1 v2 .. on stdin to a pickled dict of numpy vectors, written by hand in protocol 2, so that
no numpy is needed: pickle-vectors.py OUT. A name with * in front gets float64."""
import struct
import sys


def text(s):
    b = s.encode()
    return b"X" + struct.pack("<I", len(b)) + b


out = b"\x80\x02}("
for line in sys.stdin:
    name, numbers = line.rstrip("\n").split("\t")
    x = [float(v) for v in numbers.split()]
    kind, code = ("f8", "d") if name.startswith("*") else ("f4", "f")
    raw = struct.pack("<%d%s" % (len(x), code), *x).decode("latin1")
    dtype = b"cnumpy\ndtype\n" + text(kind) + b"\x89\x88\x87R(K\x03" + text("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    out += (text(name.lstrip("*")) + b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85c_codecs\nencode\n"
            + text("b") + text("latin1") + b"\x86R\x87R(K\x01M" + struct.pack("<H", len(x)) + b"\x85" + dtype
            + b"\x89c_codecs\nencode\n" + text(raw) + text("latin1") + b"\x86Rtb")
with open(sys.argv[1], "wb") as f:
    f.write(out + b"u.")
