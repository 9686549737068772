#!/bin/bash
# knowledge-embed: each kind from files, the same bytes for any threads and order, refusals.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
corpus_files || exit 1
vocab --tables "$tmp/tables" --out "$tmp/vocab.tsv" --quiet || exit 1
for s in h m; do
	homolog-map "$tmp/$s.h5ad" --tables "$tmp/tables" --out "$tmp/$s.mapped.h5ad" --quiet || exit 1
done
awk 'BEGIN { OFS = "\t"; print "tf", "confidence", "target", "mor"
	for (i = 1; i <= 40; i++) for (j = 1; j <= 5; j++) print "G" i, (j > 3 ? "D" : "A"), "G" (i * j % 90 + 41), 1
	print "OLD7", "A", "G8", 1; print "G1", "A", "nobody", 1 }' >"$tmp/human.tsv"
awk 'BEGIN { print "TF\tgene_symbol\tinteraction\tposition"
	for (i = 1; i <= 60; i++) print "g" i "\tg" (i * 7 % 60 + 61) "\tUnknown\t1" }' >"$tmp/mouse.tsv"
printf 'G1 G70\nG7 G8\nG90 G91\n' >"$tmp/more.txt"
{ # families of six: G1..G6, G7..G12, ...; G250 has no homolog of its own
	printf '{"response":{"docs":['
	for i in $(seq 1 120); do
		printf '%s{"symbol":"G%d","gene_family_id":[%d]}' "$([ "$i" = 1 ] || echo ,)" "$i" $(((i - 1) / 6))
	done
	printf ']}}'
} | gzip -n >"$tmp/hgnc.json.gz"

grn=(grn --tables "$tmp/tables" --vocab "$tmp/vocab.tsv" --dim 260 --passes 3 --quiet)
t 'a network of each species'           0 '' knowledge-embed "${grn[@]}" --pairs "$tmp/human.tsv" "$tmp/more.txt" "$tmp/mouse.tsv" \
	--out "$tmp/a.st" --report "$tmp/a.json" --text "$tmp/a.txt" --pairs-out "$tmp/a.pairs" --threads 1
t 'the same in another order'           0 '' knowledge-embed "${grn[@]}" --pairs "$tmp/mouse.tsv" "$tmp/more.txt" --pairs "$tmp/human.tsv" \
	--out "$tmp/b.st" --threads 2
is 'any order and threads, same bytes'  cmp "$tmp/a.st" "$tmp/b.st"
t 'another seed'                        0 '' knowledge-embed "${grn[@]}" --pairs "$tmp/human.tsv" --out "$tmp/c.st" --seed 2
is 'gives other bytes'                  bash -c "[ -s '$tmp/c.st' ] && ! cmp -s '$tmp/a.st' '$tmp/c.st'"
is 'the report tells the species'       bash -c "grep -q '\"species\": \"human\"' '$tmp/a.json' && grep -q '\"species\": \"mouse\"' '$tmp/a.json'"
is 'an older name is a gene'            grep -qxP 'G7\tG8' "$tmp/a.pairs"
is 'a name that nobody has is none'     bash -c "[ -s '$tmp/a.pairs' ] && ! grep -q nobody '$tmp/a.pairs'"
lines=$(wc -l <"$tmp/a.pairs")
is 'the report counts the pair lines'   bash -c "[ $lines = \$(grep -o '\"pairs\": [0-9]*' '$tmp/a.json' | head -2 | awk '{ n += \$2 } END { print n }') ]"
is 'learned vectors are text lines'     bash -c "[ -s '$tmp/a.txt' ] && head -1 '$tmp/a.txt' | awk -F'\t' '{ exit split(\$2, v, \" \") != 260 }'"
is 'a pair in two networks is two lines' bash -c "[ \$(grep -cxP 'G7\tG8' '$tmp/a.pairs') = 2 ]"
t 'only the best confidence'            0 '' knowledge-embed "${grn[@]}" --pairs "$tmp/human.tsv" --levels A --out "$tmp/e.st" --report "$tmp/e.json"
is 'leaves the other rows'              bash -c "[ $(number "$tmp/e.json" left_for_level) = 80 ]"

