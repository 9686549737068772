"""Arrow folders of ours and of others, one read by the other's reader.

  arrow-datasets.py BIN FOLDER...        TAP; the last line counts

BIN holds the tools. FOLDER has arrow/ (tokenize --format arrow --labels), shards/ (the same cells) and
shards.tsv (their dump), and is where further folders are made. Ours are opened with pyarrow and with
datasets; those that datasets and pyarrow write go through arrow-import and shard-dump. Without the
package datasets its part is left out and named."""
import glob, json, os, pickle, subprocess, sys

import numpy as np, pyarrow as pa

try:
    import datasets
    datasets.disable_progress_bars()
except ImportError:
    datasets = None
bin_, tmp = sys.argv[1:3]
n_tests = n_failed = n_skipped = 0


def ok(good, text):
    global n_tests, n_failed
    n_tests += 1
    n_failed += not good
    print("%sok %d - %s" % ("" if good else "not ", n_tests, text), flush=True)


def skip(text):
    global n_tests, n_skipped
    n_tests += 1
    n_skipped += 1
    print("ok %d # SKIP %s: no package datasets in .venv (make venv)" % (n_tests, text))


def tool(*args):
    return subprocess.run([os.path.join(bin_, args[0])] + list(args[1:]), capture_output=True, text=True)


# ---- ours ----


def dumped(path, cells):
    """Tokens and values of every cell, in the order of cells.tsv."""
    rows = {}
    for line in open(path).readlines()[1:]:
        cell, rank, token, value = line.rstrip("\n").split("\t")
        rows.setdefault(cell, []).append((int(token), np.float32(value)))
    return [rows.get(c, []) for c in cells]


def table(path):
    head, *rows = [l.rstrip("\n").split("\t") for l in open(path)]
    return [dict(zip(head, r)) for r in rows]


def check_rows(rows, who):
    """rows: what a reader gave, one dict a row."""
    cells = table(tmp + "/shards/cells.tsv")
    want = []
    for s in ("h", "m"):  # barcodes repeat from sample to sample
        mine = [c for c in cells if c["sample"] == s]
        want += dumped(tmp + "/" + s + ".tsv", [c["barcode"] for c in mine])
    good = len(rows) == len(cells) == len(want)
    for r, c, w in zip(rows, cells, want):
        n = len(w)
        good = good and len(r["input_ids"]) == len(r["values"]) == 2048 and n > 0
        good = good and list(r["input_ids"]) == [t for t, _ in w] + [0] * (2048 - n)
        good = good and np.array_equal(np.array(r["values"], np.float32),
                                       np.array([v for _, v in w] + [0] * (2048 - n), np.float32))
        good = good and list(r["length"]) == [n] and int(c["length"]) == n
        good = good and list(r["species"]) == [int(c["species"] == "mouse")]
        good = good and r["cell_type"] == c["label"]
    ok(good, "%s reads %d rows with the tokens, values, lengths, species and labels of the shards"
       % (who, len(rows)))
    return [len(w) for w in want]


