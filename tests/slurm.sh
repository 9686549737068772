# shellcheck shell=bash
# A Slurm of one node that lives as long as a test (sourced, behind tool.sh):
#   slurm_start || cannot "$slurm_why"      then srun works; it is stopped when the test ends
# slurmctld, slurmd and munged run as whoever runs the test, with all their files below $tmp, and
# listen on 127.0.0.1. Tasks are told apart by their parent processes and counted by nothing:
# neither cgroups nor accounting are needed, so that it runs in a container too.
PATH=$PATH:/usr/sbin:/sbin
slurm_pids=()

slurm_lacks() { # the packages that are missing
	local pair
	for pair in slurmctld:slurmctld slurmd:slurmd srun:slurm-client munged:munge; do
		command -v "${pair%:*}" >/dev/null || echo "${pair#*:}"
	done | sort -u | tr '\n' ' '
}

slurm_ports() { # two that are free
	python3 -c 'import socket
a, b = (socket.socket() for _ in "ab")
for s in a, b: s.bind(("127.0.0.1", 0))
print(a.getsockname()[1], b.getsockname()[1])'
}

# $1: 8 processors are claimed whatever the machine has, so that tasks run side by side.
slurm_conf() { # communication-parameters
	local me ctld_port node_port host
	me=$(id -un) host=$(hostname -s)
	read -r ctld_port node_port < <(slurm_ports)
	cat <<-END
		ClusterName=test
		SlurmctldHost=$host(127.0.0.1)
		SlurmUser=$me
		SlurmdUser=$me
		SlurmctldPort=$ctld_port
		SlurmdPort=$node_port
		${1:+CommunicationParameters=$1}
		AuthType=auth/munge
		CredType=cred/munge
		AuthInfo=socket=$slurm/munge/socket
		StateSaveLocation=$slurm/state
		SlurmdSpoolDir=$slurm/spool
		SlurmctldPidFile=$slurm/slurmctld.pid
		SlurmdPidFile=$slurm/slurmd.pid
		ProctrackType=proctrack/linuxproc
		TaskPlugin=task/none
		JobAcctGatherType=jobacct_gather/none
		MpiDefault=none
		SelectType=select/cons_tres
		SelectTypeParameters=CR_CPU
		SlurmdParameters=config_overrides
		ReturnToService=2
		NodeName=node NodeHostname=$host NodeAddr=127.0.0.1 CPUs=8 State=UNKNOWN
		PartitionName=all Nodes=node Default=YES MaxTime=INFINITE State=UP
	END
}

slurm_stop() { # slurmd waits for a step that munged can no longer tell it about: not for long
	local pid i
	for pid in "${slurm_pids[@]}"; do kill "$pid" 2>/dev/null; done
	for ((i = 0; i < 50; i++)); do
		kill -0 "${slurm_pids[@]}" 2>/dev/null || break
		sleep 0.1
	done
	for pid in "${slurm_pids[@]}"; do kill -KILL "$pid" 2>/dev/null; done
	for pid in "${slurm_pids[@]}"; do wait "$pid" 2>/dev/null; done
	slurm_pids=()
}

slurm_daemon() { # name command...: its talk is in $slurm/NAME.log
	local name=$1
	shift
	"$@" >"$slurm/$name.log" 2>&1 </dev/null &
	slurm_pids=($! "${slurm_pids[@]}") # stopped in the other order
}

# Up when a task has run; $slurm_why when none does within half a minute.
slurm_try() { # communication-parameters
	local i
	slurm=$(mktemp -d "$tmp/slurm.XXXX")
	mkdir "$slurm/munge" "$slurm/state" "$slurm/spool"
	chmod 755 "$slurm/munge"
	(umask 077 && head -c 1024 /dev/urandom >"$slurm/munge/key")
	slurm_conf "$1" >"$slurm/slurm.conf"
	export SLURM_CONF=$slurm/slurm.conf
	slurm_daemon munged munged --foreground --force --num-threads=2 --socket="$slurm/munge/socket" \
		--key-file="$slurm/munge/key" --pid-file="$slurm/munge/pid" --seed-file="$slurm/munge/seed"
	for ((i = 0; i < 100; i++)); do
		[ ! -S "$slurm/munge/socket" ] || break
		sleep 0.1
	done
	slurm_daemon slurmctld slurmctld -D
	slurm_daemon slurmd slurmd -D -N node
	for ((i = 0; i < 60; i++)); do
		if sinfo -h -o %T 2>/dev/null | grep -q idle &&
			timeout 20 srun -n1 true >"$slurm/srun.log" 2>&1; then
			return 0
		fi
		kill -0 "${slurm_pids[@]}" 2>/dev/null || break
		sleep 0.5
	done
	# shellcheck disable=SC2034  # for whoever sources this
	slurm_why=$(cat "$slurm"/{munged,slurmctld,slurmd,srun}.log 2>/dev/null |
		grep -iE 'error|fatal|cannot' | tail -n 1)
	slurm_stop
	return 1
}

# Listening on nothing but 127.0.0.1 works where the machine's own name leads there.
slurm_start() {
	trap 'slurm_stop; rm -rf "$tmp"' EXIT
	slurm_try NoInAddrAny,NoCtldInAddrAny || slurm_try ''
}
