# The stage `fetch`: what it writes, and when it runs again.
. "$SRC/tests/tool.sh"
R=$tmp/results/x
mkdir -p "$R" "$tmp/mirror/folder"
cd "$tmp" || exit 1
printf 'one\n' >mirror/required.csv
printf 'two\n' >mirror/folder/matrix.mtx
printf 'three\n' >mirror/folder/labels.tsv
row() { # path need
	printf '%s\t%s\t%s\t%s\tCC0\t-\t-\n' "$1" "$(stat -c %s "mirror/$1")" \
		"$(sha256sum <"mirror/$1" | cut -c1-64)" "$2"
}
{
	printf 'path\tbytes\tsha256\tneed\tlicence\tsources\tnote\n'
	row required.csv required; row folder/matrix.mtx optional; row folder/labels.tsv optional
} >"$R/inputs-list.tsv"
{
	printf 'sample\tpath\tspecies\tlabels\tlabel_column\tprofiles\tnote\n'
	printf 'a\trequired.csv\thuman\t-\t-\tdemo\t-\n'
	printf 'b\tfolder\tmouse\tfolder/labels.tsv\ttype\tdemo,small\t-\n'
	printf 'c\trequired.csv\thuman\t-\t-\tsmall\tof another profile\n'
	printf 'd\tnowhere\thuman\t-\t-\tdemo\tnot among the inputs\n'
} >"$R/samples-list.tsv"
# The fragments alone, over tools that are built: building them is another matter.
cat >makefile <<'END'
MAKEFLAGS += --no-builtin-rules --warn-undefined-variables
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
V := 0
Q := @
RUN :=
THREADS := 2
include workflows/stage.mk workflows/fetch.mk
FORCE:
END
stage() {
	make -C "$SRC" -f "$tmp/makefile" --no-print-directory B="$B" R="$R" \
		CACHE="$tmp/cache" PROFILE=demo MIRROR="$tmp/mirror" inputs_manifest="$R/inputs-list.tsv" \
		samples_tsv="$R/samples-list.tsv" "$@" fetch
}
rests() { stage "$@" >out && ! grep -q STAGE out; }
column() { cut -f"$1" "$2" | tr '\n' ' '; }
t 'runs'                                0 '' stage
is 'no variable is undefined'           test -z "$(grep undefined .stderr)"
is 'has the samples of the profile'     test "$(column 1 "$R/fetch/samples.tsv")" = 'sample a b '
is 'and the inputs'                     test "$(column 5 "$R/fetch/inputs.tsv")" = 'status have have have '
is 'the manifest names what was read'   test "$(grep -c '^input.*list.tsv' "$R/fetch/MANIFEST.tsv")" = 2
t 'its check is content'                0 '' manifest --check "$R/fetch" --base "$R" "$SRC"
is 'runs no second time'                rests
rm -r cache
before=$(stat -c %y "$R/fetch/MANIFEST.tsv")
t 'runs again when the cache is gone'   0 '3 new' stage
is 'and nothing behind it does'         test "$before" = "$(stat -c %y "$R/fetch/MANIFEST.tsv")"
is 'then rests'                         rests

rm -r cache; mkdir part; cp mirror/required.csv part/
t 'a mirror that lacks the optional'    0 'left out' stage MIRROR="$tmp/part"
is 'leaves its samples out'             test "$(column 1 "$R/fetch/samples.tsv")" = 'sample a '
is 'and rests with that'                rests MIRROR="$tmp/part"
mkdir part/folder; cp mirror/folder/matrix.mtx part/folder/
t 'more in the mirror: runs again'      0 '1 new' stage MIRROR="$tmp/part"
is 'the sample is there without labels' test "$(grep '^b' "$R/fetch/samples.tsv" | cut -f4,5)" = '-	-'
mkdir "$R/small" "$R/none"
cp "$R"/*-list.tsv "$R/small"; cp "$R"/*-list.tsv "$R/none"
t 'another profile has other samples'   0 '' stage PROFILE=small R="$R/small" \
	inputs_manifest="$R/small/inputs-list.tsv" samples_tsv="$R/small/samples-list.tsv"
is 'of its own'                         test "$(column 1 "$R/small/fetch/samples.tsv")" = 'sample b c '
t 'no inputs, no samples'               0 '' stage PROFILE=test R="$R/none" inputs_manifest= \
	samples_tsv="$R/none/samples-list.tsv"
is 'but two tables'                     test "$(cat "$R/none/fetch/samples.tsv" "$R/none/fetch/inputs.tsv" | wc -l)" = 2
rm -r cache mirror/required.csv "$R/fetch"
t 'without a required input it fails'   2 'required inputs missing' stage
is 'and leaves no manifest'             test ! -e "$R/fetch/MANIFEST.tsv"

# The project's own tables fit each other: every file that a sample needs is an input.
known() { # file...
	awk -F '\t' 'NR == 1 { print "path\tbytes\tsha256\tneed\tstatus" }
		FNR > 1 { print $1 "\t" $2 "\t" $3 "\t" $4 "\thave" }' "$@"
}
whole() { # profile inputs...
	local profile=$1
	shift
	known "$@" >all.tsv
	awk -F '\t' -v profile="$profile" -f "$SRC/workflows/samples.awk" all.tsv "$SRC/manifests/samples.tsv" >got.tsv
	awk -F '\t' -v p="$profile" 'NR == 1 || index("," $6 ",", "," p ",")' "$SRC/manifests/samples.tsv" >want.tsv
	cmp got.tsv want.tsv && [ "$(wc -l <want.tsv)" -gt 1 ]
}
is 'every sample of the demo has inputs'  whole demo "$SRC/manifests/inputs/demo.tsv"
is 'every sample of the small profile too' whole small "$SRC"/manifests/inputs/{demo,small}.tsv
end
