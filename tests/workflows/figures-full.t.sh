# Profile full of the figures: a list of what they would need, and nothing done.
# shellcheck source=tests/tool.sh
. "$SRC/tests/tool.sh"
unset PROFILE R V CACHE MIRROR THREADS
full() { make -C "$SRC" --no-print-directory -o "$B/bin/plan" B="$B" R="$tmp/r" CACHE="$tmp/c" PROFILE=full "$@"; }
t 'figure 3 at the scale of the paper' 0 '' full fig3 plan_from=
is 'is a list of sets with their addresses' grep -q 'hLung .*acc=GSE136831 .*not known' "$tmp/.stdout"
is 'that says why it has no hours' grep -q 'no corpus to take rates from' "$tmp/.stdout"
t 'figure 1' 0 '' full fig1 plan_from=
is 'needs none of these sets' bash -c "! grep -q hLung '$tmp/.stdout'"
is 'nothing was fetched' test ! -e "$tmp/c"
is 'or computed' test "$(ls "$tmp/r")" = plan
# Other profiles: every goal that draws knows how to make all it names.
plans() { make -C "$SRC" --no-print-directory -n B="$B" R="$tmp/r" CACHE="$tmp/c" PROFILE="$1" MIRROR= "$2"; }
for f in fig1 fig2 fig3 fig4 fig5 fig6; do t "$f in profile small, not run" 0 '' plans small $f; done
end
