# The lines of lib/ and kernels/ that ran, from what `gcov -t` prints of every object file; a line that
# several objects hold (a header's, or a kernel that is compiled for two processors) ran where one of
# them ran it. Prints a line per source, least covered first is the caller's sort, and the sum last.
BEGIN { FS = ":" }
$2 ~ /^ *0$/ { if ($3 == "Source") source = $4; next }
source !~ /^(lib|kernels)\// { next }
$1 ~ /^ *-$/ { next }
{
    key = source ":" $2
    if (!(key in seen)) { seen[key] = 1; n[source]++ }
    if ($1 !~ /#####|=====/ && !(key in hit)) { hit[key] = 1; ran[source]++ }
}
END {
    for (s in n) {
        printf "%5.1f %% of %4d lines  %s\n", 100 * ran[s] / n[s], n[s], s
        all += n[s]; all_ran += ran[s]
    }
    printf "%5.1f %% of %4d lines  lib/ and kernels/\n", all ? 100 * all_ran / all : 0, all
}
