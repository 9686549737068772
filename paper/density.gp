# How often numbers from -1 to 1 occur, a row of lines a method. names: words, one a row, row 1 on top.
# $lines: x y series, y in px from the top, an empty row between lines. The foot of each row is drawn.
set lmargin at screen px(16)
set rmargin at screen px(width - 14)
set tmargin at screen py(0)
set bmargin at screen py(plot_bottom)
set xrange [-1:1]
set yrange [plot_bottom:0]
unset ytics
set border 1
set xtics nomirror offset 0,0.3 0.5
set grid xtics lw 0.5 lc rgb '#bbbbbb' back
set label 1000 word(x_label, 1) at screen px(12), py(plot_bottom + 36) left
do for [r = 1:n_rows] {
	set label r word(names, r) at screen px(16), py(row_top + (r - 1) * row_height + 8) left
	set arrow r from screen px(16), py(row_top + r * row_height) to screen px(width - 14), py(row_top + r * row_height) \
		nohead lw 0.5 lc rgb '#888888' back
}
do for [i = 1:n_keys] {
	set object i rect from screen px(key_x(i)), py(key_y(i)) to screen px(key_x(i) + 10), py(key_y(i) + 10) \
		fc rgb word(key_colours, i) fs solid 1 noborder front
	set label 3000 + i word(keys, i) at screen px(key_x(i) + 16), py(key_y(i) + 5) left front
}
plot for [i = 1:n_keys] $lines using ($3 == i ? $1 : NaN):2 with lines lw 1.8 lc rgb word(key_colours, i)
