#!/bin/bash
# perturb: genes deleted, lowered and raised in cells, as a model sees it.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
is 'a model is trained' corpus_model
model=$(find "$tmp/run" -maxdepth 1 -name 'step-*' | sort -V | tail -n 1)
pe() { perturb "$@" --model "$model" --quiet --least-overlap 0.01; }
field() { # FILE.tsv ROW COLUMN: of the first line whose first field is ROW
	awk -F '\t' -v row="$2" -v col="$3" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == col) c = i; next }
		$1 == row { print $c; exit }' "$1"
}

# One human cell of 64 genes, as many as the model reads, all with different ranks; and what its
# counts are when one gene is deleted, halved, or raised. The model's median of a gene is divided by.
awk -F '\t' 'NR > 1 && $1 ~ /^ENSG/ { print substr($1, 5) + 0, $3 }' "$model/medians.tsv" | head -64 >"$tmp/genes"
cell() { # GENE FACTOR: the cell with that gene's count changed
	awk -v g="$1" -v f="$2" 'BEGIN { print ",one" } { v = $2 * (1000 + 14 * NR); v = int(v / 4) * 4
		print "G" $1 "," ($1 == g ? v * f : v) }' "$tmp/genes"
}
gene=$(sed -n 20p "$tmp/genes" | cut -d' ' -f1)
cell "$gene" 1 >"$tmp/one.csv"
cell "$gene" 0 >"$tmp/one.0.csv"
cell "$gene" 0.25 >"$tmp/one.4.csv"
for f in one one.0 one.4; do
	t "the cell $f as vectors" 0 '' embed "$tmp/$f.csv" --species human --model "$model" --quiet --genes \
		--least-overlap 0.01 --out "$tmp/$f.h5ad"
done
pe1() { pe "$tmp/one.csv" --species human "$@"; }
t 'a gene is deleted' 0 '' pe1 --genes "G$gene" --controls 3 --per-cell --out "$tmp/del"
t 'and lowered to a quarter' 0 '' pe1 --genes "G$gene" --controls 3 --per-cell --change scale --factor 0.25 --out "$tmp/quarter"
t 'and deleted as the published code does it' 0 '' pe1 --genes "G$gene" --controls 3 --per-cell --as-released --out "$tmp/old"
is 'the shift of the cell and of its genes are two numbers' bash -c \
	"[ '$(field "$tmp/del/predictions.tsv" "G$gene" cls_shift)' != '$(field "$tmp/del/predictions.tsv" "G$gene" gene_shift)' ]"
is '63 other genes are affected' test "$(grep -c "^G$gene	" "$tmp/del/effects.tsv")" = 63
is 'nothing perturbed shifts nothing' test "$(grep -cE 'nothing	[0-9]+	(cls|gene)_shift	0	1$' "$tmp/del/metrics.tsv")" = 2

# The order of the cell's genes by count / median, then by token (here: by id).
rank_order() {
	awk -F '\t' 'NR == FNR { m[$1] = $3; next } { split($0, a, ","); if (a[1] == "") next
		id = sprintf("ENSG%011d", substr(a[1], 2)); print a[2] / m[id], id }' "$model/medians.tsv" "$tmp/one.csv" |
		sort -k1,1gr -k2,2 | cut -d' ' -f2
}
rank_order >"$tmp/order"
is 'the cell has 64 ranks' test "$(wc -l <"$tmp/order")" = 64
off_by_one() { # behind the deleted gene every number stands under the name of the left neighbour
	awk -F '\t' -v gone="$(printf 'ENSG%011d' "$gene")" '
		FILENAME == ARGV[1] { rank[$1] = NR; name[NR] = $1; n = NR; next }
		FNR == 1 { next }
		FILENAME == ARGV[2] { clean[$2] = $5; next }
		{ old[$2] = $5 }
		END {
			for (i = 1; i < n; i++) {
				is = old[name[i]]
				own = i < rank[gone] ? clean[name[i]] : clean[name[i + 1]]
				if (is == "" || is != own) { print "rank", i, name[i], is, own; bad = 1 }
				if (i > rank[gone] && is == clean[name[i]]) { print "no defect at", i; bad = 1 }
			}
			if (old[name[n]] != "" || old[gone] == "" || rank[gone] < 2 || rank[gone] > n - 2) bad = 1
			exit bad
		}' "$tmp/order" "$tmp/del/effects.tsv" "$tmp/old/effects.tsv"
}
is 'the published labels are off by one behind the deleted gene, which is named itself' off_by_one
is 'and marked' grep -q 'as-released' "$tmp/old/metrics.tsv"

