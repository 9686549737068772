# import's report beside h5py, scipy and anndata: the same numbers from the same files.
. "$(dirname "$0")/../tool.sh"
formats=$SRC/reference/golden/formats
if [ -n "${SHARED:-}" ] && [ -d "$SHARED/golden/formats" ]; then formats=$SHARED/golden/formats; fi
if "$PYTHON" -c 'import anndata, h5py, scipy' 2>/dev/null; then
	mkdir "$tmp/py"
	"$PYTHON" "$SRC/tests/import-report.py" "$BIN/import" "$formats" "$tmp/py"
	exit $?
fi
skip 'reports equal what Python finds' 'no anndata, h5py or scipy package in .venv (make venv)'
end
