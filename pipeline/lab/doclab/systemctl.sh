#!/bin/sh
# systemctl of a machine on which no systemd runs: the real one enables units, and what is
# to be started is started by what it says behind ExecStart=, as the user behind User=, with
# its folders and the rights of AmbientCapabilities=, and nothing else of what it says.
set -eu
verb='' now='' units=''
for word; do
	case $word in
	--now) now=yes ;;
	-*) ;;
	*) if [ -z "$verb" ]; then verb=$word; else units="$units $word"; fi ;;
	esac
done

# says is what the unit of the file says behind a key.
says() { sed -n "s/^$1=//p" "/usr/lib/systemd/system/$file"; }

start() {
	case $1 in *.timer) return ;; esac
	file=$(echo "$1" | sed 's/@[^.]*/@/')
	instance=$(echo "$1" | sed -n 's/.*@\([^.]*\).*/\1/p')
	command=$(says ExecStart | sed "s/%i/$instance/")
	user=$(says User)
	state=/var/lib/$(says StateDirectory)
	[ -d "$state" ] || install -d -m 750 -o "$user" -g "$user" "$state"
	capabilities=$(says AmbientCapabilities | sed 's/CAP_\([A-Z_]*\)/+\1/' | tr A-Z a-z)
	mkdir -p /run/units
	# shellcheck disable=SC2086 # one word or none
	setsid env HOME="$(getent passwd "$user" | cut -d: -f6)" USER="$user" STATE_DIRECTORY="$state" \
		setpriv --reuid="$user" --regid="$user" --init-groups ${capabilities:+--inh-caps=$capabilities --ambient-caps=$capabilities} \
		sh -c "exec $command" >>/run/units/log 2>&1 &
	echo $! >"/run/units/$1"
}

stop() {
	for unit in $units; do
		for file in /run/units/$unit; do
			[ -e "$file" ] || continue
			kill "$(cat "$file")" 2>/dev/null || true # it may have ended by itself
			while kill -0 "$(cat "$file")" 2>/dev/null; do sleep 0.05; done
			rm "$file"
		done
	done
}

case $verb in
enable)
	# shellcheck disable=SC2086 # a list of words
	/usr/bin/systemctl.real enable $units
	[ -z "$now" ] || for unit in $units; do start "$unit"; done
	;;
disable)
	# shellcheck disable=SC2086 # a list of words
	/usr/bin/systemctl.real disable $units
	[ -z "$now" ] || stop
	;;
start) for unit in $units; do start "$unit"; done ;;
stop) stop ;;
*) exec /usr/bin/systemctl.real "$@" ;;
esac
