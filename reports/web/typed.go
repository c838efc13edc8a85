package web

import (
	"strings"

	"ownmap/pipeline/state"
)

// typedPorts reads ports that were typed into a field, apart by spaces or commas; none is
// no error.
func typedPorts(text string) ([]state.Port, error) {
	const most = 100
	var ports []state.Port
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == '\n' || r == '\r' || r == '\t' }) {
		port, err := state.ParsePort(word)
		if err != nil {
			return nil, bad("The ports cannot be read: "+state.OneLine(err.Error(), 200)+".", "Write 22/tcp 53/udp.")
		}
		if ports = append(ports, port); len(ports) > most {
			return nil, bad("More than "+number(most)+" ports were named.", "Snooze the host.")
		}
	}
	return ports, nil
}