if ! "$PYTHON" -c 'import anndata' 2>/dev/null; then
	skip 'the shifts are those of the vectors that embed writes' "python has no anndata"
else
	cat >"$tmp/look.py" <<-'PY'
		import sys, csv, anndata, numpy as np
		d, gone = sys.argv[1], sys.argv[2]
		def unit(x): x = x.astype("f8"); return x / np.linalg.norm(x)
		def read(n):
		    a = anndata.read_h5ad(f"{d}/{n}.h5ad")
		    return a.obsm["X_genecompass"][0], dict(zip(a.var_names, a.varm["X_genecompass"]))
		c0, g0 = read("one")
		for folder, n in ("del", "one.0"), ("quarter", "one.4"):
		    c1, g1 = read(n)
		    rows = list(csv.DictReader(open(f"{d}/{folder}/effects.tsv"), delimiter="\t"))
		    rows = {r["gene"]: float(r["shift"]) for r in rows}
		    want = {k: 1 - unit(g0[k]) @ unit(g1[k]) for k in g0 if k in g1 and k != gone}
		    assert rows.keys() == want.keys() and len(rows) == 63
		    worst = max(abs(rows[k] - want[k]) for k in want)
		    cell = next(csv.DictReader(open(f"{d}/{folder}/cells.tsv"), delimiter="\t"))
		    # numbers are printed with nine digits
		    assert worst < 1e-9, worst
		    assert abs(float(cell["cls_shift"]) - (1 - unit(c0) @ unit(c1))) < 1e-9
		    assert abs(float(cell["gene_shift"]) - np.mean(list(want.values()))) < 1e-9
		    assert max(want.values()) > 1e-6, "something moves"
	PY
	t 'the shifts are those of the vectors that embed writes' 0 '' "$PYTHON" "$tmp/look.py" "$tmp" \
		"$(printf 'ENSG%011d' "$gene")"
fi

# Towards the very cell that the deletion makes, and towards the one it was.
pt() { pe "$tmp/one.csv" "$tmp/one.0.csv" --species human --genes "G$gene" --controls 3 --label sample --source one "$@"; }
t 'towards a target' 0 '' pt --target one.0 --per-cell --out "$tmp/to"
nearly() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && b > 0 && a - b < 1e-9 && b - a < 1e-9) }'; }
is 'a cell comes nearer by all that it moves' nearly "$(field "$tmp/to/predictions.tsv" "G$gene" towards_one.0)" \
	"$(field "$tmp/to/predictions.tsv" "G$gene" cls_shift)"
is 'cell by cell, too' test "$(cut -f5,7 "$tmp/to/cells.tsv" | head -1)" = "cls_shift	towards_one.0"
is 'it is the one candidate, in every list' test "$(cut -f1-3,9 "$tmp/to/candidates.tsv" | tail -n +2)" = "one.0	1	G$gene	1"
t 'towards two targets' 0 '' pt --target one.0 one --out "$tmp/to2"
is 'it leaves the second, so it is in one list' test "$(cut -f1-3,9 "$tmp/to2/candidates.tsv" | tail -n +2)" = "one.0	1	G$gene	0"
t 'a target that no cell is' 3 "none of 2 has 'two' in obs column 'sample'" pt --target two --out "$tmp/x"
t 'a target without a source' 2 'goes with --source' pe "$tmp/one.csv" --genes "G$gene" --target one --out "$tmp/x"

