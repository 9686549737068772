#!/bin/bash
# homology: vectors of a gene and of its homolog in cells of two species.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
small_model() {
	corpus_files || return 1
	for s in h m; do qc-filter "$tmp/$s.h5ad" --tables "$tmp/tables" --out "$tmp/$s.q.h5ad" --quiet || return 1; done
	corpus_tokens "$tmp/h" "$tmp/m" && corpus_families || return 1
	corpus_config 64
	sed -i 's/"use_gene_family": false/"use_gene_family": true, "knowledge_size": 8/' "$tmp/model.json"
	knowledge-embed family --vocab "$tmp/v.tsv" --tables "$tmp/tables" --hgnc "$tmp/hgnc.json" --dim 8 --passes 1 --out "$tmp/family.safetensors" --quiet &&
		pretrain --shards "$tmp/s" --tables "$tmp/tables" --config "$tmp/model.json" --knowledge "$tmp/family.safetensors" \
			--steps 2 --batch 4 --lr 1e-3 --warmup 1 --held-out 0.2 --out "$tmp/run" --quiet
}
is 'a model with knowledge is trained' small_model
model=$(find "$tmp/run" -maxdepth 1 -name 'step-*' | sort -V | tail -n 1)

# One cell of each species, so that the cosines can be worked out from what embed writes.
cut -d, -f1,2 "$tmp/h.csv" >"$tmp/one-h.csv"
cut -d, -f1,2 "$tmp/m.csv" >"$tmp/one-m.csv"
printf 'barcode\tkind\ncell1\tx\ncell2\tx\ncell3\ty\n' >"$tmp/labels.tsv"
ho() { homology --model "$model" --quiet --human-labels "$tmp/labels.tsv" --mouse-labels "$tmp/labels.tsv" --label-column kind "$@"; }
one() { ho --human "$tmp/one-h.csv" --mouse "$tmp/one-m.csv" --types x --pairs 4 "$@"; }
t 'one cell of each' 0 '' one --out "$tmp/a"
t 'with one thread' 0 '' one --out "$tmp/b" --threads 1
is 'the same numbers' bash -c "cmp '$tmp/a/metrics.tsv' '$tmp/b/metrics.tsv' && cmp '$tmp/a/densities.tsv' '$tmp/b/densities.tsv'"
value() { awk -F '\t' -v m="$1" -v k="$2" '$3 == m && $7 == k { print $8 }' "$tmp/a/metrics.tsv"; }
near() { awk -v a="$1" -v b="$2" -v d="$3" 'BEGIN { exit !(a != "" && a - b < d && b - a < d) }'; }
is 'words of homologs are the same' near "$(value word-rows homologs_mean)" 1 1e-6
is 'so they tell homologs from others at once' near "$(value word-rows auroc)" 1 1e-9
is 'five conditions' test "$(cut -f3 "$tmp/a/metrics.tsv" | tail -n +2 | sort -u | tr '\n' ' ')" = \
	"genecompass genecompass-without-knowledge random-weights random-weights-without-knowledge word-rows "
is 'knowledge makes a difference' bash -c "[ '$(value genecompass homologs_mean)' != '$(value genecompass-without-knowledge homologs_mean)' ]"
if ! "$PYTHON" -c 'import anndata' 2>/dev/null; then
	skip 'cosines of homologs are those of the vectors that embed writes' "python has no anndata"
else
	t 'the human cell as vectors' 0 '' embed "$tmp/one-h.csv" --model "$model" --genes --quiet --out "$tmp/h.e.h5ad"
	t 'and the mouse cell' 0 '' embed "$tmp/one-m.csv" --species mouse --model "$model" --genes --quiet --out "$tmp/m.e.h5ad"
	cat >"$tmp/look.py" <<-'PY'
		import sys, anndata, numpy as np
		d, got = sys.argv[1], float(sys.argv[2])
		def read(n):
		    a = anndata.read_h5ad(f"{d}/{n}.e.h5ad")
		    x = a.varm["X_genecompass"].astype("f8")
		    return dict(zip(a.var_names, x / np.linalg.norm(x, axis=1)[:, None]))
		h, m = read("h"), read("m")
		want = [h[k] @ m[k] for k in h if k in m]
		assert len(want) > 5 and abs(np.mean(want) - got) < 1e-6, (len(want), np.mean(want), got)
	PY
	t 'cosines of homologs are those of the vectors that embed writes' 0 '' "$PYTHON" "$tmp/look.py" "$tmp" \
		"$(value genecompass homologs_mean)"
fi
t 'a model of another training beside it' 0 '' ho --human "$tmp/h.csv" --mouse "$tmp/m.csv" --types x y --pairs 5 --untaught "$model" --out "$tmp/c"
is 'has its rows, for both types' test "$(grep -c '	trained-without-knowledge	.*	auroc	' "$tmp/c/metrics.tsv")" = 2
sed 's/^g/G/' "$tmp/m.csv" >"$tmp/renamed.csv"
t 'mouse counts under human names' 0 '' ho --human "$tmp/h.csv" --mouse "$tmp/renamed.csv" --same-names --types x --pairs 5 --out "$tmp/d"
t 'which are refused when nobody says so' 3 'renamed.csv' ho --human "$tmp/h.csv" --mouse "$tmp/renamed.csv" --types x --out "$tmp/x"
t 'a type that no cell has' 3 "has 'z' in obs column" ho --human "$tmp/h.csv" --mouse "$tmp/m.csv" --types z --out "$tmp/x"
t 'no types' 2 'types is missing' ho --human "$tmp/h.csv" --mouse "$tmp/m.csv" --out "$tmp/x"
is 'nothing half-written is left' bash -c "! ls '$tmp'/x/* 2>/dev/null"
end
