# Named rows of bars, cut into coloured pieces, with or without an interval.
# names, values: words, one a row, row 1 on top; the name stands above its bar, the value at the
# right end of that line. $bars: row x0 x1 colour. $intervals: row lo hi. x_label: one word.
row_top = 8
row_height = 36
bar_top(r) = row_top + (r - 1) * row_height + 18
plot_bottom = row_top + n_rows * row_height + 6
set lmargin at screen px(12)
set rmargin at screen px(width - 14)
set tmargin at screen py(0)
set bmargin at screen py(plot_bottom)
set xrange [0:x_max]
set yrange [plot_bottom:0]
unset ytics
set border 1
set xtics nomirror offset 0,0.3
set grid xtics lw 0.5 lc rgb '#bbbbbb' back
set label 1000 word(x_label, 1) at screen 0.5, py(plot_bottom + 36) center
do for [r = 1:n_rows] {
	set label r word(names, r) at screen px(12), py(bar_top(r) - 8) left
	set label n_rows + r word(values, r) at screen px(width - 14), py(bar_top(r) - 8) right
}
do for [i = 1:n_keys] {
	set object i rect from screen px(key_x(i)), py(key_y(i)) to screen px(key_x(i) + 10), py(key_y(i) + 10) \
		fc rgb word(key_colours, i) fs solid 1 noborder front
	set label 2 * n_rows + i word(keys, i) at screen px(key_x(i) + 16), py(key_y(i) + 5) left front
}
plot $bars using (0.5 * ($2 + $3)):(bar_top($1) + 6):2:3:(bar_top($1)):(bar_top($1) + 12):4 with boxxyerror lc rgb variable, \
	$intervals using 2:(bar_top($1) + 6):($3 - $2):(0) with vectors nohead lw 2 lc rgb '#000000', \
	$intervals using 2:(bar_top($1) + 2):(0):(8) with vectors nohead lw 2 lc rgb '#000000', \
	$intervals using 3:(bar_top($1) + 2):(0):(8) with vectors nohead lw 2 lc rgb '#000000'
