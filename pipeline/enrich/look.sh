# What listens on this host, for OwnMap: reads /proc and asks ss or netstat, the
# package database and, as root, NAT rules and containers. It changes nothing and
# keeps nothing. POSIX sh; the line before this one sets
#   n  the word that begins every line of ours, drawn at random for this look
#   f  what is asked for besides: hash
# A line "$n begin S", raw text and "$n end S STATUS" are a section.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
umask 077

say() { printf '%s %s\n' "$n" "$*"; }
have() { command -v "$1" >/dev/null; }

# section S COMMAND...: its output between begin and end.
section() {
	what=$1
	shift
	say begin "$what"
	"$@"
	status=$?
	echo
	say end "$what" "$status"
}

# patiently COMMAND...: not longer than five seconds, where that can be said.
patiently() { if have timeout; then timeout 5 "$@"; else "$@"; fi; }

tables() {
	for t in tcp tcp6 udp udp6; do
		[ -r "/proc/net/$t" ] && section "$1$t" cat "/proc/net/$t"
	done
}

# owners prints PID and inode of the listening sockets in /proc/net.
owners() {
	q=
	ls -q / >/dev/null && q=q # a name with a line break in it is one line then
	inodes=$(cat /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6 |
		awk '$4 == "0A" || $4 == "07" && $3 ~ /:0000$/ { printf "%s ", $10 }')
	ls -l$q /proc/[0-9]*/fd | awk -v inodes="$inodes" '
		BEGIN { count = split(inodes, list, " "); for (i = 1; i <= count; i++) wanted[list[i]] = 1 }
		/^\/proc\/[0-9]+\/fd:$/ { split($0, path, "/"); pid = path[3]; next }
		match($0, / -> socket:\[[0-9]+\]$/) {
			inode = substr($0, RSTART + 12, RLENGTH - 13)
			if (inode in wanted && !((pid, inode) in seen)) { seen[pid, inode] = 1; print pid, inode }
		}'
}

# born prints when a process was started: field 22 of stat, counted after its name.
born() {
	stat=$(cat "/proc/$1/stat") || return 1
	stat=${stat##*') '}
	set -- $stat
	echo "${20}"
}

# process PID: what it is. Nothing is said of one that ends meanwhile.
process() {
	start=$(born "$1") || return
	name= uid=
	while read -r key value; do
		case $key in
		Name:) name=$value ;;
		Uid:) set -- "$1" $value && uid=$3 ;;
		esac
	done <"/proc/$1/status"
	exe=$(readlink "/proc/$1/exe"; echo .)
	exe=${exe%.}
	cgroup=$(cat "/proc/$1/cgroup" | tr '\n' ' ')
	hash=
	case $f in *hash*) hash=$(patiently sha256sum <"/proc/$1/exe") && hash=${hash%% *} ;; esac
	[ "$(born "$1")" = "$start" ] || return
	say pid "$1" "$start"
	say name "$name"
	say uid "$uid"
	say exe "${exe%?}"
	say cgroup "$cgroup"
	[ -n "$hash" ] && say hash "$hash"
}

# packages PATH...: which package owns each, as the system's own tool says it.
packages() {
	if have dpkg-query; then
		section dpkg dpkg-query -S "$@"
	elif have rpm && rpm -q rpm >/dev/null; then
		for path; do say owner "$(rpm -qf --qf '%{NAME}' "$path" | head -n 1) $path"; done
	elif have apk; then
		for path; do say apk "$(apk info -W "$path")"; done
	elif have pacman; then
		for path; do say pacman "$(pacman -Qo "$path")"; done
	fi
}

linux() {
	tables ''
	have ss && section ss patiently ss -H -tulne
	have netstat && section netstat patiently netstat -tuln
	tables again-
	[ -r /proc/net/fib_trie ] && section fib_trie cat /proc/net/fib_trie
	[ -r /proc/net/if_inet6 ] && section if_inet6 cat /proc/net/if_inet6
	if have awk; then
		pairs=$(owners)
		[ -n "$pairs" ] && say owners $pairs
		set --
		seen=' ' uids=' '
		while read -r pid inode; do
			case $seen in *" $pid "*) continue ;; esac
			seen="$seen$pid "
			[ -n "$pid" ] || continue
			process "$pid"
			case $uids in *" $uid "*) ;; *) uids="$uids$uid " ;; esac
			path=${exe%?}
			path=${path%' (deleted)'}
			case $path in /*) set -- "$@" "$path" && case $path in /usr/*) set -- "$@" "${path#/usr}" ;; esac ;; esac
		done <<-END
			$pairs
		END
		[ $# -gt 0 ] && packages "$@"
	fi
	[ -r /etc/passwd ] && section passwd cat /etc/passwd
	for uid in $uids; do
		have getent && say user "$(getent passwd "$uid")"
	done
	if [ "$(id -u)" = 0 ]; then
		have nft && section nft patiently nft list ruleset
		if have iptables-save; then
			case $(cat /proc/net/ip_tables_names; iptables-save --version) in
			*nat* | *nf_tables*) section iptables patiently iptables-save -t nat ;; # else asking would load a module
			esac
		fi
		for runtime in docker podman; do
			have $runtime || continue
			section "$runtime" patiently $runtime ps --no-trunc --format '{{.ID}}	{{.Names}}	{{.Image}}	{{.Ports}}'
		done
	fi
}

main() {
	say hello "$(uname -s)" "$(id -u)"
	case $(uname -s) in
	Linux) linux ;;
	FreeBSD | DragonFly) section sockstat sockstat -46l ;;
	Darwin) section lsof lsof -nP -iTCP -sTCP:LISTEN -iUDP -F pcuLtPn ;;
	*) section bsd netstat -an ;;
	esac
	say done
}

main </dev/null 2>/dev/null # the shell itself reads this text from its standard input
exit 0
