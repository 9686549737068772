#!/bin/bash
# quantify and quantify-index: reads made from known counts, and back; what they refuse.
. "$SRC/tests/tool.sh"
cd "$tmp" || exit 1
for c in 10xv2 10xv3 dropseq; do
	mkdir $c
	python3 "$SRC/tests/make-reads.py" $c $c
done
# Lines "barcode gene count" of a Cell Ranger folder, sorted as truth.tsv.
cat >counts.py <<'END'
import gzip, sys
rows = {n: gzip.open(f"{sys.argv[1]}/{n}.gz", "rt").read().splitlines() for n in ("barcodes.tsv", "features.tsv", "matrix.mtx")}
for line in sorted((rows["barcodes.tsv"][int(c) - 1], rows["features.tsv"][int(g) - 1].split("\t")[0], n)
                   for g, c, n in map(str.split, rows["matrix.mtx"][3:])):
    print("\t".join(line))
END
back() { python3 counts.py "$1" | cmp - "$2"; }

# --- what is refused before STAR is asked ---
G=10xv3/genome.fa T=10xv3/genes.gtf
t 'no genome'                         2 'genome is missing' quantify-index --genes $T --out i
t 'no genes'                          2 'genes is missing' quantify-index --genome $G --out i
t 'a genome that is not there'        3 "'none.fa'" quantify-index --genome none.fa --genes $T --out i
printf 'ACGT\n' >bad.fa
t 'a genome that is no FASTA'         3 "line 1: no FASTA" quantify-index --genome bad.fa --genes $T --out i
printf '>a\n>b\nACGT\n' >bad.fa
t 'an empty sequence'                 3 "line 2: the sequence before it is empty" quantify-index --genome bad.fa --genes $T --out i
printf '>a\nAC>GT\n' >bad.fa
t 'what is no base'                   3 "line 2: '>' is no base" quantify-index --genome bad.fa --genes $T --out i
printf '> a\nACGT\n' >bad.fa
t 'a sequence without a name'         3 'line 1: a sequence without a name' quantify-index --genome bad.fa --genes $T --out i
printf '>a x\nACGT\n>a y\nACGT\n' >bad.fa
t 'two of one name'                   3 "line 3: two sequences are called 'a'" quantify-index --genome bad.fa --genes $T --out i
printf '>a\nACGT\n>b\n' >bad.fa
t 'an empty last sequence'            3 'ends with an empty sequence' quantify-index --genome bad.fa --genes $T --out i
: >bad.fa
t 'an empty file'                     3 'holds no sequence|empty' quantify-index --genome bad.fa --genes $T --out i
sed 's/^chr/x/' $T >bad.gtf
t 'genes of another genome'           3 'no exon on a sequence of the genome, only on others' quantify-index --genome $G --genes bad.gtf --out i
grep -v '	exon	' $T >bad.gtf
t 'genes without exons'               3 'no exon on a sequence' quantify-index --genome $G --genes bad.gtf --out i
sed '5s/gene_id/gene_di/' $T >bad.gtf
t 'an exon without a gene'            3 'line 5: an exon without a gene_id' quantify-index --genome $G --genes bad.gtf --out i
sed '7s/	/ /' $T >bad.gtf
t 'a row with too few columns'        3 'line 7 has 8 columns' quantify-index --genome $G --genes bad.gtf --out i
is 'nothing is left of them'          test -z "$(ls i 2>/dev/null)"
mkdir none
t 'without STAR'                      77 "'STAR' is not installed" env PATH="$tmp/none" "$BIN/quantify-index" --genome $G --genes $T --out i
is 'nothing is left either'           test -z "$(ls i 2>/dev/null)"

