#!/bin/bash
# Two species in one matrix (hg19_ and mm10_ in front of the names), from a file of Cell Ranger to
# tokens: import says so, homolog-map splits by cell, and every cell gets the tokens that it has when
# its species comes alone.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
is 'each species alone is imported'  corpus_files

# The same cells in one matrix: 9 human cells with a little mouse RNA that floated in the droplets, 6
# mouse cells with a little human, and a droplet that holds human cell 1 and mouse cell 1.
paste -d, "$tmp/h.csv" "$tmp/m.csv" | awk -F, -v dir="$tmp/mix" 'NR > 1 {
		i = NR - 1
		own[1] = sprintf("hg19_ENSG%011d\thg19_%s", i, $1)
		own[2] = sprintf("mm10_ENSMUSG%011d\tmm10_%s", i, $11)
		for (s = 1; s <= 2; s++)
			feature[s, i] = own[s] "\tGene Expression"
		for (c = 1; c <= 9; c++) { v[1, i, c] = $(1 + c); v[2, i, c] = (i % 100 == c) }
		for (c = 10; c <= 15; c++) { v[1, i, c] = (i % 100 == c); v[2, i, c] = $(2 + c) }
		v[1, i, 16] = $2; v[2, i, 16] = $12
	}
	END {
		n = i
		system("mkdir -p " dir)
		for (s = 1; s <= 2; s++) for (i = 1; i <= n; i++) print feature[s, i] >(dir "/features.tsv")
		for (c = 1; c <= 16; c++) print "CELL" c "-1" >(dir "/barcodes.tsv")
		for (s = 1; s <= 2; s++) for (i = 1; i <= n; i++) for (c = 1; c <= 16; c++)
			if (v[s, i, c] > 0) line[++m] = (s - 1) * n + i " " c " " v[s, i, c]
		print "%%MatrixMarket matrix coordinate integer general" >(dir "/matrix.mtx")
		print 2 * n, 16, m >(dir "/matrix.mtx")
		for (k = 1; k <= m; k++) print line[k] >(dir "/matrix.mtx")
	}'
