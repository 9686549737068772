"""import's report beside what Python's own readers find in the same file.

  import-report.py IMPORT FOLDER TMP     TAP; the last line counts

IMPORT is the tool, FOLDER holds expected.tsv and the files it names (golden/formats), of which the ones
with the verdict `read` are taken; further files are made in TMP. Each is opened with anndata, h5py,
scipy or the csv module, and n_cells, n_genes, nnz and total of the counts are worked out here, from
the arrays alone: the table's numbers are not looked at.
"""
import csv, gzip, json, os, subprocess, sys, warnings

import anndata, h5py, numpy as np, scipy.io, scipy.sparse as sp

warnings.filterwarnings("ignore")
tool, folder, tmp = sys.argv[1:4]
n_tests = n_failed = 0


def ok(good, text):
    global n_tests, n_failed
    n_tests += 1
    n_failed += not good
    print("%sok %d - %s" % ("" if good else "not ", n_tests, text), flush=True)


# ---- readers: a matrix of cells x genes, as numbers ----


def whole(m):
    """The counts of a matrix, None when it holds none."""
    v = m.data if sp.issparse(m) else np.asarray(m)
    v = np.asarray(v, np.float64)
    if v.size and (np.any(v < 0) or np.any(np.abs(v - np.round(v)) > 1e-6 * np.maximum(1, v))):
        return None
    m = sp.csr_matrix(m, dtype=np.float64)
    m.data = np.round(m.data)
    return m


def from_h5ad(path):
    a = anndata.read_h5ad(path)
    tries = [a.X] + ([a.raw.X] if a.raw is not None else []) + list(a.layers.values())
    return next(m for m in map(whole, tries) if m is not None)


def from_10x(path):
    with h5py.File(path) as f:
        g = f["matrix"] if "matrix" in f else f[list(f)[0]]
        shape = g["shape"][:]
        m = sp.csc_matrix((g["data"][:], g["indices"][:], g["indptr"][:]), shape=shape).T.tocsr()
        if "features" in g:
            m = m[:, g["features/feature_type"][:] == b"Gene Expression"]
    return whole(m)


def from_loom(path):
    with h5py.File(path) as f:
        tries = [f["matrix"][:]] + [x[:] for x in f.get("layers", {}).values()]
    return next(m for m in map(whole, [t.T for t in tries]) if m is not None)


def text(path):
    return gzip.open(path, "rt", newline="") if path.endswith(".gz") else open(path, newline="")


def from_mtx(path):
    name = {n.removesuffix(".gz"): os.path.join(path, n) for n in os.listdir(path)}
    with (gzip.open if name["matrix.mtx"].endswith(".gz") else open)(name["matrix.mtx"], "rb") as f:
        m = sp.csr_matrix(scipy.io.mmread(f)).T.tocsr()
    rows = [l.rstrip("\r\n").split("\t") for l in text(name.get("features.tsv") or name["genes.tsv"])]
    if len(rows[0]) > 2:
        m = m[:, [r[2] == "Gene Expression" for r in rows]]
    return whole(m)


def from_table(path):
    with text(path) as f:
        sep = "\t" if "\t" in f.readline() else ","
        f.seek(0)
        rows = [r for r in csv.reader(f, delimiter=sep) if r]
    m = np.array([[float(x) for x in r[1:]] for r in rows[1:]])
    # 200 genes of expected.tsv, or the side whose names are ids: told without looking at corners.
    genes_in_rows = sum(r[0].startswith("ENSG") for r in rows[1:]) > len(rows) / 2
    if not genes_in_rows and not sum(x.startswith("ENSG") for x in rows[0]) > len(rows[0]) / 2:
        genes_in_rows = m.shape[0] > m.shape[1]
    return whole(m.T if genes_in_rows else m)


def read(path):
    if os.path.isdir(path):
        return from_mtx(path)
    if path.endswith(".h5ad"):
        return from_h5ad(path)
    if path.endswith(".h5"):
        return from_10x(path)
    return from_loom(path) if path.endswith(".loom") else from_table(path)


# ---- made files ----


def put_h5ad(path, parts, cells, genes):
    """AnnData's own writer of matrices, and frames by hand: pandas 3 has texts that it cannot write."""
    with h5py.File(path, "w") as f:
        for name, m in parts.items():
            anndata.io.write_elem(f, name, m, dataset_kwargs={"compression": "gzip"})
        for name, index in (("obs", cells), ("var", genes)):
            g = f.create_group(name)
            g.attrs.update({"_index": "_index", "encoding-type": "dataframe", "encoding-version": "0.2.0"})
            g.attrs["column-order"] = np.array([], h5py.string_dtype())
            anndata.io.write_elem(g, "_index", np.array(index, object))