printf 'TF\tTG\tScore\tFDR\tREs\nG3\tG4\t2.5\t0.01\tchr1_5_9\n' >"$tmp/peca.txt"
t 'a network as PECA2 writes it'        0 '' knowledge-embed "${grn[@]}" --pairs "$tmp/peca.txt" "$tmp/human.tsv" --out "$tmp/p2.st" --report "$tmp/p2.json"
is 'stands beside the paper s count'    bash -c "grep -A3 '\"networks\": 2' '$tmp/p2.json' | grep -q '\"networks_of_peca2\": 1' && grep -q '\"networks_of_peca2_in_the_paper\": 76' '$tmp/p2.json'"
is 'and what stands in for the rest'    grep -q '1 curated lists of regulators' "$tmp/p2.json"

# Rules for what is odd in a network: a self pair is none, a pair given twice or both ways is one, names of the other
# species or of nobody are listed
printf 'TF,target\nG1,G2\nG1,G2\nG2,G1\nG3,G3\nG4,g5\nG6,nobody\nG7,G8\n' >"$tmp/odd.csv"
t 'a network of odd pairs'              0 '' knowledge-embed "${grn[@]}" --pairs "$tmp/odd.csv" --out "$tmp/odd.st" --report "$tmp/odd.json" --pairs-out "$tmp/odd.pairs"
is 'a self pair makes none, a pair twice one' diff "$tmp/odd.pairs" <(printf 'G1\tG2\nG7\tG8\n')
is 'self pairs are counted'             bash -c "[ $(number "$tmp/odd.json" self) = 1 ] && [ $(number "$tmp/odd.json" rows) = 7 ] && [ $(number "$tmp/odd.json" directed) = 6 ]"
is 'names of mouse and of nobody are listed' bash -c "tr -d '\n ' <'$tmp/odd.json' | grep -qF '\"unknown\":[\"g5\",\"nobody\"]'"

family=(family --tables "$tmp/tables" --vocab "$tmp/vocab.tsv" --hgnc "$tmp/hgnc.json.gz" --dim 8 --quiet)
t 'families'                            0 '' knowledge-embed "${family[@]}" --out "$tmp/f.st" --report "$tmp/f.json" --pairs-out "$tmp/f.pairs"
is 'twenty of fifteen pairs, two species' bash -c "[ \$(grep -c ^G '$tmp/f.pairs') = 300 ] && [ \$(grep -c ^g '$tmp/f.pairs') = 300 ]"

is 'counts stand beside the paper s'     bash -c "grep -q '\"families_in_the_paper\": 1645' '$tmp/f.json' && [ $(number "$tmp/f.json" families_of_two_or_more) = 20 ] &&
	grep -q '0 of the 120 genes in this file are protein-coding' '$tmp/f.json'"

# Families of one known gene, of none, of a gene that nobody knows
printf '{"response":{"docs":[{"symbol":"G1","gene_family_id":[1,2]},{"symbol":"G2","gene_family_id":[1]},{"symbol":"nobody","gene_family_id":[3]},{"symbol":"G3"}]}}' >"$tmp/odd.hgnc"
t 'families of one gene and of none'    0 '' knowledge-embed family --tables "$tmp/tables" --vocab "$tmp/vocab.tsv" --hgnc "$tmp/odd.hgnc" --dim 8 --quiet \
	--out "$tmp/fe.st" --report "$tmp/fe.json" --pairs-out "$tmp/fe.pairs"
