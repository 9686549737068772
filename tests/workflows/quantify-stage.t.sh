#!/bin/bash
# The stages quantify-index and quantify: raw reads of the plan become cells of import, whose counts
# are those that the reads were made from.
. "$SRC/tests/tool.sh"
PATH=$PATH:/usr/sbin
if ! command -v STAR >/dev/null; then
	skip 'counts from raw reads' 'package rna-star is not installed'
	end
fi
R=$tmp/results/x
mkdir -p "$R" "$tmp/mirror/reads" "$tmp/mirror/genomes" "$tmp/made"
cd "$tmp" || exit 1
python3 "$SRC/tests/make-reads.py" made 10xv3
cp made/R?_L?.fastq.gz mirror/reads/
gzip -n <made/genome.fa >mirror/genomes/human.fa.gz
gzip -n <made/genes.gtf >mirror/genomes/human.gtf.gz
gzip -n <made/whitelist.txt >mirror/genomes/barcodes-10xv3.txt.gz
(
	printf 'path\tbytes\tsha256\tneed\tlicence\tsources\tnote\n'
	cd mirror && find . -type f -printf '%P\n' | sort | while read -r f; do
		printf '%s\t%s\t%s\toptional\tCC0\t-\t-\n' "$f" "$(stat -c %s "$f")" "$(sha256sum <"$f" | cut -c1-64)"
	done
) >inputs.tsv
lane() { echo "inputs:reads/R1_$1.fastq.gz inputs:reads/R2_$1.fastq.gz"; }
row() { printf '%s\t-\thuman\t-\tother\t%s\t%s\t-\t-\tCC0\t10xv3\t-\n' "$@"; }
{
	printf 'sample\taccession\tspecies\ttissue\tsource\tkind\twhere\tbytes\tsha256\tlicence\tchemistry\tnote\n'
	row both reads "$(lane L1) $(lane L2)"
	row absent reads "$(lane L9)"
	row again reads "SRR000001"
	row elsewhere reads 'https://h.invalid/1 https://h.invalid/2'
} >plan.tsv
{
	printf 'sample\tpath\tspecies\tlabels\tlabel_column\tprofiles\tnote\n'
	for s in both absent again elsewhere; do printf '%s\treads\thuman\t-\t-\tdemo\t-\n' "$s"; done
} >samples.tsv
cp inputs.tsv samples.tsv plan.tsv "$R"
# The fragments alone, over tools that are built.
cat >makefile <<'END'
MAKEFLAGS += --no-builtin-rules --warn-undefined-variables
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SECONDARY:
V := 0
Q := @
RUN :=
quiet := --quiet
include workflows/stage.mk workflows/fetch.mk workflows/import.mk workflows/quantify.mk
FORCE:
END
stage() {
	make -C "$SRC" -f "$tmp/makefile" --no-print-directory B="$B" R="$R" CACHE="$tmp/cache" \
		PROFILE=demo MIRROR="$tmp/mirror" THREADS=1 inputs_manifest="$R/inputs.tsv" \
		samples_tsv="$R/samples.tsv" corpus_plan="$R/plan.tsv" quantify_cells=all "$@"
}
t 'reads become cells'                  0 '' stage "$R/import/both/MANIFEST.tsv"
is 'no variable is undefined'           test -z "$(grep undefined .stderr)"
truth=$(awk '{ n += $3 } END { print NR, n }' made/truth.tsv)
is 'with the counts they were made from' test "$(grep -oE '"(nnz|total)": [0-9]+' "$R/import/both/report.json" | grep -oE '[0-9]+' | tr '\n' ' ')" = "$truth "
is 'in a Cell Ranger folder'            test "$(ls "$R/quantify/both" | tr '\n' ' ')" = \
	'MANIFEST.tsv barcodes.tsv.gz features.tsv.gz matrix.mtx.gz params report.json time.log '
is 'the index is a stage'               test -s "$R/quantify-index/human/MANIFEST.tsv"
for s in quantify-index/human quantify/both; do
	t "the manifest of $s is content"   0 '' manifest --check "$R/$s" --base "$R" "$SRC"
	is 'and names no folder of this machine' bash -c "! grep -rlF '$tmp' '$R/$s' --exclude=*.log"
done
sha() { (cd "$R" && sha256sum quantify-index/human/MANIFEST.tsv quantify/both/MANIFEST.tsv import/both/MANIFEST.tsv); }
before=$(sha)
rm -r "$R/quantify-index" "$R/quantify" "$R/import"
t 'once more, with two threads'         0 '' stage THREADS=2 "$R/import/both/MANIFEST.tsv"
is 'the same bytes'                     test "$before" = "$(sha)"
t 'and then'                            0 '' stage THREADS=2 "$R/import/both/MANIFEST.tsv"
is 'nothing is to be done'              bash -c "! grep STAGE '$tmp/.stdout'"
t 'reads that could not be had'         0 '' stage "$R/import/absent/MANIFEST.tsv"
is 'are left out'                       grep -q 'absent: left out, its reads could not be had' .stdout
is 'and no cells'                       test ! -e "$R/import/absent/cells.h5ad"
t 'reads at a URL without a sum'        2 'reads at a URL go into manifests/inputs' stage "$R/quantify/elsewhere/MANIFEST.tsv"

# A run of the archive: fasterq-dump, played by a script that knows one run.
mkdir bin
cat >bin/fasterq-dump <<END
#!/bin/bash
[ "\$*" = '--split-files --include-technical --outdir . SRR000001' ] || exit 3
zcat '$tmp'/made/R1_L?.fastq.gz >SRR000001_2.fastq
zcat '$tmp'/made/R2_L?.fastq.gz >SRR000001_3.fastq
awk 'NR % 4 == 1 { print; print "ACGTACGT"; print "+"; print "IIIIIIII" }' SRR000001_2.fastq >SRR000001_1.fastq
END
chmod +x bin/fasterq-dump
PATH=$tmp/bin:$PATH
t 'a run of the archive, not on a node' 0 '' stage RUN=false "$R/quantify/again/MANIFEST.tsv"
for f in matrix.mtx barcodes.tsv features.tsv; do
	is "has the same $f"                cmp "$R/quantify/again/$f.gz" "$R/quantify/both/$f.gz"
done
end
