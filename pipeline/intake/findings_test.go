package intake

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"ownmap/pipeline/state"
)

func TestReadFindings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"masscan": {
			"[\n{   \"ip\": \"192.0.2.2\",   \"timestamp\": \"1741053600\", \"ports\": [ {\"port\": 80, \"proto\": \"tcp\", \"status\": \"open\", \"reason\": \"syn-ack\", \"ttl\": 54} ] }\n,\n" +
				"{   \"ip\": \"192.0.2.1\",   \"timestamp\": \"1741053700\", \"ports\": [ {\"port\": 22, \"proto\": \"tcp\", \"service\": {\"name\": \"ssh\", \"banner\": \"SSH-2.0-{]\\\"\"} } ] }\n]\n",
			"masscan 02:00:00 02:01:40: 192.0.2.1 22/tcp ssh, 192.0.2.2 80/tcp",
		},
		"a comma too many": {`[{"ip": "192.0.2.2", "ports": [{"port": 53, "proto": "udp", "status": "open"}]},]`, "masscan 00:00:00 00:00:00: 192.0.2.2 53/udp"},
		"not finished":     {"[\n{\"ip\": \"192.0.2.2\", \"ports\": [{\"port\": 80, \"proto\": \"tcp\", \"status\": \"open\"}]},\n{finished: 1}\n]\n", "masscan 00:00:00 00:00:00: 192.0.2.2 80/tcp"},
		"lines": {
			"{\"ip\":\"2001:db8::1\",\"timestamp\":\"1741053600\",\"port\":443,\"proto\":\"tcp\",\"rec_type\":\"status\",\"data\":{\"status\":\"open\"}}\n" +
				"{\"ip\":\"2001:db8::1\",\"timestamp\":\"1741053600\",\"port\":25,\"proto\":\"tcp\",\"rec_type\":\"status\",\"data\":{\"status\":\"closed\"}}\n" +
				"{\"ip\":\"2001:db8::1\",\"timestamp\":\"1741053600\",\"port\":443,\"proto\":\"tcp\",\"rec_type\":\"banner\",\"data\":{\"service_name\":\"ssl\",\"banner\":\"x\"}}\n" +
				"{\"ip\":\"2001:db8::1\",\"timestamp\":\"1741053600\",\"port\":0,\"proto\":\"icmp\",\"rec_type\":\"status\",\"data\":{\"status\":\"open\"}}\n",
			"masscan 02:00:00 02:00:00: 2001:db8::1 443/tcp ssl",
		},
		"naabu": {
			"{\"host\":\"web.example.org\",\"ip\":\"192.0.2.7\",\"timestamp\":\"2025-03-04T03:00:00.5+01:00\",\"port\":8443,\"protocol\":\"tcp\",\"tls\":true}\n" +
				"{\"ip\":\"192.0.2.7\",\"timestamp\":\"2025-03-04T02:00:00Z\",\"port\":22,\"protocol\":\"tcp\",\"tls\":false,\"mac_address\":\"02:42:ac:11:00:02\",\"name\":\"ssh\",\"product\":\"OpenSSH\",\"version\":\"9.2p1\"}\n",
			"naabu 02:00:00 02:00:00: 192.0.2.7 web.example.org 02:42:AC:11:00:02 22/tcp ssh OpenSSH 9.2p1 8443/tcp",
		},
		"early naabu":  {`{"ip":"192.0.2.7","port":{"Port":53,"Protocol":1,"TLS":false},"timestamp":"0001-01-01T00:00:00Z"}`, "naabu 00:00:00 00:00:00: 192.0.2.7 53/udp"},
		"a host alone": {`{"ip":"192.0.2.7","port":0,"protocol":"tcp"}`, "naabu 00:00:00 00:00:00: 192.0.2.7"},
		"hostile":      {`{"host":"a\u202eb\u0000","ip":"::ffff:192.0.2.7","port":80,"protocol":"tcp","product":"\u001b[2J"}`, `naabu 00:00:00 00:00:00: 192.0.2.7 a\u{202e}b\x00 80/tcp \x1b[2J`},

		"cut":           {"[\n{\"ip\": \"192.0.2.2\", \"ports\": [{\"port\": 80, \"proto\": \"tcp\"", "a record has no end: the file was cut off, line 2"},
		"no end":        {"[\n{\"ip\": \"192.0.2.2\", \"ports\": [{\"port\": 80, \"proto\": \"tcp\"}]},\n", "the array has no end: the file was cut off, line 3"},
		"another":       {`{"name": "x"}`, `no record of masscan or naabu: its ip "" is no address, line 1`},
		"no port":       {"\n{\"ip\": \"192.0.2.1\", \"port\": \"x\"}", `port "\"x\"" is none, line 2`},
		"a large port":  {`{"ip": "192.0.2.1", "port": 65536}`, "port 65536 is none, line 1"},
		"no time":       {`{"ip": "192.0.2.1", "port": 1, "timestamp": "noon"}`, `timestamp "noon" is no time, line 1`},
		"more":          {`[] {"ip": "192.0.2.1"}`, "there is something after the end of the array, line 1"},
		"words":         {"{\"ip\": \"192.0.2.1\", \"port\": 1}\nopen", `"o" stands where a record should begin, line 2`},
		"nothing in it": {"[\n]\n", "it names no host: nothing follows from that"},
	} {
		found, err := readFindings(strings.NewReader(c.text))
		got := shown(found)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

// shown writes what was found in a line.
func shown(f findings) string {
	var hosts []string
	for _, h := range f.Hosts {
		words := []string{h.Address.String()}
		words = append(words, h.Names...)
		if h.MAC != "" {
			words = append(words, h.MAC)
		}
		for _, p := range h.Ports {
			words = append(words, strings.TrimSpace(p.String()+" "+strings.TrimSpace(p.Service.Name+" "+p.Service.Product+" "+p.Service.Version)))
		}
		hosts = append(hosts, strings.Join(words, " "))
	}
	return fmt.Sprintf("%s %s %s: %s", f.Program, f.Start.Format("15:04:05"), f.End.Format("15:04:05"), strings.Join(hosts, ", "))
}

func FuzzReadFindings(f *testing.F) {
	f.Add([]byte(`[{"ip": "192.0.2.2", "timestamp": "1741053600", "ports": [{"port": 80, "proto": "tcp", "status": "open"}]},{finished: 1}]`))
	f.Add([]byte("{\"ip\":\"192.0.2.7\",\"port\":{\"Port\":53,\"Protocol\":1}}\n{\"ip\":\"192.0.2.7\",\"port\":80,\"protocol\":\"tcp\"}\n"))
	f.Add([]byte(`{"ip":"192.0.2.7","timestamp":"1","port":443,"proto":"tcp","rec_type":"banner","data":{"service_name":"ssl","banner":"\"}"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		found, err := readFindings(bytes.NewReader(text))
		if err != nil {
			return
		}
		for i, h := range found.Hosts {
			if i > 0 && state.CompareHosts(found.Hosts[i-1], h) >= 0 {
				t.Error("hosts are not in order, or one is there twice")
			}
			for j, p := range h.Ports {
				if p.Number == 0 || j > 0 && h.Ports[j-1].Compare(p.Port) >= 0 {
					t.Error("ports are not in order, or one is there twice")
				}
				if !h.Covered(p.Protocol).Conclusive(p.Port) {
					t.Errorf("%s is open, and not looked at", p.Port)
				}
			}
			open := 0
			for _, c := range h.Coverage {
				open += c.Ports.Len()
			}
			if open != len(h.Ports) {
				t.Error("what is not open was looked at")
			}
		}
	})
}
