# From `ptxas -v` of several files to a table: one line per kernel and architecture.
#   awk -f workflows/registers.awk FILE.ptxas...
BEGIN {
	OFS = "\t"
	print "file", "kernel", "arch", "registers", "stack_bytes", "spill_store_bytes", \
		"spill_load_bytes", "shared_bytes"
	sort = "LC_ALL=C sort"
}
FNR == 1 {
	file = FILENAME
	sub(/^.*\/(kernels|tensor)\//, "", file)
	sub(/ptxas$/, "cu", file)
}
# A mangled name is long and holds hashes of the file: c++filt, then what stands before the arguments.
function plain(mangled,   command, name) {
	command = "c++filt '" mangled "'"
	command | getline name
	close(command)
	sub(/^void /, "", name)
	gsub(/\(anonymous namespace\)::|_INTERNAL_[0-9a-zA-Z_]*::/, "", name)
	gsub(/\((int|bool|act)\)/, "", name)
	if (!sub(/>\(.*$/, ">", name)) # arguments may be of templates too
		sub(/\(.*$/, "", name)
	return name
}
/Compiling entry function/ {
	match($0, /'[^']*'/)
	kernel = plain(substr($0, RSTART + 1, RLENGTH - 2))
	arch = $0
	sub(/.* for '/, "", arch)
	sub(/'.*/, "", arch)
}
/bytes stack frame/ { stack = $1; store = $5; load = $9 }
/Used [0-9]+ registers/ {
	match($0, /Used [0-9]+/)
	registers = substr($0, RSTART + 5, RLENGTH - 5)
	shared = 0
	if (match($0, /[0-9]+ bytes smem/))
		shared = substr($0, RSTART, RLENGTH - 11)
	print file, kernel, arch, registers, stack, store, load, shared | sort
}
