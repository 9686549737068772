# plan: what the full corpus (126 million cells) and its training would cost: bytes, disk, core-hours,
# GPU-hours. The formulas stand in reference/plan.tsv and are shown with what they give.
#
#   $R/plan/rates.tsv  rates of this machine, each with its source: from the logs of a corpus that was
#                      made here, SHA-256 as it goes now, and what GPUs are expected to do
#   $R/plan/plan.tsv   rates and results
# What came from elsewhere (logs, plan_rates) stands in rates.tsv in full. Rates are measured, so two plans differ where the machine was busy; nothing else depends on them.
plan_from ?= $(patsubst %/tokenize/MANIFEST.tsv,%,$(firstword $(wildcard \
	$(addsuffix /tokenize/MANIFEST.tsv,results/small results/demo))))
# More tables of rates; later ones win. A GPU that was measured goes here.
plan_rates ?=

# No GPU was measured: what docs/gpu-plan.txt (make gpu-plan) says of model Base with full cells.
$R/plan/gpu.tsv: docs/gpu-plan.txt FORCE
	@mkdir -p $(@D); awk -v OFS='\t' 'BEGIN { print "name", "value", "unit", "source" } \
	 /^(built|target): / && !seen[$$1]++ { match($$0, /[0-9.]+ cells\/s/); split(substr($$0, RSTART), v, " "); \
		sub(":", "", $$1); print "gpu_" $$1 "_cells_per_s", v[1], "cells/s", \
		"one H100, 2048 genes a cell: modelled in docs/gpu-plan.txt, not measured" }' $< >$@

$R/plan/MANIFEST.tsv: $B/bin/plan reference/plan.tsv docs/gpu-plan.txt $R/plan/gpu.tsv $(plan_rates) \
		FORCE | $(closer)
	@[ -n '$(plan_from)' ] || { echo 'plan: no corpus to take rates from: `./run corpus PROFILE=small`' \
		'makes one' >&2; exit 3; }
	@rm -f $@
	$Q$(tool)plan --from $(plan_from) --rates $R/plan/gpu.tsv $(plan_rates) --formulas reference/plan.tsv \
		--out $R/plan/plan.tsv --rates-out $R/plan/rates.tsv
	$Q$(closer) $(@D) --quiet --stage plan --input reference/plan.tsv --input docs/gpu-plan.txt \
		--base $R .

##@ Results
plan: $R/plan/MANIFEST.tsv ## what the full corpus and its training would cost, with the formulas
.PHONY: plan
