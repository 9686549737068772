# Numbers of named rows as small boxes, a colour a series, with or without an interval.
# names: words, one a row, row 1 on top. $marks: x y series; $intervals: lo hi y series; y in px from the top.
# x_min, x_max; has_line, line: an upright line, at 0 or 0.5. key_top and key_colours: see common.gp.
set lmargin at screen px(left)
set rmargin at screen px(width - 14)
set tmargin at screen py(0)
set bmargin at screen py(plot_bottom)
set xrange [x_min:x_max]
set yrange [plot_bottom:0]
unset ytics
set border 1
set xtics nomirror offset 0,0.3 autofreq
set format x '%.4g'
set grid xtics lw 0.5 lc rgb '#bbbbbb' back
half = 4 * (x_max - x_min) / (width - 14.0 - left)
set label 1000 word(x_label, 1) at screen px(12), py(plot_bottom + 36) left
do for [r = 1:n_rows] {
	set label r word(names, r) at screen px(left - 8), py(row_top + (r - 0.5) * row_height) right
	if (r > 1) {
		set arrow 2000 + r from screen px(12), py(row_top + (r - 1) * row_height) to screen px(width - 14), py(row_top + (r - 1) * row_height) \
			nohead lw 0.5 lc rgb '#bbbbbb' back
	}
}
if (has_line) {
	set arrow 1 from first line, screen py(0) to first line, screen py(plot_bottom) nohead lw 1.2 lc rgb '#000000' back
}
do for [i = 1:n_keys] {
	set object i rect from screen px(key_x(i)), py(key_y(i)) to screen px(key_x(i) + 10), py(key_y(i) + 10) \
		fc rgb word(key_colours, i) fs solid 1 noborder front
	set label 3000 + i word(keys, i) at screen px(key_x(i) + 16), py(key_y(i) + 5) left front
}
plot for [i = 1:n_keys] $intervals using ($4 == i ? $1 : NaN):3:($2 - $1):(0) with vectors nohead lw 1.6 lc rgb word(key_colours, i), \
	for [i = 1:n_keys] $marks using ($3 == i ? $1 : NaN):2:($1 - half):($1 + half):($2 - 3):($2 + 3) with boxxyerror lc rgb word(key_colours, i)