is 'make no pair'                       diff "$tmp/fe.pairs" <(printf 'G1\tG2\ng1\tg2\n')
is 'and are counted'                    bash -c "[ $(number "$tmp/fe.json" families_in_file) = 3 ] && [ $(number "$tmp/fe.json" families) = 2 ] && [ $(number "$tmp/fe.json" families_of_two_or_more) = 1 ]"
is 'a member of nobody is listed'       bash -c "tr -d '\n ' <'$tmp/fe.json' | grep -qF '\"unknown\":[\"nobody\"]'"
printf '{"response":{"docs":[{"symbol":"G1","gene_family_id":[1]},{"symbol":"G2","gene_family_id":[]}]}}' >"$tmp/alone.hgnc"
t 'only empty families'                 3 'no pair of two genes' knowledge-embed family --tables "$tmp/tables" --vocab "$tmp/vocab.tsv" --hgnc "$tmp/alone.hgnc" --dim 8 --out "$tmp/x.st"

co=(coexpression --vocab "$tmp/vocab.tsv" --dim 8 --least-cells 3 --passes 2 --quiet)
t 'co-expression of two samples'        0 '' knowledge-embed "${co[@]}" "$tmp/h.mapped.h5ad" "$tmp/m.mapped.h5ad" --out "$tmp/g.st" \
	--report "$tmp/g.json" --pairs-out "$tmp/g.pairs" --threads 1
t 'again with two threads'              0 '' knowledge-embed "${co[@]}" "$tmp/m.mapped.h5ad" "$tmp/h.mapped.h5ad" --out "$tmp/h.st" --threads 2
is 'is the same'                        cmp "$tmp/g.st" "$tmp/h.st"
is 'the report has the null'            bash -c "[ \$(grep -c null_above '$tmp/g.json') = 2 ]"
is 'mouse cells make mouse pairs'       bash -c "grep -q ^g '$tmp/g.pairs' && grep -q ^G '$tmp/g.pairs' && ! grep -qP '^g.*\tG|^G.*\tg' '$tmp/g.pairs'"
is 'genes that go together are a pair'  grep -qxP 'G5\tG20' "$tmp/g.pairs"
is 'pairs of genes without a token are counted, their genes listed' bash -c "[ $(number "$tmp/g.json" pairs_of_unknown_genes) -gt 0 ] && grep -q 'ENSG00000000290' '$tmp/g.json'"
t 'a correlation that nothing passes'   3 'no pair of two genes' knowledge-embed "${co[@]}" "$tmp/h.mapped.h5ad" --above 1 --out "$tmp/i.st"
t 'five cells of nine are drawn'        0 '' knowledge-embed "${co[@]}" "$tmp/h.mapped.h5ad" --cells 5 --out "$tmp/i.st" --report "$tmp/i.json"
is 'the report says so'                 bash -c "[ $(number "$tmp/i.json" cells_drawn) = 5 ]"
t 'logs of cells of one depth'          0 '' knowledge-embed "${co[@]}" "$tmp/h.mapped.h5ad" --scale log2cp10k --above 0.5 --out "$tmp/j.st"

# A genome: chromosome 1 with human genes G1..G40 a hundred bases apart, odd ones on the reverse strand; one end of N
awk 'BEGIN { srand(3); print ">chr1 made"; for (l = 0; l < 90; l++) { s = ""
	for (i = 0; i < 50; i++) s = s (l >= 84 ? "N" : substr("ACGTacgt", int(rand() * 8) + 1, 1)); print s } }' >"$tmp/genome.fa"
awk 'BEGIN { OFS = "\t"; print "#chr", "start", "end", "name", "score", "strand"
	for (i = 1; i <= 42; i++) print "1", i * 100, i * 100 + 60, "G" i, 0, (i % 2 ? "-" : "+")
	print "1", 200, 300, "G1", 0, "+"; print "1", 200, 300, "nobody", 0, "+"; print "chrX", 5, 9, "G50", 0, "+" }' >"$tmp/sites.tsv"
