# fig4: Figure 4 of the paper, part by part. A part is a goal of its own, in a fragment that says
# `fig4_parts += fig4b

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
