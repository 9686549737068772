#!/bin/bash
# tests/layers.sh finds a forbidden include, and nothing in this tree.
. "$SRC/tests/tool.sh"
layers() { bash "$SRC/tests/layers.sh" "$@" >&2; }

t 'the layers of this tree hold' 0 '' layers "$SRC"

src() { # file, line...
	mkdir -p "$tmp/tree/$(dirname "$1")"
	printf '%s\n' "${@:2}" >"$tmp/tree/$1"
}
src lib/base/err.c '#include "lib/base/err.h"' '#include <stdio.h>'
src lib/io/a.c '#include "lib/data/csr.h"' '#include "lib/base/err.h"'
src bin-src/tool.c '#include "lib/io/h5ad.h"' '#include "lib/cell/qc.h"' '#include "lib/nn/loss.h"'
src kernels/linear_cuda.cu '#include "kernels/linear.h"' '#include "lib/tensor/backend.h"'
src tests/lib/x.c '#include "lib/io/h5ad.h"' '#include "bench/y.h"'
t 'a tree that keeps them passes' 0 '' layers "$tmp/tree"

bad() { # sentence pattern file line
	src "$3" '/* one */' "$4"
	t "$1" 4 "$2" layers "$tmp/tree"
	rm "$tmp/tree/$3"
}
bad 'the pure layer may not read files' \
	"^lib/cell/qc.c:2: lib/cell may not include 'lib/io/h5ad.h'$" lib/cell/qc.c '#include "lib/io/h5ad.h"'
bad 'a blank behind the # hides nothing' "lib/nn may not include" lib/nn/m.h '  # include "lib/cell/qc.h"'
bad 'the base includes nothing above it' "lib/base may not include" lib/base/z.h '#include "lib/data/csr.h"'
bad 'kernels know nothing of models' "kernels may not include" kernels/a.cu '#include "lib/nn/model.h"'
bad 'data and tensor stand side by side' "lib/data may not" lib/data/t.c '#include "lib/tensor/tensor.h"'
bad 'what joins files and models stands above both' "lib/nn may not include 'lib/app" lib/nn/a.c \
	'#include "lib/app/model_file.h"'
bad 'no tool includes a test' "bin-src may not include 'tests" bin-src/u.c '#include "tests/tap.h"' 
bad 'a header is named from the root' "'err.h' is not named from the root" lib/base/y.c '#include "err.h"'
bad 'a folder outside of the layers is told' "there is no layer 'lib/new'" lib/new/a.c 'int a;'
end