mkdir fake; : >fake/genomeParameters.txt
W=10xv3/whitelist.txt A=10xv3/R1_L1.fastq.gz C=10xv3/R2_L1.fastq.gz
q() { quantify "$@" --index fake --chemistry 10xv3 --whitelist "${list:-$W}" --out c; }
t 'no chemistry'                      2 'chemistry is missing' quantify $A $C --index fake --out c
t 'no list of barcodes'               2 'whitelist is missing' quantify $A $C --index fake --chemistry 10xv2 --out c
t 'one file of reads'                 2 'reads come in pairs' q $A
t 'no reads'                          2 'files of reads or --run' q
t 'reads and a run'                   2 'one of both' q $A $C --run SRR000001
t 'a run that is none'                2 "'-x' is no run" q --run=-x
t 'no index'                          3 "no index of quantify-index in 'none'" quantify $A $C --index none --chemistry 10xv3 --whitelist $W --out c
t 'reads that are not there'          3 "'none.fq'" q none.fq $C
t 'the files the other way round'     3 "R1_L1.fastq.gz': reads of 30 bases are too short to count; the barcodes' file comes first" q $C $A
zcat $A | awk 'NR % 2 == 0 && NR % 4 != 3 { $0 = substr($0, 1, 20) } 1' >short.fq
t 'reads too short for a barcode'     3 "reads of 20 bases cannot hold barcode \(16\) and UMI \(12\) of 10xv3" q short.fq short.fq
zcat $C >plain.fq
t 'one compressed, one not'           3 'is compressed, the other is not' q $A plain.fq
t 'mates of other lengths'            3 "has [0-9]+ reads, but '.*' has [0-9]+" q $A 10xv3/R2_L2.fastq.gz $A $C
zcat $C | head -n 17 >cut.fq; zcat $A >b.fq
t 'reads that end within one'         3 "'cut.fq' ends within a read" q b.fq cut.fq
head -c 20000 $C >cut.fastq.gz
t 'a compressed file that is cut'     3 'cut.fastq.gz' q $A cut.fastq.gz
zcat $C | sed '12s/.$//' >bad.fq
t 'a quality that is too short'       3 "'bad.fq': line 12: .*quality" q b.fq bad.fq
zcat $C | sed '9s/^@/>/' >bad.fq
t 'a name without @'                  3 "line 9: .*name" q b.fq bad.fq
: >bad.fq
t 'no reads in a file'                3 "'bad.fq' has no reads" q bad.fq bad.fq
{ cat $W; echo ACGT; } >bad.txt
list=bad.txt t 'a barcode of another length' 3 "line 73: 'ACGT' is no barcode of 16 bases" q $A $C
: >bad.txt
list=bad.txt t 'an empty list of barcodes' 3 'has no barcodes' q $A $C
is 'no work folder is left'           test -z "$(ls c 2>/dev/null)"

# --- there and back ---
PATH=$PATH:/usr/sbin
if ! command -v STAR >/dev/null; then
	skip 'reads of known counts, and back' 'package rna-star is not installed'
	end
fi
mkdir "a, b"
for c in 10xv2 10xv3 dropseq; do
	t "an index ($c)"                 0 '60 exons' quantify-index --genome $c/genome.fa --genes $c/genes.gtf --out $c/index --threads 1
	white=(--whitelist "$c/whitelist.txt")
	[ $c != dropseq ] || white=()
	t "reads of known counts ($c)"    0 '24 cells x 30 genes' quantify $c/R1_L1.fastq.gz $c/R2_L1.fastq.gz \
		$c/R1_L2.fastq.gz $c/R2_L2.fastq.gz --index $c/index --chemistry $c "${white[@]}" --cells all --out $c/counts --report $c/report.json
	is 'become these counts'          back $c/counts $c/truth.tsv
done
cp 10xv3/R?_L?.fastq.gz "a, b"
full() { # options...
	quantify "a, b/R1_L1.fastq.gz" "a, b/R2_L1.fastq.gz" "a, b/R1_L2.fastq.gz" "a, b/R2_L2.fastq.gz" --index 10xv3/index --chemistry 10xv3 --whitelist $W "$@"
}
t 'any path, two threads'             0 '' full --cells all --threads 2 --out two --report two.json
for f in matrix.mtx barcodes.tsv features.tsv; do
	is "the same $f"                  cmp two/$f.gz 10xv3/counts/$f.gz
done
is 'and report'                       cmp two.json 10xv3/report.json
for how in knee emptydrops; do
	t "cells by $how"                 0 '24 cells' full --cells $how --out $how
	is 'are all of these'             back $how 10xv3/truth.tsv
done
t 'introns count too, if asked'       0 '' full --cells all --feature gene-full --out introns
is 'and change nothing in these reads' back introns 10xv3/truth.tsv
gzip -dc $A >p1.fq; gzip -dc $C >p2.fq; gzip -n <$W >w.gz
t 'plain reads, a compressed list'    0 '' quantify p1.fq p2.fq --index 10xv3/index --chemistry 10xv3 --whitelist w.gz --cells all --out plain
t 'the same compressed'               0 '' quantify $A $C --index 10xv3/index --chemistry 10xv3 --whitelist $W --cells all --out zipped
is 'are the same counts'              cmp plain/matrix.mtx.gz zipped/matrix.mtx.gz
t 'import reads the folder'           0 '24 cells x 30 genes' import two --species human --out cells.h5ad
mkdir -p old/star.part; echo old >old/star.part/index
t 'what an interrupted run left'      0 '' full --cells all --out old
is 'is in nobody'"'"'s way'           test "$(ls old | tr '\n' ' ')" = 'barcodes.tsv.gz features.tsv.gz matrix.mtx.gz '
rm 10xv3/index/SA
t 'a damaged index'                   1 "'STAR' ended with status|'STAR' was ended" full --cells all --out broken
is 'leaves no work folder'            test -z "$(ls broken 2>/dev/null)"
end
