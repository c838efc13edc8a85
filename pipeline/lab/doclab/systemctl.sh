#!/bin/sh
# systemctl of a machine on which no systemd runs: the real one enables units, and what is
# to be started is started by what it says behind ExecStart=, as root.
set -eu
verb='' now='' units=''
for word; do
	case $word in
	--now) now=yes ;;
	-*) ;;
	*) if [ -z "$verb" ]; then verb=$word; else units="$units $word"; fi ;;
	esac
done

start() {
	case $1 in *.timer) return ;; esac
	file=$(echo "$1" | sed 's/@[^.]*/@/')
	instance=$(echo "$1" | sed -n 's/.*@\([^.]*\).*/\1/p')
	command=$(sed -n 's/^ExecStart=//p' "/usr/lib/systemd/system/$file" | sed "s/%i/$instance/")
	mkdir -p /run/units
	setsid sh -c "exec $command" >>/run/units/log 2>&1 &
	echo $! >"/run/units/$1"
}

case $verb in
enable)
	# shellcheck disable=SC2086 # a list of words
	/usr/bin/systemctl.real enable $units
	[ -z "$now" ] || for unit in $units; do start "$unit"; done
	;;
start) for unit in $units; do start "$unit"; done ;;
stop)
	for unit in $units; do
		for file in /run/units/$unit; do
			[ -e "$file" ] || continue
			kill "$(cat "$file")"
			while kill -0 "$(cat "$file")" 2>/dev/null; do sleep 0.05; done
			rm "$file"
		done
	done
	;;
*) exec /usr/bin/systemctl.real "$@" ;;
esac
