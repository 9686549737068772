#!/bin/bash
# The way of a new user: the commands of README's "Your own cells" as they stand there, on simulated cells.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
is 'a model is trained' types_model
mkdir -p "$tmp/home/build" "$tmp/home/results/demo/pretrain"
ln -s "$BIN" "$tmp/home/build/bin"
ln -s "$tmp/run/step-10" "$tmp/home/results/demo/pretrain/step-200"
cp "$tmp/sim_h1.h5ad" "$tmp/home/reference.h5ad"
# As it comes: no labels, none of our columns.
import "$tmp/sim/mirror/sc_human/sim_h2/filtered_feature_bc_matrix.h5" --sample lung --out "$tmp/home/lung.h5ad" --quiet
cd "$tmp/home" || exit 1

sed -n '/^## Your own cells/,/^## Tools/p' "$SRC/README.md" | awk '/^```/ { inside = !inside; next } inside' >"$tmp/commands"
is 'there are commands to follow' test "$(wc -l <"$tmp/commands")" -ge 6
draws=yes
command -v gnuplot >/dev/null || draws=no
while IFS= read -r command; do
	t "${command%%#*}" 0 '' bash -c "$command"
	case $command in
	*annotate\ predict*) is 'names most cells, or says that it is not sure' grep -qE 'cells: [0-9]+ named, [0-9]+ not sure' "$tmp/.stderr"
		is 'and where the names are' grep -q "'named/cells.h5ad' and 'named/predictions.tsv' have the result" "$tmp/.stderr" ;;
	*map\ named*)
		cp -r lung.map "$tmp/named.map"
		is 'says where the map is' grep -qE "'lung.map/map.(svg|tsv)' has the result" "$tmp/.stderr"
		is 'the map has the names that predict gave' diff <(cut -f 4 "$tmp/named.map/map.tsv" | tail -n +2) \
			<(awk -F'\t' 'NR > 1 { print $10 == "yes" ? $5 : "not sure" }' named/predictions.tsv) ;;
	esac
done <"$tmp/commands"
is 'the last map has the same names' cmp <(cut -f 4 lung.map2/map.tsv) <(cut -f 4 "$tmp/named.map/map.tsv")
is 'the report says what was in the file' grep -q '"n_cells"' lung.json
if [ $draws = yes ]; then
	is 'a picture of names' grep -q 'coloured by label' "$tmp/named.map/map.svg"
	is 'and one of communities' grep -q 'coloured by community' lung.map/map.svg
else
	skip 'the pictures' 'the package gnuplot-nox is not installed'
fi

# Other kinds of files: a folder of matrices, a table of one's own, names of the source on the map.
t 'a Cell Ranger folder' 0 '' annotate predict "$tmp/sim/mirror/sc_human/sim_h1" --model types --out folder --quiet
t 'cells of the reference' 0 '' annotate predict reference.h5ad --model types --out self --report self.json
is 'lie among themselves and are not warned of' bash -c '! grep -q "standard deviations" "$1"' _ "$tmp/.stderr"
is 'with a mean of almost nothing' awk -F': ' '/"shift_sd"/ { found = $2 + 0 < 0.5 } END { exit !found }' self.json
is 'their names are those of the folder' diff <(cut -f 5,6 folder/predictions.tsv) <(cut -f 5,6 self/predictions.tsv)
t 'and a map' 0 '' map self/cells.h5ad --out self.map
is 'has predicted names even where the source had labels' diff <(cut -f 4 self.map/map.tsv | tail -n +2) \
	<(awk -F'\t' 'NR > 1 { print $10 == "yes" ? $5 : "not sure" }' self/predictions.tsv)
t 'which are there for who asks' 0 '' map self/cells.h5ad --label-column label --out source.map
is 'as they were' diff <(cut -f 4 source.map/map.tsv | tail -n +2 | sort | uniq -c) \
	<(awk -F'\t' 'NR > 1 { print $2 }' "$tmp/sim/mirror/sc_human/sim_h1/labels.tsv" | sort | uniq -c)
t 'cells of another species' 0 'standard deviations from those' annotate predict "$tmp/sim_m1.h5ad" --model types \
	--out other --report other.json
is 'the report has how far' awk -F': ' '/"shift_sd"/ { found = $2 + 0 > 1.5 } END { exit !found }' other.json
zcat -f "$tmp"/sim/mirror/sc_human/sim_h1/features.tsv* | cut -f 2 >"$tmp/genes"
awk 'NR == FNR { gene[NR] = $1; n = NR; next } END { line = ""
	for (c = 1; c <= 20; c++) line = line ",cell" c
	print line
	for (i = 1; i <= n; i++) { line = gene[i]; for (c = 1; c <= 20; c++) line = line "," (i * 7 + c * 3) % 5; print line } }' \
	"$tmp/genes" /dev/null >own.csv
t 'a table of twenty cells' 0 '' annotate predict own.csv --species human --model types --out table --quiet
t 'and its map' 0 '' map table/cells.h5ad --out table.map
is 'which nobody can judge' bash -c '! grep -q trustworthiness table.map/map.json && [ "$(wc -l <table.map/map.tsv)" = 21 ]'
head -n 40 own.csv | cut -d, -f 1-4 >few.csv
t 'too few cells for a map' 3 'too few for a map with 15 neighbours \(--neighbours\)' bash -c \
	'embed few.csv --species human --model types --least-overlap 0 --out few.h5ad --quiet && map few.h5ad --out few.map'
cd / || exit 1
end
