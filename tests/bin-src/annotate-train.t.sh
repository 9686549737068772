#!/bin/bash
# annotate train, predict and evaluate: simulated cells with known types, a model of width 16.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
is 'a model is trained' types_model
model=$(find "$tmp/run" -maxdepth 1 -name 'step-*' | sort -V | tail -n 1)
cells=$tmp/sim_h1.m.h5ad other=$tmp/sim_h2.m.h5ad
learn() { annotate train "$@" --model "$model"; }
score() { # folder metric
	awk -F'\t' -v m="$2" '$7 == m { print $8 }' "$1/metrics.tsv"
}
above() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && a + 0 > b + 0) }'; }

t 'a linear probe' 0 'macro-F1' learn "$cells" --out "$tmp/probe" --report "$tmp/probe.json"
t 'with one thread' 0 '' learn "$cells" --out "$tmp/probe1" --threads 1 --quiet
is 'gives the same bytes' diff -r "$tmp/probe" "$tmp/probe1"
is 'the report has the accuracy on validation cells' grep -q '"validation_accuracy": [01]' "$tmp/probe.json"
cp -r "$tmp/probe" "$tmp/moved"
t 'the folder alone names other cells' 0 'cells: [0-9]* named' annotate predict "$other" --model "$tmp/moved" --out "$tmp/named"
is 'a line for every cell' test "$(wc -l <"$tmp/named/predictions.tsv")" = $((1 + $(wc -l <"$tmp/sim/mirror/sc_human/sim_h2/labels.tsv") - 1))
t 'scored on another sample' 0 'accuracy' annotate evaluate "$other" --model "$tmp/probe" --out "$tmp/score"
is 'predict and evaluate say the same' cmp "$tmp/named/predictions.tsv" "$tmp/score/predictions.tsv"
recount() { # accuracy from predictions.tsv
	awk -F'\t' -v want="$(score "$tmp/score" accuracy)" 'NR > 1 && $4 != "-" { n++; k += $4 == $5 } END { d = k / n - want; exit !(d < 1e-8 && d > -1e-8) }' "$tmp/score/predictions.tsv"
}
is 'the accuracy is that of the predictions' recount
is 'the figure is there' grep -q '<svg' "$tmp/score/confusion.svg"
ramp() { # each channel goes straight from dark blue (all cells of a row) to white
	local n=0 hex r
	for hex in $(grep -oE 'polygon fill="#[0-9a-f]{6}' "$tmp/score/confusion.svg" | sed 's/.*#//'); do
		r=$((16#${hex:0:2})) n=$((n + 1))
		[ $((16#${hex:2:2})) = $((80 + r * 175 / 255)) ] && [ $((16#${hex:4:2})) = $((140 + r * 115 / 255)) ] || return 1
	done
	[ $n -gt 0 ]
}
is 'its squares are shades of one colour' ramp
is 'confusion.tsv has every labelled cell' test "$(awk -F'\t' 'NR > 1 { n += $3 } END { print n }' "$tmp/score/confusion.tsv")" = \
	"$(awk -F'\t' 'NR > 1 && $4 != "-"' "$tmp/score/predictions.tsv" | wc -l)"
t 'a threshold above 1 makes every cell unsure' 0 ': 0 named' annotate predict "$other" --model "$tmp/probe" --threshold 1.1 --out "$tmp/unsure"
is 'and says so of each' test "$(awk -F'\t' 'NR > 1 && $10 == "yes"' "$tmp/unsure/predictions.tsv" | wc -l)" = 0
t 'a source as it comes' 0 '' annotate predict "$tmp/sim/mirror/sc_human/sim_h1" --model "$tmp/probe" --out "$tmp/raw" --quiet
t 'two inputs' 0 '' annotate predict "$other" "$cells" --model "$tmp/probe" --out "$tmp/both" --quiet
is 'have the lines of both' test "$(wc -l <"$tmp/both/predictions.tsv")" = $(($(wc -l <"$tmp/named/predictions.tsv") + $(wc -l <"$tmp/raw/predictions.tsv") - 1))

# Vectors of an earlier embed in place of counts.
is 'embed writes vectors' eval "embed '$cells' --model '$model' --out '$tmp/v.h5ad' --quiet && embed '$other' --model '$model' --out '$tmp/ov.h5ad' --quiet"
t 'a probe on them' 0 'macro-F1' learn "$tmp/v.h5ad" --out "$tmp/vprobe"
is 'encodes nothing' bash -c '! grep -q "computes on" "$1"' _ "$tmp/.stderr"
is 'and is the one on counts' diff -r "$tmp/probe" "$tmp/vprobe"
t 'chosen by vectors of other cells' 0 '' learn "$tmp/v.h5ad" --validation "$tmp/ov.h5ad" --out "$tmp/vchosen" --quiet
t 'or by counts of them' 0 '' learn "$tmp/v.h5ad" --validation "$other" --out "$tmp/cchosen" --quiet
is 'is the same' diff -r "$tmp/vchosen" "$tmp/cchosen"
t 'names for vectors' 0 'cells: [0-9]* named' annotate predict "$tmp/ov.h5ad" --model "$tmp/probe" --out "$tmp/vnamed"
is 'are those for counts' diff -r "$tmp/named" "$tmp/vnamed"
t 'named cells named again' 0 '' annotate predict "$tmp/named/cells.h5ad" --model "$tmp/probe" --out "$tmp/again" --quiet
is 'are what they were' diff -r "$tmp/named" "$tmp/again"
t 'two files of vectors' 0 '' annotate predict "$tmp/ov.h5ad" "$tmp/v.h5ad" --model "$tmp/probe" --out "$tmp/vboth" --quiet
t 'vectors behind counts' 3 'it holds vectors, and the files before it counts' learn "$cells" "$tmp/ov.h5ad" --out "$tmp/x"
t 'training the model on vectors' 3 'the others train on counts' learn "$tmp/v.h5ad" --mode full --out "$tmp/x"
embed "$cells" --model "$model" --random-weights --out "$tmp/rv.h5ad" --quiet
t 'vectors of random weights' 3 'its vectors are of random weights' learn "$tmp/rv.h5ad" --out "$tmp/x"
cp -r "$model" "$tmp/stranger" && convert_one_bit() { printf '\x01' | dd of="$tmp/stranger/model.safetensors" bs=1 seek=$(($(stat -c %s "$tmp/stranger/model.safetensors") - 4)) conv=notrunc 2>/dev/null; }
convert_one_bit
t 'vectors of another model' 3 'are of another model .its hash begins with' annotate train "$tmp/v.h5ad" --model "$tmp/stranger" --out "$tmp/x"

t 'pooler and classifier on the frozen model' 0 'epoch 2' learn "$cells" --mode frozen --epochs 30 --lr 1e-2 --warmup 1 --out "$tmp/frozen"
t 'with three threads' 0 '' learn "$cells" --mode frozen --epochs 30 --lr 1e-2 --warmup 1 --threads 3 --out "$tmp/frozen3" --quiet
is 'the same bytes' diff -r "$tmp/frozen" "$tmp/frozen3"
t 'the whole model' 0 'epoch 20' learn "$cells" --mode full --epochs 20 --lr 3e-3 --warmup 1 --balance --out "$tmp/full"
t 'with two threads' 0 '' learn "$cells" --mode full --epochs 20 --lr 3e-3 --warmup 1 --balance --threads 2 --out "$tmp/full2" --quiet
is 'the same bytes' diff -r "$tmp/full" "$tmp/full2"
t 'it is scored' 0 '' annotate evaluate "$other" --model "$tmp/full" --out "$tmp/fullscore" --quiet
is 'and tells the types' above "$(score "$tmp/fullscore" accuracy)" 0.8
t 'a probe on what the whole model has learned' 0 '' annotate train "$cells" --model "$tmp/full" --out "$tmp/onfull" --quiet
t 'is scored' 0 '' annotate evaluate "$other" --model "$tmp/onfull" --out "$tmp/onscore" --quiet
is 'and tells the types too' above "$(score "$tmp/onscore" accuracy)" 0.8
t 'as released wants its test cells' 2 'wants --validation' learn "$cells" --as-released --out "$tmp/x"
t 'as released' 0 '' learn "$cells" --as-released --validation "$other" --epochs 1 --out "$tmp/released" --quiet
t 'is scored under its own name' 0 '' annotate evaluate "$other" --model "$tmp/released" --out "$tmp/relscore" --quiet
is 'as-released' awk -F'\t' 'NR > 1 && $4 != "as-released" { exit 1 }' "$tmp/relscore/metrics.tsv"

# Labels: some missing, a class of one cell, classes that training never saw, odd letters.
awk -F'\t' 'BEGIN { OFS = "\t" } NR == 1 { print; next }
	NR == 2 { $2 = "only, \"one\" Zählung" } NR > 2 && NR < 12 { $2 = "" } { print }' \
	"$tmp/sim/mirror/sc_human/sim_h1/labels.tsv" >"$tmp/odd.tsv"
t 'labels with commas, quotes and umlauts, some missing' 0 '9 without a label' learn "$tmp/sim/mirror/sc_human/sim_h1" \
	--labels "$tmp/odd.tsv" --label-column celltype --out "$tmp/odd"
is 'a class of one cell is trained on' grep -q "^only, \"one\" Zählung	1$" "$tmp/odd/classes.tsv"
t 'its classifier opens' 0 '' annotate evaluate "$other" --model "$tmp/odd" --out "$tmp/oddscore" --quiet
awk -F'\t' 'BEGIN { OFS = "\t" } NR > 1 && NR < 12 { $2 = "new type" } { print }' \
	"$tmp/sim/mirror/sc_human/sim_h2/labels.tsv" >"$tmp/new.tsv"
t 'classes that training never saw are counted' 0 '10 cells have labels' annotate evaluate \
	"$tmp/sim/mirror/sc_human/sim_h2/filtered_feature_bc_matrix.h5" --labels "$tmp/new.tsv" --label-column celltype \
	--model "$tmp/probe" --out "$tmp/unseen"
is 'and weigh on accuracy_all alone' above "$(score "$tmp/unseen" accuracy)" "$(score "$tmp/unseen" accuracy_all)"
awk -F'\t' 'BEGIN { OFS = "\t" } NR > 1 { $2 = "same" } { print }' "$tmp/odd.tsv" >"$tmp/one.tsv"
t 'one class only' 3 "all labelled cells are 'same'" learn "$tmp/sim/mirror/sc_human/sim_h1" --labels "$tmp/one.tsv" --label-column celltype --out "$tmp/x"
t 'no label column' 3 "no obs column 'cluster'" learn "$cells" --label cluster --out "$tmp/x"
t 'cells of names that nobody knows' 3 'are in the model.s vocabulary' annotate predict "$tmp/sim/mirror/sc_human/sim_h1" --species mouse --model "$tmp/probe" --out "$tmp/x"
for f in classifier.json classes.tsv probe.safetensors model.safetensors vocab.tsv; do
	rm -rf "$tmp/lacks" && cp -r "$tmp/probe" "$tmp/lacks" && rm "$tmp/lacks/$f"
	t "a folder without $f" 3 "${f%.*}" annotate predict "$other" --model "$tmp/lacks" --out "$tmp/x"
done
rm -rf "$tmp/lacks" && cp -r "$tmp/probe" "$tmp/lacks" && sed -i 's/"probe"/"orchard"/' "$tmp/lacks/classifier.json"
t 'a kind that nobody knows' 3 'is not what annotate train writes' annotate predict "$other" --model "$tmp/lacks" --out "$tmp/x"
rm -rf "$tmp/lacks" && cp -r "$tmp/probe" "$tmp/lacks" && sed -i '$s/^/A/' "$tmp/lacks/classes.tsv"
t 'classes out of order' 3 'names must rise' annotate predict "$other" --model "$tmp/lacks" --out "$tmp/x"
rm -rf "$tmp/lacks" && cp -r "$tmp/odd" "$tmp/lacks" && sed -i '$d' "$tmp/lacks/classes.tsv"
t 'a class too few' 3 'does not hold mean' annotate predict "$other" --model "$tmp/lacks" --out "$tmp/x"
t 'no model' 2 '--model is missing' annotate predict "$other" --out "$tmp/x"
t 'no word' 2 'train, predict, evaluate or compare' annotate
t 'a wrong word' 2 "does not know 'guess'" annotate guess
t 'a rate below 0' 2 'not below 0' learn "$cells" --lr -1 --out "$tmp/x"
is 'nothing half-written is left' test -z "$(find "$tmp/x" -type f 2>/dev/null)"
t 'a full disk' 1 'cannot' bash -c "trap '' XFSZ; ulimit -f 8; exec annotate train '$cells' --model '$model' --out '$tmp/full-disk' --quiet"
is 'leaves no classifier' test ! -e "$tmp/full-disk/classifier.json"

if ! "$PYTHON" -c 'import anndata' 2>/dev/null; then
	skip 'anndata opens the named cells' 'python has no anndata'
else
	cat >"$tmp/look.py" <<-'PY'
		import sys
		import anndata
		a = anndata.read_h5ad(sys.argv[1])
		lines = [l.rstrip("\n").split("\t") for l in open(sys.argv[2])][1:]
		assert a.n_obs == len(lines), (a.n_obs, len(lines))
		assert a.obsm["X_genecompass"].shape == (a.n_obs, 16)
		assert [l[4] for l in lines] == list(a.obs["cell_type_best"])
		assert all((t == "not sure") == (l[9] == "no") for t, l in zip(a.obs["cell_type"], lines))
		assert max(abs(float(l[5]) - p) for l, p in zip(lines, a.obs["cell_type_probability"])) < 1e-8
	PY
	t 'anndata opens the named cells' 0 '' "$PYTHON" "$tmp/look.py" "$tmp/named/cells.h5ad" "$tmp/named/predictions.tsv"
fi
end