# Many cells, of two species.
both=("$tmp/h.q.h5ad" "$tmp/m.q.h5ad")
printf '# a list\nG3\nG9+G21\n' >"$tmp/list"
pb() { pe "${both[@]}" --genes-file "$tmp/list" --genes G6 G12 --pairs --controls 4 --per-cell "$@"; }
t 'a list, sets and pairs' 0 '' pb --out "$tmp/a" --report "$tmp/a.json"
is 'each is there: three singles, a set, three pairs' test "$(cut -f1 "$tmp/a/predictions.tsv" | tail -n +2 | sort |
	tr '\n' ' ')" = "G12 G12+G3 G3 G6 G6+G12 G6+G3 G9+G21 "
is 'cells of both species' bash -c "cut -f2 '$tmp/a/cells.tsv' | grep -q '^h$' && cut -f2 '$tmp/a/cells.tsv' | grep -q '^m$'"
is 'four controls each' test "$(cut -f10 "$tmp/a/predictions.tsv" | tail -n +2 | sort -u)" = 4
p_range() { # 1/5 at least, 1 at most
	awk -F '\t' 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "p") c = i; next }
		$c != "nan" { n++; if ($c < 0.2 - 1e-9 || $c > 1) bad = 1 } END { exit bad || n < 100 }' "$tmp/a/effects.tsv"
}
is 'p of four controls is a fifth at least' p_range
t 'one thread' 0 '' pb --out "$tmp/a1" --threads 1
for f in effects predictions cells metrics; do
	is "the same $f" cmp "$tmp/a/$f.tsv" "$tmp/a1/$f.tsv"
done
is 'the same shifts.h5ad' cmp "$tmp/a/shifts.h5ad" "$tmp/a1/shifts.h5ad"
if ! "$PYTHON" -c 'import anndata' 2>/dev/null; then
	skip 'anndata opens shifts.h5ad' "python has no anndata"
else
	cat >"$tmp/shifts.py" <<-'PY'
		import sys, csv, anndata, numpy as np
		folder, *inputs = sys.argv[1:]
		a = anndata.read_h5ad(f"{folder}/shifts.h5ad")
		rows = list(csv.DictReader(open(f"{folder}/cells.tsv"), delimiter="\t"))
		names = [r["perturbation"] for r in csv.DictReader(open(f"{folder}/predictions.tsv"), delimiter="\t")]
		assert list(a.var_names) == names and set(a.layers) == {"cls_shift", "gene_shift"}
		seen = 0
		for r in rows:
		    i, j = a.obs_names.get_loc(f"{r['sample']}:{r['cell']}"), names.index(r["perturbation"])
		    for m in a.layers:
		        want = float(r[m])
		        assert abs(a.layers[m][i, j] - want) <= 1e-6 * abs(want), (r, m)
		    assert a.obs["cell_id"].iloc[i] == int(r["cell_id"])
		    seen += 1
		assert seen == len(rows) > 20
		assert np.isfinite(a.layers["cls_shift"]).sum() == seen, "where nothing happened there is no number"
		assert list(a.var["n_cells"]) == [sum(r["perturbation"] == n for r in rows) for n in names]
		assert not (a.layers["cls_shift"][0] == a.layers["gene_shift"][0]).all()
		given = [anndata.read_h5ad(f) for f in inputs]
		assert a.n_obs == sum(g.n_obs for g in given)
		for g in given:  # all that the inputs know of their cells
		    for c in g.obs.columns:
		        of = [f"{s}:{n}" for s, n in zip(g.obs["sample"], g.obs_names)]
		        assert list(a.obs.loc[of, c].astype(str)) == list(g.obs[c].astype(str)), c
		assert a.uns["change"] == "delete" and len(a.uns["model_sha256"]) == 64
	PY
	t 'anndata opens shifts.h5ad' 0 '' "$PYTHON" "$tmp/shifts.py" "$tmp/a" "${both[@]}"
fi
many=(G{3..24})
pm() { perturb "${both[@]}" --genes "${many[@]}" --pairs --model "$model" --least-overlap 0.01 "$@"; }
t 'more than fits in the memory given: several passes' 0 '253 perturbations and .* controls on 13 cells, 1[0-9][0-9] at a time in 1 MiB' \
	pm --controls 1 --memory 1 --per-cell --out "$tmp/b1"
