#!/bin/bash
# The simulator's folder: same bytes, sums that hold, layouts that others read.
. "$SRC/tests/tool.sh"
small=(--cells 80 --genes 400 --tfs 24 --types 3 --seed 5 --quiet)

t 'a folder from few options'        0 ''              simulate --out "$tmp/a" "${small[@]}" --threads 1 --report "$tmp/a.json"
t 'the same with three threads'      0 ''              simulate --out "$tmp/b" "${small[@]}" --threads 3
t 'another seed'                     0 ''              simulate --out "$tmp/c" "${small[@]}" --seed 6
is 'same options, same bytes'        diff -r "$tmp/a" "$tmp/b"
is 'another seed, other counts'      bash -c "! cmp -s $tmp/a/mirror/sc_mouse/sim_m1/matrix.mtx $tmp/c/mirror/sc_mouse/sim_m1/matrix.mtx"
t 'a run over an older folder'       0 ''              simulate --out "$tmp/c" "${small[@]}"
is 'gives the same again'            diff -r "$tmp/a" "$tmp/c"

sums() { (cd "$tmp/a/mirror" && tail -n +2 ../inputs.tsv | awk -F'\t' '{ print $3 "  " $1 }' | sha256sum -c --quiet); }
is 'inputs.tsv has the sums of all'  sums
listed() { diff <(tail -n +2 "$tmp/a/inputs.tsv" | cut -f1) <(cd "$tmp/a/mirror" && find . -type f | sed 's,^./,,' | LC_ALL=C sort); }
is 'and lists every file'            listed
samples() { tail -n +2 "$tmp/a/samples.tsv" | while IFS=$'\t' read -r _ path _ labels _; do [ -e "$tmp/a/mirror/$path" ] && [ -f "$tmp/a/mirror/$labels" ] || exit 1; done; }
is 'samples.tsv names what is there' samples
stamp() { find "$tmp/a" -name '*.gz' | while read -r f; do [ "$(od -An -tx1 -j3 -N5 "$f" | tr -d ' ')" = 0000000000 ] || exit 1; done; }
is 'no time and no name in any gzip' stamp

genes=$(awk -F'\t' '$3 == "mouse"' "$tmp/a/truth/genes.tsv" | wc -l)
is 'the MTX header has genes x cells' bash -c "sed -n 3p $tmp/a/mirror/sc_mouse/sim_m1/matrix.mtx | grep -q '^$genes '"
is 'csv names are mangled as by R'   bash -c "zcat $tmp/a/mirror/sc_mouse/sim_m2/counts.csv.gz | cut -d, -f1 | grep -q '^\"mt\.Sim1\"'"
is 'an older name is in the csv'     bash -c "zcat $tmp/a/mirror/sc_mouse/sim_m2/counts.csv.gz | cut -d, -f1 | grep -q '^\"Oldsim'"
is 'and the two shared names'        bash -c "[ \$(zcat $tmp/a/mirror/sc_mouse/sim_m2/counts.csv.gz | cut -d, -f1 | grep -c '\.1\"') = 2 ]"
is 'the report counts the cells'     grep -q '"n_cells": 80' "$tmp/a.json"
imported() { # every layout is read, and no count is lost on the way
	local sum=0 sample path species labels
	while IFS=$'\t' read -r sample path species labels _; do
		import "$tmp/a/mirror/$path" --species "$species" --labels "$tmp/a/mirror/$labels" --sample "$sample" \
			--out "$tmp/$sample.h5ad" --report "$tmp/$sample.json" --quiet || return 1
		sum=$((sum + $(sed -n 's/.*"total": \([0-9]*\).*/\1/p' "$tmp/$sample.json" | head -n 1)))
	done < <(tail -n +2 "$tmp/a/samples.tsv")
	grep -q "\"total\": $sum," "$tmp/a.json"
}
is 'import reads all four samples'   imported
held=$(awk -F'\t' '$8 == 1 && $10 == 1 { print $3 "\t" $5 "\t" }' "$tmp/a/truth/network.tsv" | sort -u)
is 'held-out edges stand in no list' bash -c "! grep -rhF '$held' $tmp/a/mirror/prior_knowledge/grn/trrust_rawdata.*"
is 'some edges are held out'         test -n "$held"

