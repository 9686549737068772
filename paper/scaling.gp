# Scores against sizes, a panel per depth. $points: x mean lo hi series, an empty row between lines.
# $levels: x0 x1 height number. y_min, y_max: of the axis. dash, key_colours: of the series, then of the levels.
key_columns = 2
step = n_sizes + 0.4
x0 = -0.6
x1 = (n_panels - 1) * step + n_sizes - 0.4
at(x) = 44 + (x - x0) / (x1 - x0) * (width - 14 - 44)
set lmargin at screen px(44)
set rmargin at screen px(width - 14)
set tmargin at screen py(plot_top)
set bmargin at screen py(plot_bottom)
set xrange [x0:x1]
set yrange [y_min:y_max]
set border 2
unset xtics
set ytics nomirror 0.1
set format y '%.1f'
# A mean is a square of 6 px.
half_x = 3 * (x1 - x0) / (width - 14.0 - 44)
half_y = 3 * (y_max - y_min) / (plot_bottom - plot_top)
set grid ytics lw 0.5 lc rgb '#bbbbbb' back
set label 1000 word(heading, 1) at screen px(12), py(10) left
set label 1001 word(heading, 2) at screen px(0.5 * width), py(plot_bottom + 36) center
do for [p = 1:n_panels] {
	set label 1001 + p word(panels, p) at screen px(at((p - 1) * step + 0.5 * (n_sizes - 1))), py(plot_top - 8) center
	set arrow 1000 + p from (p - 1) * step - 0.5, y_min to (p - 1) * step + n_sizes - 0.5, y_min nohead lw 0.8 lc rgb '#888888'
	do for [i = 1:n_sizes] {
		set label 2000 + 20 * p + i word(sizes, i) at screen px(at((p - 1) * step + i - 1)), py(plot_bottom + 14) center
	}
}
# Dashed ones get later numbers: gnuplot's SVG takes a new dash only together with a new colour.
do for [i = 1:n_keys] {
	set arrow i + (dash[i] == 2 ? 100 : 0) from screen px(key_x(i)), py(key_y(i) + 5) to screen px(key_x(i) + 40), py(key_y(i) + 5) \
		nohead lw (i > n_series ? 1.6 : 2.2) dt dash[i] lc rgb word(key_colours, i)
	set label i word(keys, i) at screen px(key_x(i) + 46), py(key_y(i) + 5) left
}
plot for [i = 1:n_keys - n_series] $levels using ($4 == i ? $1 : NaN):3:($2 - $1):(0) with vectors nohead \
		lw 1.6 dt 3 lc rgb word(key_colours, n_series + i), \
	for [i = 1:n_series] $points using ($5 == i ? $1 : NaN):2 with lines lw 2.2 dt dash[i] lc rgb word(key_colours, i), \
	for [i = 1:n_series] $points using ($5 == i ? $1 : NaN):3:(0):($4 - $3) with vectors nohead lw 1.4 lc rgb word(key_colours, i), \
	for [i = 1:n_series] $points using ($5 == i ? $1 : NaN):2:($1 - half_x):($1 + half_x):($2 - half_y):($2 + half_y) with boxxyerror lc rgb word(key_colours, i)