t 'and in one' 0 ', [2-9][0-9][0-9] at a time' pm --controls 1 --per-cell --out "$tmp/b2"
is 'give the same' bash -c "cmp '$tmp/b1/effects.tsv' '$tmp/b2/effects.tsv' && cmp '$tmp/b1/predictions.tsv' '$tmp/b2/predictions.tsv' &&
	cmp '$tmp/b1/shifts.h5ad' '$tmp/b2/shifts.h5ad'"
killed() { # while it works
	perturb "${both[@]}" --genes "${many[@]}" --pairs --model "$model" --least-overlap 0.01 --quiet --out "$tmp/k" &
	local pid=$! i=0
	while [ ! -e "$tmp/k/effects.tsv.part" ] && [ $i -lt 300 ]; do sleep 0.05; i=$((i + 1)); done
	kill -9 $pid
	wait $pid 2>/dev/null
	[ -e "$tmp/k/effects.tsv.part" ] && [ ! -e "$tmp/k/effects.tsv" ]
}
is 'killed, it leaves nothing half-written' killed
t 'and begins again' 0 '' pm --controls 1 --threads 1 --out "$tmp/k"
is 'to the same bytes' cmp "$tmp/b1/effects.tsv" "$tmp/k/effects.tsv"
t 'every gene that two cells show' 0 '' pe "$tmp/h.q.h5ad" --all-genes --least-cells 2 --controls 2 --keep 10 --out "$tmp/all"
is 'ten affected genes of each' bash -c "[ \$(cut -f1 '$tmp/all/effects.tsv' | tail -n +2 | uniq -c | awk '{ print \$1 }' |
	sort -u) = 10 ]"
is 'and more than 50 genes' test "$(wc -l <"$tmp/all/predictions.tsv")" -gt 51
t 'over-expression to the median' 0 '' pe "$tmp/h.q.h5ad" --genes G6 G100 --change low --controls 2 --out "$tmp/low"
t 'and to the highest' 0 '' pe "$tmp/h.q.h5ad" --genes G6 G100 --change high --controls 2 --out "$tmp/high"
is 'which is further' awk -v a="$(field "$tmp/low/predictions.tsv" G100 gene_shift)" \
	-v b="$(field "$tmp/high/predictions.tsv" G100 gene_shift)" 'BEGIN { exit !(b > a) }'
t 'as many cells as were asked for' 0 '' pe "$tmp/h.q.h5ad" --genes G6 --change high --controls 0 --per-cell --max-cells 3 --out "$tmp/three"
is 'three' test "$(wc -l <"$tmp/three/cells.tsv")" = 4
if "$PYTHON" -c 'import anndata' 2>/dev/null; then
	is 'in shifts.h5ad, too, by their own names' "$PYTHON" -c "import anndata, csv
a = anndata.read_h5ad('$tmp/three/shifts.h5ad')
assert list(a.obs_names) == [r['cell'] for r in csv.DictReader(open('$tmp/three/cells.tsv'), delimiter='\t')] and a.n_obs == 3"
fi
t 'once its factor is 1 a gene does nothing' 3 'no cell is concerned: in none of 8 does' pe "$tmp/h.q.h5ad" --genes G6 --change scale --factor 1 --out "$tmp/x"