gzip -nc "$tmp/genome.fa" >"$tmp/genome.fa.gz"
pro=(promoter --tables "$tmp/tables" --vocab "$tmp/vocab.tsv" --tss "$tmp/sites.tsv" --upstream 20 --downstream 80 --dim 8 --quiet)
t 'promoters by word shares'            0 '' knowledge-embed "${pro[@]}" --genome "$tmp/genome.fa" --method kmer --word 2 --out "$tmp/k.st" \
	--report "$tmp/k.json" --fasta-out "$tmp/k.fa" --text "$tmp/k.txt" --threads 1
t 'from a gzip genome, two threads'     0 '' knowledge-embed "${pro[@]}" --genome "$tmp/genome.fa.gz" --method kmer --word 2 --out "$tmp/l.st" --threads 2
is 'is the same'                        cmp "$tmp/k.st" "$tmp/l.st"
printf 'chr1\t4500\t11\t50\t51\n' >"$tmp/genome.fa.fai"
t 'by an index'                         0 '' knowledge-embed "${pro[@]}" --genome "$tmp/genome.fa" --method kmer --word 2 --out "$tmp/m.st" --report "$tmp/m.json"
is 'is the same too'                    bash -c "cmp '$tmp/k.st' '$tmp/m.st' && grep -q '\"by_index\": true' '$tmp/m.json'"
is 'every row is accounted for'         bash -c "[ $(number "$tmp/k.json" rows) = 45 ] && [ $(number "$tmp/k.json" repeats) = 1 ] &&
	[ $(number "$tmp/k.json" no_sequence) = 1 ] && [ $(number "$tmp/k.json" mostly_unknown_bases) = 1 ] && [ $(number "$tmp/k.json" promoters) = 41 ]"
is 'a name of nobody is listed'         grep -q '"nobody"' "$tmp/k.json"
is 'a vector for each promoter'         bash -c "[ \$(wc -l <'$tmp/k.txt') = 41 ] && [ \$(grep -c '^>' '$tmp/k.fa') = 41 ]"
is 'the start site is base 21, on both strands' bash -c "seq=\$(grep -v '>' '$tmp/genome.fa' | tr -d '\n' | tr acgt ACGT)
	[ \$(grep -A1 ENSG00000000002 '$tmp/k.fa' | tail -1 | cut -c21-30) = \${seq:200:10} ] &&
	[ \$(grep -A1 ENSG00000000001 '$tmp/k.fa' | tail -1 | cut -c21-30) = \$(printf %s \${seq:150:10} | rev | tr ACGT TGCA) ]"
t 'a DNABERT of its own'                0 '' dnabert-train "$tmp/k.fa" --out "$tmp/dna" --epochs 2 --width 16 --ffn 16 --lr 1e-3 --quiet --report "$tmp/dna.json"
is 'is labelled small'                  grep -q '"genecompass_label": "small"' "$tmp/dna/config.json"
t 'goes on from there'                  0 '' dnabert-train "$tmp/k.fa" --from "$tmp/dna" --out "$tmp/dna2" --epochs 1 --quiet
is 'to other weights'                   bash -c "[ -s '$tmp/dna2/model.safetensors' ] && ! cmp -s '$tmp/dna/model.safetensors' '$tmp/dna2/model.safetensors'"
t 'promoters by it'                     0 '' knowledge-embed "${pro[@]}" --genome "$tmp/genome.fa" --model "$tmp/dna" --out "$tmp/n.st" --report "$tmp/n.json" --threads 1
t 'and with two threads'                0 '' knowledge-embed "${pro[@]}" --genome "$tmp/genome.fa" --model "$tmp/dna" --out "$tmp/o.st" --threads 2
is 'are the same bytes'                 cmp "$tmp/n.st" "$tmp/o.st"
is 'the file says so'                   bash -c "head -c 400 '$tmp/n.st' | grep -q '\"method\":\"dnabert\"' && head -c 400 '$tmp/n.st' | grep -q '\"model\":\"small\"'"
# Promoters by name, without a genome: two human genes (one in EPDnew's form, one by id), one of them twice, a name of
# nobody, one too short; mouse promoters without any name
{ printf '>G1_1\n'; sed -n 2p "$tmp/k.fa"; printf '>ENSG00000000002\n'; sed -n 4p "$tmp/k.fa"; printf '>G1\nACGTACGTAC\n>nobody\n'
	sed -n 6p "$tmp/k.fa"; printf '>G9\nACG\n>G8\nNNNNNNNNNACGTACG\n'; } >"$tmp/named.fa"
