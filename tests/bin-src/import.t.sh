# import: status, messages, files, and the same bytes from the same input.
. "$(dirname "$0")/../tool.sh"
golden=$SRC/reference/golden/formats

t 'no input' 2 'wants INPUT' import --out "$tmp/x.h5ad"
t 'no --out' 2 'out is missing' import "$golden/good/10x_v3.h5"
t 'an unknown species' 2 'human\|mouse\|auto' import "$golden/good/10x_v3.h5" --species rat --out "$tmp/x.h5ad"
t 'an input that is not there' 3 'nothere' import "$tmp/nothere" --out "$tmp/x.h5ad"
t 'a Cell Ranger 3 file' 0 '50 cells x 200 genes, 29091 counts' \
	import "$golden/good/10x_v3.h5" --out "$tmp/a.h5ad" --report "$tmp/a.json"
is 'the report holds the numbers' grep -qE '"total": 29091' "$tmp/a.json"
is 'and the species, told by the genes' grep -q '"species": "human"' "$tmp/a.json"
is 'and the checksum of the input' grep -q "$(sha256sum <"$golden/good/10x_v3.h5" | cut -c1-64)" "$tmp/a.json"
t 'the same file again' 0 '' import "$golden/good/10x_v3.h5" --out "$tmp/b.h5ad" --threads 1
is 'the same input gives the same bytes' cmp "$tmp/a.h5ad" "$tmp/b.h5ad"
t 'what import wrote, import reads' 0 'its cell ids and samples are kept' import "$tmp/a.h5ad" --out "$tmp/c.h5ad"
is 'which changes nothing' cmp "$tmp/a.h5ad" "$tmp/c.h5ad"
t 'antibodies are said' 0 '12 features dropped' import "$golden/good/10x_v3_antibody.h5" --out "$tmp/x.h5ad"
t 'a mixture is said' 0 'mixture of human and mouse' import "$golden/good/mtx_two_species" --out "$tmp/x.h5ad"
t 'merged genes are a warning' 0 '2 genes merged' import "$golden/bad/duplicate_genes.h5ad" --quiet --out "$tmp/x.h5ad"
rm -f "$tmp/x.h5ad"
t 'a layer that is not there' 3 "no layer 'raw_counts'" \
	import "$golden/good/h5ad_csc_gzip.h5ad" --layer raw_counts --out "$tmp/x.h5ad"
t 'a cut file' 3 'truncated file' import "$golden/bad/cut_50.h5" --out "$tmp/x.h5ad"
t 'a damaged gzip trailer' 3 'incorrect data check' import "$golden/bad/mtx_gzip_crc" --out "$tmp/x.h5ad"
printf 'gene,A,B\nTP53,0.31,1.52\nACTB,2.2,0.7\n' >"$tmp/log.csv"
t 'logarithms' 3 'look log-normalised' import "$tmp/log.csv" --out "$tmp/x.h5ad"
is 'a refusal writes nothing' test ! -e "$tmp/x.h5ad" -a ! -e "$tmp/x.h5ad.part"
printf 'gene,A,B\nTP53,1,2\nACTB,3,4\n' >"$tmp/g.csv"
printf 'barcode,celltype\nB,T cell\n' >"$tmp/l.csv"
t 'labels' 0 "1 cells labelled from 'celltype', 1 without" \
	import "$tmp/g.csv" --labels "$tmp/l.csv" --sample one --out "$tmp/l.h5ad"
t 'labels without their column' 3 "no column 'kind'" \
	import "$tmp/g.csv" --labels "$tmp/l.csv" --label-column kind --out "$tmp/x.h5ad"
t 'an output that cannot be written' 1 'cannot' import "$tmp/g.csv" --out "$tmp/g.csv/x.h5ad"
t 'a report on a full disk' 1 '/dev/full' import "$tmp/g.csv" --out "$tmp/x.h5ad" --report /dev/full
full() { (trap '' XFSZ; ulimit -f 4; exec "$@"); }
t 'a full disk' 1 "cannot write '.*y.h5ad'" full import "$golden/good/10x_v3.h5" --out "$tmp/y.h5ad"
is 'leaves nothing' test ! -e "$tmp/y.h5ad" -a ! -e "$tmp/y.h5ad.part"

# The table's test can fail: a wrong number, a wrong verdict, a changed file.
mkdir -p "$tmp/zoo/good"
cp "$golden/good/10x_v3.h5" "$tmp/zoo/good/"
one() { grep -E "^file|^good/10x_v3.h5" "$golden/expected.tsv" | sed "$1" >"$tmp/zoo/expected.tsv"; }
one ''
t 'zoo passes on a right table' 0 '' zoo "$tmp/zoo"
one 's/29091/29092/'
t 'zoo fails on a wrong sum' 4 '' zoo "$tmp/zoo"
one 's/	read	/	refuse	/'
t 'zoo fails on a wrong verdict' 4 '' zoo "$tmp/zoo"
one 's/	read	/	repair	/'
t 'zoo fails where nothing was mended' 4 '' zoo "$tmp/zoo"
one ''
printf x >>"$tmp/zoo/good/10x_v3.h5"
t 'zoo fails on a changed file' 4 '' zoo "$tmp/zoo"
t 'zoo wants a table' 3 'expected.tsv' zoo "$tmp"

python=${PYTHON:-$SRC/.venv/bin/python3}
if "$python" -c 'import anndata' 2>/dev/null; then
	is 'anndata opens what import wrote' "$python" -W ignore -c "
import anndata
a = anndata.read_h5ad('$tmp/a.h5ad')
assert a.shape == (50, 200) and a.X.sum() == 29091
assert list(a.obs.columns)[:3] == ['cell_id', 'sample', 'species'], a.obs
b = anndata.read_h5ad('$tmp/l.h5ad')
assert b.obs['label'].isna().tolist() == [True, False] and b.obs['label'].iloc[1] == 'T cell'
"
else
	skip 'anndata opens what import wrote' 'no anndata in .venv (make venv)'
fi
end
