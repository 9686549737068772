#!/bin/bash
# Labels and cells as people have them, through the tools that read them: each case has a rule and a sentence.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
is 'a model is trained' types_model
model=$tmp/run/step-10 cells=$tmp/sim_h1.m.h5ad
human=$tmp/sim/mirror/sc_human/sim_h1 mouse=$tmp/sim/mirror/sc_mouse/sim_m1
h2=$tmp/sim/mirror/sc_human/sim_h2/filtered_feature_bc_matrix.h5
labels() { awk -F'\t' "BEGIN { OFS = \"\t\" } $1 { print }" "$human/labels.tsv"; }
labels 'NR == 2 { $2 = "one, \"of\" <Zählung> & co" } NR > 2 && NR < 12 { $2 = "" }' >"$tmp/odd.tsv"
labels 'NR > 1 { $2 = "same" }' >"$tmp/one.tsv"
labels 'NR > 1 { exit }' >"$tmp/header.tsv"
printf 'barcode\tcelltype\nnobody\ta\nnoone\tb\n' >"$tmp/nobody.tsv"
awk -F'\t' 'BEGIN { OFS = "\t" } NR > 1 { $2 = "new" } { print }' "$tmp/sim/mirror/sc_human/sim_h2/labels.tsv" >"$tmp/new.tsv"
file() { import "$2" --labels "$tmp/$1.tsv" --label-column celltype --sample "$1" --out "$tmp/$1.h5ad" --quiet; }
is 'files of these labels' eval "file odd '$human' && file one '$human' && file new '$h2'"
learn() { annotate train "$@" --model "$model" --out "$tmp/x"; }
few=(--genes 200 --pcs 10 --seeds 1)

# A species that was named wrongly, by every tool that is told one.
t 'train: human cells as mouse' 3 'genes .* are in the model.s vocabulary: is it another species' learn "$human" --labels "$human/labels.tsv" --label-column celltype --species mouse
t 'embed: human cells as mouse' 3 'is it another species' embed "$human" --species mouse --model "$model" --out "$tmp/x.h5ad"
t 'says what the names look like' 3 "warning: .*look like human, but --species mouse was given" embed "$human" --species mouse --model "$model" --out "$tmp/x.h5ad"
t 'so does train' 3 "look like human, but --species mouse was given" learn "$human" --labels "$human/labels.tsv" --label-column celltype --species mouse
t 'cells of ours know their species better' 0 "are not mouse by the file's own obs" embed "$cells" --species mouse --model "$model" --out "$tmp/own.h5ad" --quiet
t 'and are what they are without the option' 0 '' embed "$cells" --model "$model" --out "$tmp/own2.h5ad"
is 'without a warning' bash -c '! grep -q warning "$1"' _ "$tmp/.stderr"
is 'to the same bytes' cmp "$tmp/own.h5ad" "$tmp/own2.h5ad"
t 'train: a folder without labels' 3 "no obs column 'label' with labels: --label NAME takes another one, --labels FILE" learn "$human"
t 'embed: mouse cells as human' 3 'is it another species' embed "$mouse" --species human --model "$model" --out "$tmp/x.h5ad"
for f in config.json model.safetensors vocab.tsv medians.tsv genes.tsv; do
	rm -rf "$tmp/lacks" && cp -r "$model" "$tmp/lacks" && rm "$tmp/lacks/$f"
	t "embed: a model folder without $f" 3 "${f%.*}" embed "$human" --model "$tmp/lacks" --out "$tmp/x.h5ad"
	t "train: the same" 3 "${f%.*}" annotate train "$cells" --model "$tmp/lacks" --out "$tmp/x"
done
is 'nothing was written' test ! -e "$tmp/x.h5ad" -a -z "$(find "$tmp/x" -type f 2>/dev/null)"

t 'labels: a header alone' 3 'header but no rows' learn "$human" --labels "$tmp/header.tsv" --label-column celltype
t 'labels of other cells' 3 'no barcode of .* is among the [0-9]+ cells' learn "$human" --labels "$tmp/nobody.tsv" --label-column celltype
t 'validation cells of other types alone' 3 'no cell of --validation has a type' learn "$cells" --validation "$tmp/new.h5ad"
t 'no cells to choose by' 0 'not calibrated, and every cell will get a name' annotate train "$cells" --model "$model" --validation-share 0 --out "$tmp/none"
t 'evaluate: none of the types is known' 3 'no cell has a label that the classifier knows' annotate evaluate "$tmp/new.h5ad" --model "$tmp/none" --out "$tmp/y"

t 'map: labels missing, of one cell, with signs' 0 '' map "$tmp/odd.h5ad" --genes 200 --pcs 10 --out "$tmp/m"
is 'nine cells have none' test "$(cut -f 4 "$tmp/m/map.tsv" | grep -cxe -)" = 9
is 'a name is as it was' grep -q '	one, "of" <Zählung> & co	' "$tmp/m/map.tsv"
if command -v gnuplot >/dev/null; then
	is 'and safe in the picture' grep -q '3 one, &quot;of&quot; &lt;Zählung' "$tmp/m/map.svg"
else
	skip 'the picture' 'the package gnuplot-nox is not installed'
fi
t 'map: one label only' 0 '' map "$tmp/one.h5ad" --genes 200 --pcs 10 --out "$tmp/m1"
is 'has no silhouette' bash -c '! grep -q silhouette "$1"' _ "$tmp/m1/map.json"
t 'zero-shot: the same labels' 0 '135 cells of 3 types' zero-shot --counts "$tmp/odd.h5ad" "${few[@]}" --out "$tmp/z"
t 'zero-shot: one label only' 3 'all its cells have one label' zero-shot --counts "$tmp/one.h5ad" "${few[@]}" --out "$tmp/z1"
t 'compare: the same labels' 0 '9 without a label' annotate compare --counts "$tmp/odd.h5ad" "${few[@]}" --trees 0 --out "$tmp/c"
t 'compare: one label only' 3 'no sample has labelled cells' annotate compare --counts "$tmp/one.h5ad" "${few[@]}" --trees 0 --out "$tmp/c1"
end
