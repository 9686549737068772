#!/bin/bash
# peca: a sample made from a known network gives that network back; formula by hand; refusals.
. "$SRC/tests/tool.sh"
# 20 regulators T1.., 300 genes X1..; regulator t drives gene g when (g + 7 t) mod 25 is 0. Each driven gene
# has an open element with the regulator's motif; every gene an element without, some of them open too.
made() {
	mkdir -p "$1"
	awk -v d="$1" 'BEGIN { srand(5); OFS = "\t"
		print "gene", "value", "median" >(d "/expression.tsv"); print "element", "value", "median" >(d "/elements.tsv")
		print "tf", "element", "strength" >(d "/binding.tsv"); print "element", "gene", "distance", "correlation" >(d "/links.tsv")
		print "tf", "gene", "correlation" >(d "/correlation.tsv"); print "tf", "gene" >(d "/background.tsv")
		for (t = 1; t <= 20; t++) print "T" t, 5 + 10 * rand(), 6 >(d "/expression.tsv")
		for (g = 1; g <= 300; g++) {
			n = 0
			print "e" g, 1 + rand(), 1 >(d "/elements.tsv"); print "e" g, "X" g, int(1e5 * rand()), 0.3 >(d "/links.tsv")
			for (t = 1; t <= 20; t++) {
				if (rand() < 0.1) print "T" t, "e" g, 0.2 * rand() >(d "/binding.tsv")
				if ((g + 7 * t) % 25 == 0) {
					n++; el = "e" g "_" t
					print el, 8 + 4 * rand(), 1 >(d "/elements.tsv"); print el, "X" g, int(5e4 * rand()), 0.7 >(d "/links.tsv")
					print "T" t, el, 1 + rand() >(d "/binding.tsv"); print "T" t, "X" g, 0.5 >(d "/correlation.tsv")
					print "T" t "\tX" g >(d "/truth")
				} else if (rand() < 0.5) print "T" t, "X" g >(d "/background.tsv")
			}
			print "X" g, 2 + 3 * n + rand(), 3 >(d "/expression.tsv")
		}
		print "T1", "X999" >(d "/background.tsv")
	}'
}
made "$tmp/s"
t 'a sample'                            0 '' peca --in "$tmp/s" --out "$tmp/net.txt" --report "$tmp/net.json" --quiet
is 'is written as PECA2 writes it'      bash -c "[ \"\$(head -1 '$tmp/net.txt')\" = \"\$(printf 'TF\tTG\tScore\tFDR\tREs')\" ]"
awk -F'\t' 'NR == FNR { truth[$0] = 1; n++; next } FNR > 1 && FNR <= n + 1 && ($1 "\t" $2) in truth { hit++ } END { print hit / n }' \
	"$tmp/s/truth" "$tmp/net.txt" >"$tmp/hit"
is 'its best pairs are the known network' awk '{ exit !($1 > 0.95) }' "$tmp/hit"
is 'scores fall'                        bash -c "tail -n +2 '$tmp/net.txt' | cut -f3 | sort -grc"
is 'a row of no gene is counted'        grep -q '"rows_left": 1,' "$tmp/net.json"
mkdir "$tmp/one"
printf 'gene\tvalue\tmedian\nT\t4\t4\nX\t9\t9\n' >"$tmp/one/expression.tsv"
printf 'element\tvalue\tmedian\ne\t3\t1\n' >"$tmp/one/elements.tsv"
printf 'tf\telement\tstrength\nT\te\t2\n' >"$tmp/one/binding.tsv"
printf 'element\tgene\tdistance\tcorrelation\ne\tX\t500000\t0.5\n' >"$tmp/one/links.tsv"
printf 'tf\tgene\tcorrelation\nT\tX\t-1\n' >"$tmp/one/correlation.tsv"
printf 'tf\tgene\nT\tT\n' >"$tmp/one/background.tsv"
t 'one pair'                            0 '' peca --in "$tmp/one" --out "$tmp/one.txt" --quiet
# G_T = 4^1.5 / 4.5, G_X = 9^1.5 / 9.5, 2^1, B O I = 2 (2 * 2 / 1.5) 0.5 / e
is 'is the formula by hand'             awk -F'\t' 'NR == 2 { w = 8 / 4.5 * 27 / 9.5 * 2 * 2 * (4 / 1.5) * 0.5 / exp(1); d = $3 / w - 1 }
	END { exit !(NR == 2 && d < 1e-7 && d > -1e-7) }' "$tmp/one.txt"
printf 'element\tgene\tdistance\tcorrelation\ne\tX\t500000\t0.1\n' >"$tmp/one/links.tsv"
t 'a link that hardly correlates'       0 '' peca --in "$tmp/one" --out "$tmp/one.txt" --quiet
is 'carries nothing'                    bash -c "[ \$(wc -l <'$tmp/one.txt') = 1 ]"
printf 'tf\tgene\nT\tnobody\n' >"$tmp/one/background.tsv"
t 'no background'                       3 'no background pair' peca --in "$tmp/one" --out "$tmp/x"
printf 'gene\tvalue\tmedian\nT\t-4\t4\n' >"$tmp/one/expression.tsv"
t 'a negative expression'               3 'an expression that cannot be' peca --in "$tmp/one" --out "$tmp/x"
printf 'gene\tvalue\tmedian\nT\tmuch\t4\n' >"$tmp/one/expression.tsv"
t 'a word for a number'                 3 "'much' of 'value' is no number" peca --in "$tmp/one" --out "$tmp/x"
printf 'gene\tvalue\tmedian\nT\t1\t4\nT\t1\t4\n' >"$tmp/one/expression.tsv"
t 'a gene twice'                        3 "'T' is there twice" peca --in "$tmp/one" --out "$tmp/x"
t 'no folder'                           2 '--in is missing' peca --out "$tmp/x"
is 'none of them left a file'           test ! -e "$tmp/x"
end
