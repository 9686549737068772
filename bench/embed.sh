#!/bin/bash
# A program that turns cells into vectors, from its start to its end, as a line of JSON for compare.sh:
#   embed.sh REPORT.json PROGRAM ARG...
# The program writes REPORT.json with n_cells in it. Reading, the model's loading and writing count.
set -euo pipefail
report=$1
shift
TIMEFORMAT='%R %U %S'
exec 3>&2
cost=$({ time "$@" >&3 2>&3; } 2>&1) || exit 1
cells=$(sed -n 's/.*"n_cells": *\([0-9]*\).*/\1/p' "$report")
awk -v c="$cost" -v n="$cells" 'BEGIN { split(c, x, " ")
	printf "{\"bench\": \"embed\", \"cells\": %d, \"seconds\": %.3f, \"cells_per_s\": %.4g, \"cells_per_cpu_s\": %.4g}\n", \
		n, x[1], n / x[1], n / (x[2] + x[3]) }'
