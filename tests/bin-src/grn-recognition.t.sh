#!/bin/bash
# grn-recognition: targets of regulators among the genes that their deletion shifts.
. "$SRC/tests/tool.sh"

# Genes G1..G30; G1 and G2 were deleted. G1 shifts G3 most, then G4, ...; z is the other way round.
ens() { printf 'ENSG%011d' "$1"; }
{
	printf 'token\tid\tname\tspecies\tbiotype\thomolog\n0\t<pad>\t-\t-\t-\t-1\n1\t<mask>\t-\t-\t-\t-1\n'
	for i in $(seq 1 30); do printf '%d\t%s\tG%d\thuman\tprotein_coding\t-1\n' $((i + 1)) "$(ens "$i")" "$i"; done
} >"$tmp/vocab.tsv"
effects() { # DIR VARIANT
	mkdir -p "$1"
	printf 'perturbation\tgenes\nG1\t%s\nG2\t%s\nG1+G2\t%s+%s\n' "$(ens 1)" "$(ens 2)" "$(ens 1)" "$(ens 2)" >"$1/predictions.tsv"
	printf 'task\tvariant\nperturb\t%s\n' "$2" >"$1/metrics.tsv"
	{
		printf 'perturbation\tgene\tshift\tz\n'
		for i in $(seq 3 12); do printf 'G1\t%s\t%s\t%s\n' "$(ens "$i")" "0.$((90 - i))" "$([ "$i" = 12 ] && echo nan || echo "$i")"; done
		for i in $(seq 3 12); do printf 'G2\t%s\t0.5\t1\n' "$(ens "$i")"; done
		for i in $(seq 3 12); do printf 'G1+G2\t%s\t0.5\t1\n' "$(ens "$i")"; done
	} >"$1/effects.tsv"
}
effects "$tmp/new" clean
effects "$tmp/old" as-released
# G1 regulates G3, G5 and G12 (seen) and G20 (not seen) directly, G4 and G6 indirectly; G2 G3 and G4.
{
	printf 'tf,target,class\n'
	for i in 3 5 12 20; do echo "G1,G$i,direct"; done
	for i in 4 6; do echo "\"G1\",\"$(ens $i)\",indirect"; done
	printf 'G2,G3,direct\nG2,G4,direct\nG2,G99,direct\nG1,G1,direct\n'
} >"$tmp/truth.csv"
printf 'G7\nG8\nG9\nG99\n' >"$tmp/house.txt"
g() { grn-recognition --vocab "$tmp/vocab.tsv" --quiet "$@"; }
all() { g --effects new="$tmp/new" old="$tmp/old" --targets t="$tmp/truth.csv" --against house="$tmp/house.txt" --least-targets 2 --dataset made "$@"; }
t 'a list with classes' 0 '' all --out "$tmp/o"
look() { # METHOD SPLIT REGULATOR COLUMN
	awk -F '\t' -v m="$1" -v s="$2" -v r="$3" -v c="$4" 'NR == 1 { for (i = 1; i <= NF; i++) col[$i] = i; next }
		$2 == m && $4 == s && $6 == r { print $(col[c]) }' "$tmp/o/predictions.tsv"
}
close_to() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && a - b < 1e-6 && b - a < 1e-6) }'; }
a=$(ens 1) b=$(ens 2)
# Ranks 1, 3, 10 of ten; the genes without a link are 5 of the ten: G7..G11, ranks 5..9. Of 15 pairs 10 are right.
is 'AUROC against genes without a link' close_to "$(look new t:direct/others "$a" auroc)" 0.666666667
is 'of the opposite order, without the gene that has no z' close_to "$(look new-z t:direct/others "$a" auroc)" 0
is 'against another class: 3 of 6' close_to "$(look new t:direct/indirect "$a" auroc)" 0.5
is 'against a list of genes: 6 of 9' close_to "$(look new t:direct/house "$a" auroc)" 0.666666667
is 'equal shifts are a half' close_to "$(look new t:direct/others "$b" auroc)" 0.5
is 'four known targets: two of the first four' close_to "$(look new t:direct/others "$a" precision)" 0.5
is 'where chance among those listed has three of ten' close_to "$(look new t:direct/others "$a" random_listed)" 0.3
is 'and the released code four of 23115' close_to "$(look new t:direct/others "$a" random_vocabulary)" 0.000173048
is 'means of both groups' bash -c "[ '$(look new t:direct/others "$a" mean_others)' = 0.81 ]"
is 'five comparisons of one, two of the other' test "$(grep -c "^made	new	" "$tmp/o/predictions.tsv")" = 7
is 'the variant is that of the run' grep -q '^grn-recognition	made	old	as-released	t:direct/others	0	auroc	0.583333333	2$' "$tmp/o/metrics.tsv"
is 'sets are left out' bash -c "! grep -q 'G1+G2' '$tmp/o/predictions.tsv'"
printf 'tf\tconfidence\ttarget\nG1\tA\tG3\nG1\tD\tG4\nG1\tA\tG5\n' >"$tmp/letters.tsv"
metric() { awk -F '\t' -v m="$1" -v s="$2" -v k="$3" '$3 == m && $5 == s && $7 == k { print $8 }' "$tmp/$4/metrics.tsv"; }
# AUROC of two regulators, 2/3 and 1/2: mean 7/12, SD 0.117851, t(1) 12.7062, half-width 1.058851.
is 'an interval over regulators' close_to "$(metric new t:direct/others auroc_low o)" -0.4755171
is 'of two sides' close_to "$(metric new t:direct/others auroc_high o)" 1.6421837
is 'precision beyond chance: 0.2, and that of the other' close_to "$(metric new t:direct/others precision_gain o)" \
	"$(awk -v a=0.5 -v b="$(look new t:direct/others "$b" precision)" -v r="$(look new t:direct/others "$b" random_listed)" \
		'BEGIN { print (a - 0.3 + b - r) / 2 }')"

