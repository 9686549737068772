##@ Results
# The main job of whatever the profile is: everything up to the page. Its path is the last line.
demo: $R/report/MANIFEST.tsv ## all stages of the profile, to a page with their results
	@printf '%s\n' '$R/report/index.html'
.PHONY: demo