grep -v '>' "$tmp/k.fa" >"$tmp/bare.txt"
seq=(promoter --tables "$tmp/tables" --vocab "$tmp/vocab.tsv" --dim 8 --quiet --model "$tmp/dna")
t 'promoters by name'                   0 '' knowledge-embed "${seq[@]}" --sequences "human=$tmp/named.fa" "mouse=$tmp/bare.txt" \
	--out "$tmp/p.st" --report "$tmp/p.json" --text "$tmp/p.txt" --fasta-out "$tmp/p.fa" --threads 1
is 'are rows of the genes named'        diff <(cut -f1 "$tmp/p.txt") <(printf 'G1\nG2\n')
is 'every sequence is accounted for'    bash -c "[ $(number "$tmp/p.json" n) = 6 ] && [ $(number "$tmp/p.json" repeats) = 1 ] &&
	[ $(number "$tmp/p.json" short_or_mostly_unknown_bases) = 2 ] && [ $(number "$tmp/p.json" promoters) = 2 ] && grep -q '\"nobody\"' '$tmp/p.json'"
is 'the windows written are theirs'     bash -c "[ \$(grep -c '>' '$tmp/p.fa') = 2 ] && [ \$(sed -n 2p '$tmp/p.fa') = \$(sed -n 2p '$tmp/k.fa') ]"
is 'bare ones tell the spread of mouse' bash -c "[ $(grep -o '"random_sd": [^,]*' "$tmp/p.json" | tail -1 | sed 's/.*: //') != 0.0 ] && grep -q '\"without_name\": 41' '$tmp/p.json'"
t 'again with two threads'              0 '' knowledge-embed "${seq[@]}" --sequences "human=$tmp/named.fa" "mouse=$tmp/bare.txt" --out "$tmp/q.st" --threads 2
is 'are the same bytes too'             cmp "$tmp/p.st" "$tmp/q.st"
t 'no promoter of any gene'             0 '' knowledge-embed "${seq[@]}" --sequences "human=$tmp/bare.txt" --out "$tmp/r.st" --report "$tmp/r.json"
is 'makes random rows, and says so'     bash -c "[ $(number "$tmp/r.json" genes_learned) = 0 ] && [ $(number "$tmp/r.json" genes_random) -gt 200 ] && [ $(number "$tmp/r.json" random_sd) != 0.0 ]"
t 'sequences of no species'             2 'neither human=FILE nor mouse=FILE' knowledge-embed "${seq[@]}" --sequences "$tmp/bare.txt" --out "$tmp/x.st"
t 'sequences that are none'             3 'is no base' knowledge-embed "${seq[@]}" --sequences "human=$tmp/sites.tsv" --out "$tmp/x.st"
t 'sequences for families'              2 'family does not take --sequences' knowledge-embed "${family[@]}" --sequences human=a --out "$tmp/x.st"
t 'dnalong without an LSTM'             3 'no rnn' knowledge-embed "${pro[@]}" --genome "$tmp/genome.fa" --model "$tmp/dna" --method dnalong --out "$tmp/x.st"
t 'a genome without its sites'          2 'as many of one' knowledge-embed "${pro[@]}" --genome a b --method kmer --out "$tmp/x.st"
t 'words and a model'                   2 'goes with' knowledge-embed "${pro[@]}" --genome a --method kmer --model d --out "$tmp/x.st"
t 'neither'                             2 'goes with' knowledge-embed "${pro[@]}" --genome a --out "$tmp/x.st"
t 'a genome for families'               2 'family does not take --genome' knowledge-embed "${family[@]}" --genome a --out "$tmp/x.st"
t 'a genome that is none'               3 "no '>NAME'" knowledge-embed "${pro[@]}" --genome "$tmp/sites.tsv" --method kmer --out "$tmp/x.st"
printf '>9\nACGT\n' >"$tmp/nine.fa"
t 'a genome of other chromosomes'       3 'no promoter of any gene' knowledge-embed "${pro[@]}" --genome "$tmp/nine.fa" --method kmer --out "$tmp/x.st"
t 'exact and hogwild'                   2 'exclude each other' knowledge-embed "${grn[@]}" --pairs a --exact --hogwild --out "$tmp/x.st"