# A and B share G10..G15; R regulates G10 alone of these, so that beside R only the others count. Both
# deleted shift each by 0.1 + its number / 1000; A or B with R by 0.04 and 0.06.
mkdir "$tmp/pairs"
{
	printf 'perturbation\tgenes\n'
	for p in 1+2 1+3 2+3; do printf 'G%s\t%s+%s\n' "$p" "$(ens "${p%+*}")" "$(ens "${p#*+}")"; done
	printf 'G1\t%s\n' "$(ens 1)"
} >"$tmp/pairs/predictions.tsv"
printf 'task\tvariant\nperturb\tclean\n' >"$tmp/pairs/metrics.tsv"
{
	printf 'perturbation\tgene\tshift\tz\n'
	for i in $(seq 10 29); do printf 'G1\t%s\t%s\t1\n' "$(ens "$i")" "0.0$i"; done
	for i in $(seq 10 15); do printf 'G1+2\t%s\t%s\t1\n' "$(ens "$i")" "0.1$i"; done
	for i in $(seq 10 15); do printf 'G1+3\t%s\t%s\t1\n' "$(ens "$i")" 0.04; done
	for i in $(seq 10 15); do printf 'G2+3\t%s\t%s\t1\n' "$(ens "$i")" 0.06; done
} >"$tmp/pairs/effects.tsv"
{
	echo tf,target
	for i in $(seq 10 15); do printf 'G1,G%s\nG2,G%s\n' "$i" "$i"; done
	printf 'G1,G16\nG3,G10\n'
} >"$tmp/shared.csv"
t 'pairs that were deleted together' 0 '' g --effects new="$tmp/pairs" --pairs new="$tmp/pairs" \
	--targets t="$tmp/shared.csv" --dataset made --out "$tmp/t"
of_pair() { awk -F '\t' -v c="$1" 'NR == 1 { for (i = 1; i <= NF; i++) col[$i] = i; next } { print $(col[c]) }' "$tmp/t/together.tsv"; }
is 'one pair shares genes enough' test "$(of_pair pair)" = G1+G2
is 'of which one is left out: all regulators beside it bind it' test "$(of_pair n_targets)" = 5
is 'both: 0.113 in the mean' close_to "$(of_pair both)" 0.113
is 'one beside another: 0.05' close_to "$(of_pair one)" 0.05
# The numbers 0.061..0.065: SD 0.00158114, t(4) 2.776445, half-width 0.00196324.
is 'the difference has an interval over genes' close_to "$(metric new t:targets both_less_one_low t)" 0.06103676
is 'of two sides, too' close_to "$(metric new t:targets both_less_one_high t)" 0.06496324
is 'without pairs there is no such table' test ! -e "$tmp/l/together.tsv"
sed -i '2s/.*/G1\t'"$(ens 1)"'/; 3,$d' "$tmp/pairs/predictions.tsv"
t 'a folder without pairs' 3 'no two genes were deleted together' g --effects new="$tmp/pairs" --pairs new="$tmp/pairs" \
	--targets t="$tmp/shared.csv" --out "$tmp/x"
printf 'a\tb\tc\nx\ty\tz\n' >"$tmp/ab.tsv"
printf 'tf\ttarget\nx\ty\n' >"$tmp/xy.tsv"
t 'letters of confidence' 0 '' g --effects new="$tmp/new" --targets t="$tmp/letters.tsv" \
	--levels AB --least-targets 2 --out "$tmp/l"
is 'leave out the others' bash -c "[ \$(tail -n +2 '$tmp/l/predictions.tsv' | head -1 | cut -f8) = 2 ]"

# TRRUST as its site gives it, without a heading, says the same as with one.
for i in 3 5 12; do printf 'G1\tG%d\tActivation\t11;22\n' $i; done >"$tmp/bare.tsv"
{ printf 'TF\tgene_symbol\tinteraction\tposition\n'; cat "$tmp/bare.tsv"; } >"$tmp/headed.tsv"
{ printf 'tf_id\ttarget_id\n'; for i in 3 5 12; do printf '%s\t%s\n' "$(ens 1)" "$(ens $i)"; done; } >"$tmp/ids.tsv"
for kind in bare headed ids; do
	t "a list that is $kind" 0 '' g --effects new="$tmp/new" --targets t="$tmp/$kind.tsv" --least-targets 2 --out "$tmp/$kind"
done
is 'with a heading and without' diff -r "$tmp/bare" "$tmp/headed"
is 'or by ids' diff -r "$tmp/bare" "$tmp/ids"
t 'no such column' 3 'no columns of a regulator and its target' g --effects new="$tmp/new" --targets t="$tmp/ab.tsv" --out "$tmp/x"
t 'nothing that the vocabulary has' 3 'names no gene of the vocabulary' g --effects new="$tmp/new" --targets t="$tmp/xy.tsv" --out "$tmp/x"
t 'no targets enough' 3 'has 5 targets among' g --effects new="$tmp/new" --targets t="$tmp/truth.csv" --out "$tmp/x"
t 'a folder that is none of perturb' 3 'predictions.tsv' g --effects new="$tmp" --targets t="$tmp/truth.csv" --out "$tmp/x"
cp -r "$tmp/new" "$tmp/bad"
sed -i '5s/0\.8[0-9]*/much/' "$tmp/bad/effects.tsv"
t 'a shift that is no number' 3 "line 5: 'much' is no shift" g --effects new="$tmp/bad" --targets t="$tmp/truth.csv" --out "$tmp/x"
cp "$tmp/new/effects.tsv" "$tmp/bad/effects.tsv"
sed -n 3p "$tmp/new/effects.tsv" >>"$tmp/bad/effects.tsv"
t 'a regulator in two pieces' 3 "comes in two pieces" g --effects new="$tmp/bad" --targets t="$tmp/truth.csv" --out "$tmp/x"
t 'no effects' 2 'effects is missing' g --targets t="$tmp/truth.csv" --out "$tmp/x"
t 'a list without a name' 2 'wants NAME=PATH' g --effects new="$tmp/new" --targets "$tmp/truth.csv" --out "$tmp/x"
is 'nothing half-written is left' bash -c "! ls '$tmp'/x/* 2>/dev/null"
end