def ours():
    folder = tmp + "/arrow"
    state = json.load(open(folder + "/state.json"))
    names = [f["filename"] for f in state["_data_files"]]
    ok(len(names) == 3 and names == sorted(os.path.basename(p) for p in glob.glob(folder + "/*.arrow")),
       "state.json names the files, in their order")
    parts = [pa.ipc.open_stream(os.path.join(folder, n)).read_all() for n in names]
    for p in parts:
        p.validate(full=True)
    want = pa.schema([("input_ids", pa.list_(pa.int32())), ("values", pa.list_(pa.float32())),
                      ("length", pa.list_(pa.int16())), ("species", pa.list_(pa.int16())),
                      ("cell_type", pa.string())])
    ok(all(p.schema.equals(want) for p in parts), "pyarrow finds the authors' types, and no fault")
    lengths = check_rows(pa.concat_tables(parts).to_pylist(), "pyarrow")
    with open(folder + "/sorted_length.pickle", "rb") as f:
        ok(pickle.load(f) == sorted(lengths), "sorted_length.pickle is the sorted list of lengths")
    if datasets is None:
        return skip("datasets opens our folder")
    d = datasets.load_from_disk(folder)
    check_rows([d[i] for i in range(len(d))], "datasets")
    inner = {k: getattr(v, "feature", v).dtype for k, v in d.features.items()}
    ok(inner == {"input_ids": "int32", "values": "float32", "length": "int16", "species": "int16",
                 "cell_type": "string"}, "datasets finds the authors' features")
    cut = sorted(lengths)[len(lengths) // 2]
    d = d.map(lambda r: {"n": r["length"][0]}).filter(lambda r: r["n"] < cut)
    ok(0 < len(d) == sum(n < cut for n in lengths), "and works with them")


# ---- theirs ----


def made(n, width=96):
    """Rows as the authors' script makes them."""
    rng = np.random.default_rng(n)
    rows = {"input_ids": [], "values": [], "length": [], "species": [], "cell_type": []}
    for i in range(n):
        m = int(rng.integers(0, width + 1)) if i % 11 else width * (i % 2)
        t = rng.choice(50000, m, replace=False) + 2
        v = np.sort(rng.gamma(2, 1, m).astype(np.float32))[::-1]
        rows["input_ids"].append(np.pad(t, (0, width - m)).tolist())
        rows["values"].append(np.pad(v, (0, width - m)).tolist())
        rows["length"].append([m])
        rows["species"].append([i % 2])
        rows["cell_type"].append(["T cell", "B", "\u00e9toile", ""][i % 4])
    return rows


def check_import(folder, rows, what, label="cell_type"):
    """Through arrow-import and shard-dump: the same rows in the same order."""
    out = folder + ".shards"
    p = tool("arrow-import", folder, "--out", out, "--cells-per-shard", "500")
    if p.returncode:
        return ok(False, "%s: %s" % (what, p.stderr.strip()))
    p = tool("shard-dump", out, "--out", out + ".tsv")
    if p.returncode:
        return ok(False, "%s: %s" % (what, p.stderr.strip()))
    cells = table(out + "/cells.tsv")
    got = dumped(out + ".tsv", [c["barcode"] for c in cells])
    one = lambda x: x[0] if isinstance(x, list) else x
    good = len(got) == len(rows["length"])
    for i, (c, g) in enumerate(zip(cells, got)):
        n = one(rows["length"][i])
        good = good and c["barcode"] == str(i) and int(c["length"]) == n == len(g)
        good = good and [t for t, _ in g] == rows["input_ids"][i][:n]
        good = good and [v for _, v in g] == [np.float32(v) for v in rows["values"][i][:n]]
        good = good and c["species"] == ["human", "mouse"][one(rows["species"][i])]
        good = good and c["label"] == (rows[label][i] if label in rows else "")
    ok(good, "%s: %d rows" % (what, len(got)))


def features(rows):
    f = {"input_ids": datasets.Sequence(datasets.Value("int32")),
         "values": datasets.Sequence(datasets.Value("float32"))}
    for k in ("length", "species"):
        f[k] = datasets.Value("int32") if isinstance(rows[k][0], int) else \
            datasets.Sequence(datasets.Value("int16"))
    return datasets.Features(f | {k: datasets.Value("string") for k in rows if "type" in k})


def take(rows, index):
    return {k: [v[i] for i in index] for k, v in rows.items()}


def theirs():
    rows = made(2500)
    d = datasets.Dataset.from_dict(rows, features(rows))
    d.save_to_disk(tmp + "/d1")
    n = len(list(pa.ipc.open_stream(glob.glob(tmp + "/d1/*.arrow")[0])))
    ok(n == 3, "datasets writes 2500 rows as %d batches" % n)
    check_import(tmp + "/d1", rows, "several batches in a file of datasets")
    d.save_to_disk(tmp + "/d3", num_shards=3)
    ok(len(glob.glob(tmp + "/d3/*.arrow")) == 3, "datasets writes three files")
    check_import(tmp + "/d3", rows, "several files of datasets")
    d.select(range(700, 1900)).save_to_disk(tmp + "/part")
    check_import(tmp + "/part", take(rows, range(700, 1900)), "a slice of a dataset")
    order = np.random.default_rng(5).permutation(2500)[:900].tolist()
    d.select(order).save_to_disk(tmp + "/mixed", num_shards=2)
    check_import(tmp + "/mixed", take(rows, order), "a dataset through an index")
    more = made(60)
    datasets.concatenate_datasets([d.select(range(10)), datasets.Dataset.from_dict(more, features(more))]
                                  ).save_to_disk(tmp + "/both")
    both = {k: v[:10] + more[k] for k, v in rows.items()}
    check_import(tmp + "/both", both, "two datasets joined")
    plain = take(rows, range(40))
    plain = {k: [x[0] for x in v] if k in ("length", "species") else v for k, v in plain.items()}
    plain["celltype"] = plain.pop("cell_type")
    datasets.Dataset.from_dict(plain, features(plain)).save_to_disk(tmp + "/plain")
    check_import(tmp + "/plain", plain, "length and species without a list, labels as celltype", "celltype")
    del plain["celltype"]
    datasets.Dataset.from_dict(plain, features(plain)).save_to_disk(tmp + "/bare")
    check_import(tmp + "/bare", plain, "a dataset without labels")
    none = take(rows, [])
    datasets.Dataset.from_dict(none, features(rows)).save_to_disk(tmp + "/none")
    check_import(tmp + "/none", none, "a dataset without rows")
    with open(tmp + "/d3/sorted_length.pickle", "wb") as f:
        pickle.dump(sorted(x[0] for x in rows["length"]), f)
    check_import(tmp + "/d3", rows, "a folder with sorted_length.pickle")


# ---- by pyarrow alone: streams that datasets reads but does not write ----


def by_pyarrow(name, rows, types, options=None, chunk=7):
    os.makedirs(tmp + "/" + name)
    t = pa.table({k: pa.array(rows[k], types.get(k)) for k in rows})
    with pa.ipc.new_stream(tmp + "/" + name + "/a.arrow", t.schema, options=options) as w:
        w.write_table(t, max_chunksize=chunk)
    json.dump({"_data_files": [{"filename": "a.arrow"}]}, open(tmp + "/" + name + "/state.json", "w"))
    return tmp + "/" + name


def streams():
    rows = made(100)
    usual = {"input_ids": pa.list_(pa.int32()), "values": pa.list_(pa.float32()),
             "length": pa.list_(pa.int16()), "species": pa.list_(pa.int16())}
    check_import(by_pyarrow("small", rows, usual), rows, "batches of 7 rows")
    wide = {"input_ids": pa.large_list(pa.int64()), "values": pa.large_list(pa.float64()),
            "length": pa.list_(pa.uint8()), "species": pa.list_(pa.int64()), "cell_type": pa.large_string()}
    check_import(by_pyarrow("wide", rows, wide), rows, "wider numbers, offsets of 64 bits")
    missing = dict(rows, values=[None] + rows["values"][1:])
    odd = {"lz4": (rows, usual, pa.ipc.IpcWriteOptions(compression="lz4"), "is compressed"),
           "zstd": (rows, usual, pa.ipc.IpcWriteOptions(compression="zstd"), "is compressed"),
           "dictionary": (rows, usual | {"cell_type": pa.dictionary(pa.int32(), pa.string())}, None, "a dictionary"),
           "missing": (missing, usual, None, "missing values"),
           "text": (dict(rows, input_ids=[str(x) for x in rows["input_ids"]]), {}, None, "another type")}
    for name, (r, types, options, why) in odd.items():
        folder = by_pyarrow(name, r, types, options)
        p = tool("arrow-import", folder, "--out", folder + ".shards")
        ok(p.returncode == 3 and why in p.stderr and not os.path.exists(folder + ".shards"),
           "%s is refused, and nothing written: %s" % (name, p.stderr.strip()))


def lengths():
    """Longer than one frame of Python's pickles."""
    rows = {"length": [[i % 3] for i in range(30000)], "species": [[0]] * 30000}
    rows["input_ids"] = [[2, 3, 0][:n[0]] + [0] * (2 - n[0]) for n in rows["length"]]
    rows["values"] = [[1.0] * n[0] + [0.0] * (2 - n[0]) for n in rows["length"]]
    types = {"input_ids": pa.list_(pa.int32()), "values": pa.list_(pa.float32()),
             "length": pa.list_(pa.int16()), "species": pa.list_(pa.int16())}
    check_import(by_pyarrow("many", rows, types, chunk=1000), rows, "30,000 rows")


ours()
if datasets is None:
    skip("arrow-import reads what datasets wrote")
else:
    theirs()
streams()
lengths()
print("1..%d\n%d passed, %d failed, %d skipped" % (n_tests, n_tests - n_failed - n_skipped, n_failed, n_skipped))
sys.exit(4 if n_failed else 0)