gzip -n "$tmp/mix"/*

# The matrix from counts to tokens, in $tmp/NAME.*; $2: what import reads.
whole() {
	t "$1: import says what it is"   0 'a mixture of human and mouse; 1 cells are of neither' import "$2" --sample mix --out "$tmp/$1.h5ad" --report "$tmp/$1.i.json"
	is "$1: and so does its report"  grep -q '"species": "mixture"' "$tmp/$1.i.json"
	t "$1: it is split by cell"      0 'a mixture, split into a human and a mouse sample; 1 cells of neither' homolog-map "$tmp/$1.h5ad" --tables "$tmp/tables" --out "$tmp/$1.m.h5ad" --report "$tmp/$1.m.json"
	t "$1: quality is judged by species" 0 '13 of 15 cells kept in 2 samples' qc-filter "$tmp/$1.m.h5ad" --tables "$tmp/tables" --out "$tmp/$1.q.h5ad" --cells "$tmp/$1.cells.tsv"
	t "$1: medians"                  0 '13 cells' median "$tmp/$1.q.h5ad" --out "$tmp/$1.med.tsv"
	t "$1: tokens"                   0 '13 cells' tokenize "$tmp/$1.q.h5ad" --vocab "$tmp/v.tsv" --medians "$tmp/$1.med.tsv" --out "$tmp/$1.s"
	is "$1: of both species"         test "$(cut -f2,4 "$tmp/$1.s/cells.tsv" | sort | uniq -c | awk '{ printf "%s %s %s;", $1, $2, $3 }')" = '8 mix-human human;5 mix-mouse mouse;1 sample species;'
	t "$1: dumped"                   0 '' shard-dump "$tmp/$1.s" --out "$tmp/$1.d.tsv"
	is "$1: the verdict on each cell is the one it has alone" diff <(verdicts "$tmp/$1.cells.tsv") <(verdicts "$tmp/h.cells.tsv" "$tmp/m.cells.tsv")
	is "$1: the medians are those of the species alone" cmp "$tmp/$1.med.tsv" "$tmp/med.tsv"
	is "$1: and so are tokens and values" diff <(cut -f2- "$tmp/$1.d.tsv") <(cut -f2- "$tmp/alone.d.tsv")
}
verdicts() { awk -F '\t' 'FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } { print $at["verdict"] }' "$@"; }

for s in h m; do
	t "sample $s alone"              0 '' qc-filter "$tmp/$s.h5ad" --tables "$tmp/tables" --out "$tmp/$s.q.h5ad" --cells "$tmp/$s.cells.tsv"
done
t 'a dictionary'                     0 '' vocab --tables "$tmp/tables" --out "$tmp/v.tsv"
t 'medians of both'                  0 '' median "$tmp/h.q.h5ad" "$tmp/m.q.h5ad" --out "$tmp/med.tsv"
t 'tokens of both'                   0 '' tokenize "$tmp/h.q.h5ad" "$tmp/m.q.h5ad" --vocab "$tmp/v.tsv" --medians "$tmp/med.tsv" --out "$tmp/alone.s"
t 'dumped'                           0 '' shard-dump "$tmp/alone.s" --out "$tmp/alone.d.tsv"
whole folder "$tmp/mix"

# The same in HDF5, as Cell Ranger 2 wrote it (a group per genome, whose
# names may have the genome in front or not) and as Cell Ranger 3 does.
cat >"$tmp/h5.py" <<'P'
import gzip, sys
import h5py, numpy as np
folder, version, out = sys.argv[1:]
lines = lambda name: gzip.open(f"{folder}/{name}", "rt").read().splitlines()
features = [f.split("\t") for f in lines("features.tsv.gz")]
barcodes = lines("barcodes.tsv.gz")
m = np.array([r.split() for r in lines("matrix.mtx.gz")[2:]], int)
def put(g, rows, ids, names):
    k = m[(m[:, 0] > rows[0]) & (m[:, 0] <= rows[1])]
    k = k[np.lexsort((k[:, 0], k[:, 1]))]
    g["barcodes"] = np.array(barcodes, "S")
    g["data"] = k[:, 2].astype("i4")
    g["indices"] = (k[:, 0] - 1 - rows[0]).astype("i8")
    g["indptr"] = np.searchsorted(k[:, 1], np.arange(1, len(barcodes) + 2)).astype("i8")
    g["shape"] = np.array([rows[1] - rows[0], len(barcodes)], "i4")
    cut = len("hg19_") if version == "2bare" else 0
    g[ids] = np.array([f[0][cut:] for f in features[rows[0]:rows[1]]], "S")
    g[names] = np.array([f[1][cut:] for f in features[rows[0]:rows[1]]], "S")
with h5py.File(out, "w") as f:
    half = len(features) // 2
    if version != "3":
        put(f.create_group("hg19"), (0, half), "genes", "gene_names")
        put(f.create_group("mm10"), (half, 2 * half), "genes", "gene_names")
    else:
        g = f.create_group("matrix")
        g.create_group("features")
        put(g, (0, 2 * half), "features/id", "features/name")
        g["features/feature_type"] = np.array(["Gene Expression"] * 2 * half, "S")
        g["features/genome"] = np.array(["hg19"] * half + ["mm10"] * half, "S")
P
python=${PYTHON:-$SRC/.venv/bin/python3}
if "$python" -c 'import h5py' 2>/dev/null; then
	for v in 2 2bare 3; do
		is "a file of Cell Ranger $v" "$python" "$tmp/h5.py" "$tmp/mix" $v "$tmp/mix$v.h5"
		whole "version$v" "$tmp/mix$v.h5"
	done
else
	skip 'two species in HDF5' 'python has no package h5py'
fi
end