def make(where):
    """Counts with large ones, empty cells and silent genes, in every container."""
    rng = np.random.default_rng(11)
    n, g = 320, 410
    m = (rng.random((n, g)) < 0.2) * rng.geometric(0.4, (n, g))
    m[5] = 0
    m[:, 7] = 0
    m[9, 11] = 2_000_000
    cells, genes = ["C%04d-1" % i for i in range(n)], ["ENSG%011d" % (i + 1) for i in range(g)]
    kind = {"csr": sp.csr_matrix, "csc": sp.csc_matrix, "dense": np.asarray}
    for name, to in kind.items():
        for dtype in ("float32", "int64"):
            put_h5ad("%s/%s_%s.h5ad" % (where, name, dtype), {"X": to(m.astype(dtype))}, cells, genes)
    put_h5ad(where + "/layer.h5ad", {"X": sp.csr_matrix(np.log1p(m / 3).astype("float32")),
                                     "layers/counts": sp.csc_matrix(m)}, cells, genes)
    for name, chunks in (("contiguous", None), ("tiles", (33, 64)), ("wide", (1, n))):
        with h5py.File("%s/%s.loom" % (where, name), "w") as f:
            how = {"chunks": chunks, "compression": "gzip"} if chunks else {}
            f.create_dataset("matrix", data=m.T.astype("float32"), **how)
            f["row_attrs/Gene"], f["col_attrs/CellID"] = np.array(genes, "S16"), np.array(cells, "S8")
    r, c = np.nonzero(m)
    for name, order in (("by_cell", np.arange(len(r))), ("by_gene", np.lexsort((r, c))),
                        ("shuffled", rng.permutation(len(r)))):
        d = "%s/mtx_%s" % (where, name)
        os.makedirs(d)
        open(d + "/barcodes.tsv", "w").write("\n".join(cells) + "\n")
        open(d + "/features.tsv", "w").write("".join("%s\t%s\tGene Expression\n" % (x, x) for x in genes))
        with gzip.open(d + "/matrix.mtx.gz", "wt") as f:
            f.write("%%%%MatrixMarket matrix coordinate integer general\n%d %d %d\n" % (g, n, len(r)))
            f.writelines("%d %d %d\n" % (c[k] + 1, r[k] + 1, m[r[k], c[k]]) for k in order)
    for name, t, rows, cols in (("genes.csv.gz", m.T, genes, cells), ("cells.tsv", m, cells, genes)):
        sep = "\t" if "tsv" in name else ","
        with (gzip.open if name.endswith(".gz") else open)("%s/%s" % (where, name), "wt") as f:
            f.write("".join(sep + x for x in cols) + "\n")
            f.writelines(a + sep + sep.join(map(str, x)) + "\n" for a, x in zip(rows, t.tolist()))
    return sorted(os.path.join(where, x) for x in os.listdir(where))


# ---- all ----


def compare(path):
    report, out = tmp + "/report.json", tmp + "/out.h5ad"
    p = subprocess.run([tool, path, "--species", "human", "--quiet", "--all-droplets", "--out", out,
                        "--report", report], capture_output=True, text=True)
    if p.returncode:
        return ok(False, "%s is imported: %s" % (path, p.stderr.strip()))
    r, m = json.load(open(report)), read(path)
    ours = [r[k] for k in ("n_cells", "n_genes", "nnz", "total")]
    theirs = [m.shape[0], m.shape[1], int(np.count_nonzero(m.data)), int(m.sum())]
    ok(ours == theirs, "%s: n_cells, n_genes, nnz, total are %s in Python, %s in the report"
       % (os.path.basename(path), theirs, ours))
    a = whole(anndata.read_h5ad(out).X)
    same = a.shape == m.shape and (a != m).nnz == 0
    ok(same, "%s: the counts are those of Python, one by one" % os.path.basename(path))


table = [l.rstrip("\n").split("\t") for l in open(folder + "/expected.tsv")]
good = [os.path.join(folder, r[0]) for r in table[1:] if r[2] == "read"]
os.makedirs(tmp + "/made")
for path in [p for p in good if os.path.exists(p)] + make(tmp + "/made"):
    compare(path)
print("1..%d\n%d passed, %d failed, 0 skipped" % (n_tests, n_tests - n_failed, n_failed))
sys.exit(4 if n_failed else 0)