t 'a gene that nobody knows' 3 "'Gx' is no gene" pe "$tmp/h.q.h5ad" --genes Gx --out "$tmp/x"
t 'a gene that is not in the vocabulary' 3 "'G290' is not in the model's vocabulary" pe "$tmp/h.q.h5ad" --genes G290 --out "$tmp/x"
t 'a gene of the other species' 3 "mouse gene and all cells are human; its homolog there is 'G5'" pe "$tmp/h.q.h5ad" --genes g5 --out "$tmp/x"
t 'and the other way round' 3 "human gene and all cells are mouse; its homolog there is 'g5'" pe "$tmp/m.q.h5ad" --genes G5 --out "$tmp/x"
t 'or one without a homolog' 3 'mouse gene without a known homolog' pe "$tmp/h.q.h5ad" --genes g260 --out "$tmp/x"
t 'a gene named twice' 3 "'G5' is named twice" pe "$tmp/h.q.h5ad" --genes G5 G5 --out "$tmp/x"
t 'by two names' 3 "'ENSG00000000007' is named twice: it is 'G7'" pe "$tmp/h.q.h5ad" --genes G7 ENSG00000000007 --out "$tmp/x"
t 'in one set' 3 "'G5\+G6\+G5' names gene 'G5' twice" pe "$tmp/h.q.h5ad" --sets G5+G6+G5 --out "$tmp/x"
t 'a set without a name' 3 "lacks a gene's name" pe "$tmp/h.q.h5ad" --sets G5+ --out "$tmp/x"
printf 'G5\nGx\n' >"$tmp/list.bad"
t 'a line of a list' 3 "line 2: 'Gx'" pe "$tmp/h.q.h5ad" --genes-file "$tmp/list.bad" --out "$tmp/x"
printf '# nothing\n' >"$tmp/list.empty"
t 'an empty list' 3 'names no gene' pe "$tmp/h.q.h5ad" --genes-file "$tmp/list.empty" --out "$tmp/x"
t 'no gene at all' 2 'no gene is selected' pe "$tmp/h.q.h5ad" --out "$tmp/x"
t 'no gene in so many cells' 3 'none is seen in 100 of' pe "$tmp/h.q.h5ad" --all-genes --least-cells 100 --out "$tmp/x"
t 'no cell of that label' 3 "no column 'label'" pe "$tmp/h.q.h5ad" --genes G5 --source heart --out "$tmp/x"
t 'a label that no cell has' 3 "no cell is selected: none of 8 has 'heart'" pe "$tmp/h.q.h5ad" --genes G5 --label sample --source heart --out "$tmp/x"
absent=200
t 'a gene that no cell has' 3 'no cell is concerned: of 1 cells none has' pe1 --genes "G$absent" --out "$tmp/x"
t 'beside one that is there' 0 "'G$absent' is in no cell" pe1 --genes "G$absent" "G$gene" --controls 2 --out "$tmp/absent"
is 'is told so' test "$(field "$tmp/absent/predictions.tsv" "G$absent" prediction)" = 'not seen'
t 'too little memory' 2 'raise it, or lower --controls' pm --controls 10 --memory 1 --out "$tmp/x"
# 3,916 perturbations of 8 cells: 28 MiB of sums, unless --memory says otherwise.
if grep -q __asan_init "$BIN/perturb"; then
	skip 'memory is bounded by --memory, not by how much is perturbed' "a sanitizer keeps what was freed"
else
	mkdir "$tmp/mem"
	for m in 2 512; do
		t "88 genes and all their pairs in $m MiB" 0 '3916 perturbations' env GC_TIMES="$tmp/mem/$m" perturb "$tmp/h.q.h5ad" --genes G{3..90} --pairs \
			--model "$model" --least-overlap 0.01 --controls 1 --keep 1 --draws 0 --memory "$m" --threads 1 --out "$tmp/mem/of$m"
	done
	is 'memory is bounded by --memory, not by how much is perturbed' awk -F '\t' '{ kb[NR] = $4 } END { exit !(kb[1] > 0 && kb[2] > kb[1] + 20000) }' \
		"$tmp/mem/2" "$tmp/mem/512"
	is 'and the numbers are the same' cmp "$tmp/mem/of2/predictions.tsv" "$tmp/mem/of512/predictions.tsv"
fi
t 'no model' 2 'model is missing' perturb "$tmp/h.q.h5ad" --genes G5 --out "$tmp/x"
t '--as-released knows deletion only' 2 'deletes genes' pe "$tmp/h.q.h5ad" --genes G5 --as-released --change high --out "$tmp/x"
t 'a full disk' 1 '' bash -c "mkdir -p '$tmp/full'; ln -s /dev/full '$tmp/full/effects.tsv'; perturb '$tmp/h.q.h5ad' --model '$model' \
	--genes G5 --quiet --out '$tmp/full'"
is 'nothing half-written is left' bash -c "! ls '$tmp'/x/*.tsv 2>/dev/null"
end
