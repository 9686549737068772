# Losses over steps. $train, $held_out: step loss. $baselines: loss, one a row, drawn as dashed
# lines. Each of them has a key; key_top says where the legend starts.
plot_bottom = key_top - 48
set lmargin at screen px(44)
set rmargin at screen px(width - 14)
set tmargin at screen py(10)
set bmargin at screen py(plot_bottom)
set border 3
set tics nomirror
set xtics autofreq offset 0,0.3
set format x '%.0f'
set format y '%g'
set grid ytics lw 0.5 lc rgb '#bbbbbb' back
set xrange [0:x_max]
set yrange [y_min:y_max]
set label 1000 word(x_label, 1) at screen px(0.5 * (44 + width - 14)), py(plot_bottom + 34) center
do for [i = 1:n_keys] {
	set arrow i from screen px(key_x(i)), py(key_y(i) + 5) to screen px(key_x(i) + 20), py(key_y(i) + 5) \
		nohead lw 2.5 lc rgb word(key_colours, i)
	set label i word(keys, i) at screen px(key_x(i) + 26), py(key_y(i) + 5) left
}
do for [i = n_lines + 1:n_keys] {
	set arrow i dt 2
}
plot $train using 1:2 with lines lw 1.6 lc rgb word(key_colours, 1), \
	$held_out using 1:2 with lines lw 2.4 lc rgb word(key_colours, 2), \
	$held_out using 1:2 with dots lc rgb word(key_colours, 2), \
	for [i = 1:n_keys - n_lines] $baselines using (x_max * $1):($2 == i ? $3 : NaN) with lines \
		lw 1.6 dt 2 lc rgb word(key_colours, n_lines + i)
