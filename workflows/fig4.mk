# fig4: Figure 4 of the paper, part by part. A part is a goal of its own, in a fragment that says
# `fig4_parts += fig4b`; fig4 makes all of them, whatever the order in which the fragments are read.
#
# Processor minutes of profile small, on two cores with AVX-512 from a clean clone, 81 in all, 46 minutes of wall time beside
# other work (nice 10):
#   the model's chain of stages  38   21 minutes of wall time
#   networks-vectors              2   2,073 cells of 512 genes
#   4b networks                   8   five seeds, three truths and two sets of vectors
#   4c dose                       1   five seeds
#   4d profile-drug              13   5 splits x 2 trainings x 3 methods, and two as released; they had one core each, now all
#   4e dosage                    20   most of it are trainings of the whole model
# On AVX2 some 120.
fig4_parts += fig4b`; fig4 makes all of them, whatever the order in which the fragments are read.
#
# Processor minutes of profile small, on AVX-512, measured part by part (the model's chain of stages from nothing: 45):
#   networks-vectors   2   2,073 cells of 512 genes
#   4b networks        6   five seeds of 69 s, three truths and two sets of vectors
#   4c dose            1   five seeds
#   4d profile-drug   10   5 splits x 2 trainings x 3 methods, and one as released: 31 trainings of about 18 s
#   4e dosage         20   by a tenth of its cells; most of it are trainings of the whole model
# With the chain 84, so 42 minutes on two cores that do nothing else.
fig4_parts += fig4b

ifneq ($(PROFILE),full)
# 4b and S7a-c: networks (networks.mk). One figure per known network; fig4b.tsv has the numbers.
fig4b_note = Run: 'make fig4b PROFILE=$(PROFILE)', $(networks_seeds) trainings; mean and 95 % interval (Student's t). Only the \
	regulators that chose no threshold are scored. outdegree knows the answer's degrees and no expression.
params/fig4b := --profile $(PROFILE)
$R/fig4b/MANIFEST.tsv: $B/bin/figure $R/fig4b/params reference/figure4.tsv paper/common.gp paper/bars.gp \
		$R/networks/MANIFEST.tsv | $(closer)
	$(open_stage)
	$Q$(tool)figure $R/networks/metrics.tsv --kind methods --metric auprc_ratio --claims reference/figure4.tsv \
		--templates paper --name fig4b --note "$(fig4b_note)" --out $(@D) $(quiet)
	$(close_stage)
fig4b: $R/fig4b/MANIFEST.tsv
	@ls -d $R/fig4b/*.svg 2>/dev/null || echo '  fig4b: no network could be had'

# Read when all fragments have been: the others add their parts after this one.
.SECONDEXPANSION:
fig4: $$(fig4_parts)
else
fig4 fig4b:
	@awk -F '\t' 'NR == 1 || $$1 == "fig4" { printf "  %-6s %-28s %-72s %s  %s\n", $$1, $$2, $$3, $$4, $$5 }' \
		manifests/figures.tsv
	@echo '  nothing was fetched or computed: PROFILE=small makes the figure from what is at hand'
endif

##@ Results
fig4: ## Figure 4: networks, doses, profiles, dosage; each part by its own name, too (fig4b, ...)
.PHONY: fig4 fig4b