t 'help'                                0 '' knowledge-embed --help
t 'no kind'                             2 '' knowledge-embed --vocab "$tmp/vocab.tsv" --out "$tmp/x.st"
t 'a kind that is none'                 2 "'astrology' is none of" knowledge-embed astrology --vocab v --out "$tmp/x.st"
t 'no vocabulary'                       2 '--vocab is missing' knowledge-embed grn --pairs a --tables t --out "$tmp/x.st"
t 'no output'                           2 '--out is missing' knowledge-embed "${grn[@]}" --pairs "$tmp/human.tsv"
t 'a network without files'             2 'grn needs --pairs' knowledge-embed "${grn[@]}" --out "$tmp/x.st"
t 'files that a kind does not read'     2 'family does not take files of cells' knowledge-embed "${family[@]}" --out "$tmp/x.st" -- a.h5ad
t 'groups for a network'                2 'grn does not take --hgnc' knowledge-embed "${grn[@]}" --pairs a --hgnc b --out "$tmp/x.st"
t 'levels for families'                 2 'family does not take --levels' knowledge-embed "${family[@]}" --levels A --out "$tmp/x.st"
t 'vectors of nothing'                  2 '--dim is 1 to' knowledge-embed "${grn[@]}" --pairs "$tmp/human.tsv" --dim 0 --out "$tmp/x.st"
t 'a network that is not there'         3 "cannot open '$tmp/none'" knowledge-embed "${grn[@]}" --pairs "$tmp/none" --out "$tmp/x.st"
printf 'A B\nC D E\n' >"$tmp/bad.txt"
t 'a damaged network'                   3 'line 2: 3 fields instead of 2' knowledge-embed "${grn[@]}" --pairs "$tmp/bad.txt" --out "$tmp/x.st"
printf 'A B\n' >"$tmp/odd.txt"
t 'a network of nobody'                 3 '0 of its 2 genes are known in human' knowledge-embed "${grn[@]}" --pairs "$tmp/odd.txt" --out "$tmp/x.st"
t 'cells that are none'                 3 "odd.txt" knowledge-embed "${co[@]}" "$tmp/odd.txt" --out "$tmp/x.st"
t 'groups that are none'                3 "odd.txt': byte" knowledge-embed family --vocab "$tmp/vocab.tsv" --hgnc "$tmp/odd.txt" --out "$tmp/x.st"
t 'a vocabulary that is none'           3 "odd.txt" knowledge-embed "${family[@]}" --vocab "$tmp/odd.txt" --out "$tmp/x.st"
is 'none of them left a file'           bash -c "! ls '$tmp' | grep -q '^x'"
t 'a full disk'                         1 "/dev/full" knowledge-embed "${family[@]}" --out /dev/full
t 'a full disk under the text'          1 "/dev/full" knowledge-embed "${family[@]}" --text /dev/full --out "$tmp/x.st"
is 'leaves no vectors either'           test ! -e "$tmp/x.st"
end