# The site of a gene in the genome, and the motif of its regulator: two genes of one TF share a word of 8 upstream
motif() { # SPECIES: the share of a TF's targets whose 100 bases upstream hold the word that most of them hold
	zcat "$tmp/a/mirror/genome/$1.fa.gz" | awk -v sp="$1" -F'\t' '
		FILENAME == "-" || FILENAME == "" { if (/^>/) c = substr($0, 2); else seq[c] = seq[c] $0; next }
		FILENAME ~ /sites/ { if ($1 !~ /^#/) { site[$7] = $1; at[$7] = $6 == "-" ? $3 - 1 : $2; rev[$7] = $6 == "-" }; next }
		$1 == sp && $8 == 1 && $4 in site { n[$2]++; g = $4
		  up = rev[g] ? substr(seq[site[g]], at[g] + 2, 100) : substr(seq[site[g]], at[g] - 99, 100)
		  if (rev[g]) { r = ""; for (i = 100; i; i--) r = r substr("TGCA", index("ACGT", substr(up, i, 1)), 1); up = r }
		  split("", had); for (i = 1; i <= 93; i++) { w = substr(up, i, 8); if (!(w in had)) { had[w]; hit[$2, w]++; if (hit[$2, w] > best[$2]) best[$2] = hit[$2, w] } } }
		END { for (t in n) { all += n[t]; sum += best[t] }; print sum / all }' - "$tmp/a/mirror/genome/$1.sites.tsv" "$tmp/a/truth/network.tsv"
}
for s in human mouse; do
	is "$s targets share their TF s word" bash -c "awk 'BEGIN { exit !($(motif $s) > 0.75) }'"
done
is 'promoters without names'         bash -c "[ \$(awk '{ print length }' $tmp/a/mirror/prior_knowledge/promoter/hs_pos_TATA.txt | sort -u) = 250 ]"

# PECA2 finds much of the known network in a paired sample: of as many best pairs as there are true ones
found() { # SAMPLE SPECIES
	peca --in "$tmp/a/mirror/paired/$1" --out "$tmp/$1.net" --quiet &&
		awk -F'\t' -v s="$2" 'NR == FNR { if ($1 == s && $8 == 1) { true[$2 "\t" $4] = 1; n++ } next } FNR > 1 && FNR <= n + 1 && ($1 "\t" $2) in true { hit++ }
			END { print hit / n }' "$tmp/a/truth/network.tsv" "$tmp/$1.net"
}
for s in human mouse; do
	is "peca finds the network of $s" bash -c "awk 'BEGIN { exit !($(found ${s}_0 $s) > 0.4) }'"
done

if [ -n "${SHARED:-}" ] && [ -d "$SHARED/data/prior_knowledge/grn" ]; then
	header() { for f in gene_reference/sclucid_biotypes/mouse_ensembl_latest.csv.gz gene_reference/annotables/grch38.tsv.gz gene_reference/biomart/mart_export_human.txt gene_reference/homologs/biomart_mouse_to_human.csv prior_knowledge/grn/trrust_rawdata.human.tsv prior_knowledge/grn/collectri_human.csv prior_knowledge/grn/dorothea_mm_ABCD.tsv; do cmp <(zcat -f "$SHARED/data/$f" | head -1 | tr -d '\r') <(zcat -f "$tmp/a/mirror/$f" | head -1) || return 1; done; }
	is 'headers are those of the public tables' header
else
	skip 'headers are those of the public tables' 'no shared data'
fi

t 'no --out'                         2 'out is missing'   simulate
t 'one type'                         2 'types is 2'       simulate --out "$tmp/x" --types 1
t 'more TFs than genes allow'        2 'tfs is 4 a type'  simulate --out "$tmp/x" --genes 300 --tfs 200
t 'a share of nine tenths'           2 'bad is 0 to 0.5'  simulate --out "$tmp/x" --bad 0.9
is 'and nothing was written'         test ! -e "$tmp/x"
t 'an --out that is a file'          1 'simulate'         simulate --out "$tmp/a.json" "${small[@]}"
t 'a full disk'                      1 'cannot write'     simulate --out "$tmp/d" "${small[@]}" --report /dev/full
end
