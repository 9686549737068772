# fig2 and fig6: Figures 2, S2, S3, S4a, 6a-c and S10a of the paper, on cells that can be had (fig2.sh).
#
#   fig2   2a     cosines of homologs, of other genes, within a cell (stage homology), a figure a type
#          S2     how well they tell homologs from others: the model, knowledge taken away, trained without, random
#                 weights, words alone
#          2b     targets of each regulator against housekeeping genes when it is deleted, real cells, also in
#                 units of matched deletions, beside correlation; 2c the same against all other genes
#          2d     targets that two regulators share, both deleted less one beside another
#          fig2-direct, -indirect   the simulator, where the wires are known: mean over seeds
#          S4a    precision of the ranked list beside both random baselines
#   fig6   6b     genes raised to their median and to the highest, towards a state, beside matched random genes
#          S10a   genes lowered step by step
#          6c     every gene raised: the best towards two states
# Each figure has its data as a table beside it; where cells could not be had there is no figure.
ifneq ($(PROFILE),full)
fig_reads := $B/bin/figure workflows/fig2.sh paper/common.gp paper/marks.gp
params/fig2 := --profile $(PROFILE)
# `perturb_parts` is known only once perturb.mk is read.
.SECONDEXPANSION:
$R/fig2/MANIFEST.tsv: $(fig_reads) $R/fig2/params reference/figure2.tsv paper/bars.gp paper/density.gp \
		$R/homology/MANIFEST.tsv $$(perturb_parts) | $(closer)
	$(open_stage)
	$Q$(RUN) bash workflows/fig2.sh fig2 $B/bin $R $(@D) $(PROFILE) "$(homology_pairs) pairs of cells of at most \
	$(homology_max_cells) of each species and type" $(perturb_sim_seeds)
	$(close_stage)

params/fig6 := --profile $(PROFILE)
$R/fig6/MANIFEST.tsv: $(fig_reads) $R/fig6/params reference/figure6.tsv $R/perturb-state/MANIFEST.tsv \
		$R/perturb-down/MANIFEST.tsv $R/perturb-screen/MANIFEST.tsv | $(closer)
	$(open_stage)
	$Q$(RUN) bash workflows/fig2.sh fig6 $B/bin $R $(@D) $(PROFILE) "$(strip $(perturb_states))" "$(strip $(perturb_downs))"
	$(close_stage)
fig2 fig6: %: $R/%/MANIFEST.tsv
	@find $(<D) -name '*.svg' | LC_ALL=C sort
else
fig2 fig6: ; @awk -F '\t' -v f=$@ 'NR == 1 || $$1 == f { printf "  %-6s %-28s %-72s %s  %s\n", $$1, $$2, $$3, $$4, \
		$$5 } END { print "  nothing was fetched or computed: PROFILE=small makes the figure from what is at hand" }' \
		manifests/figures.tsv
endif

.PHONY: fig2 fig6
