package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/lab/netlab"
)

// Rivals that are not one nmap.
const (
	cronScript = "cron script"
	masscan    = "masscan"
	naabu      = "naabu"
)

// longest is how long one measurement may take: the cron script takes 23 minutes.
const longest = 40 * time.Minute

// rival measures what OwnMap is compared with.
func (b *bench) rival(ctx context.Context, c cell, repeats int) (r row, err error) {
	r = row{cell: c.name, tool: c.rival.name}
	if name := c.rival.name; name == masscan || name == naabu {
		if _, err := exec.LookPath(name); err != nil {
			r.absent = "not installed"
			return r, nil
		}
	}
	l, err := b.lab(ctx, c)
	if err != nil {
		return r, err
	}
	defer l.Close()
	var samples []sample
	for range repeats {
		limited, cancel := context.WithTimeout(ctx, longest)
		s, err := b.rivalOnce(limited, c, l)
		cancel()
		if errors.Is(limited.Err(), context.DeadlineExceeded) {
			r.absent = fmt.Sprintf("did not end within %v", longest)
			b.say("%s: %s %s", c.name, c.rival.name, r.absent)
			return r, nil
		}
		if err != nil {
			return r, fmt.Errorf("%s: %s: %w", c.name, c.rival.name, err)
		}
		samples = append(samples, s)
		r.judge(s, b.truth(c, l))
		b.say("%s: %s took %.1f s", c.name, c.rival.name, s.took.Seconds())
	}
	r.median(samples)
	return r, nil
}

func (b *bench) rivalOnce(ctx context.Context, c cell, l *netlab.Lab) (s sample, err error) {
	dir, err := os.MkdirTemp(b.dir, "rival-")
	if err != nil {
		return s, err
	}
	out := filepath.Join(dir, "out")
	var line string
	switch c.rival.name {
	case cronScript: // the page is made where xsltproc is installed, as the cron script does
		line = fmt.Sprintf("nmap -n -sS -sV -T4 %s %s -oX %s >%s.txt && cp %[3]s %[3]s.old && ndiff %[3]s.old %[3]s >%[3]s.diff;"+
			" ! command -v xsltproc >/dev/null || xsltproc %[3]s -o %[3]s.html", c.ports(), c.prefix(), out, out)
	case masscan:
		// It ends only when one more packet comes in after its last; on a quiet network that is never.
		line = fmt.Sprintf("nping --icmp -q -c 0 --delay 500ms %s >/dev/null & pings=$!; timeout -s KILL 300 masscan %s -p%s --rate %d --retries 2 --wait 3 -oL %s;"+
			" status=$?; kill $pings; exit $status", netlab.Gateway(0), c.prefix(), b.list(c), c.rate, out)
	case naabu:
		line = fmt.Sprintf("exec timeout -s KILL 300 naabu -host %s -p %s -rate %d -retries 3 -silent -o %s", c.prefix(), b.list(c), c.rate, out)
	default:
		line = fmt.Sprintf("exec nmap -n %s %s %s -oX %s", c.rival.args, c.ports(), c.prefix(), out)
	}
	cmd := l.Command(ctx, "sh", "-c", line)
	var said bytes.Buffer
	cmd.Stderr = &said
	if s, err = observe(cmd, l); err != nil {
		return s, fmt.Errorf("%w: %s", err, said.Bytes())
	}
	text, err := os.ReadFile(out)
	if err != nil {
		return s, err
	}
	if c.rival.name == masscan || c.rival.name == naabu {
		s.seen, err = parseList(text)
	} else {
		s.seen, err = parseXML(text)
	}
	return s, err
}

func (b *bench) list(c cell) string {
	if c.all {
		return "1-65535"
	}
	var list []string
	for _, port := range b.common(c) {
		list = append(list, strconv.Itoa(int(port)))
	}
	return strings.Join(list, ",")
}

// parseXML reads the open ports out of nmap's XML (the DTD of nmap(1)).
func parseXML(text []byte) (map[netip.AddrPort]string, error) {
	var run struct {
		Hosts []struct {
			Addresses []struct {
				Address netip.Addr `xml:"addr,attr"`
			} `xml:"address"`
			Ports []struct {
				Number uint16 `xml:"portid,attr"`
				State  struct {
					State string `xml:"state,attr"`
				} `xml:"state"`
				Service struct {
					Product string `xml:"product,attr"`
				} `xml:"service"`
			} `xml:"ports>port"`
		} `xml:"host"`
	}
	if err := xml.Unmarshal(text, &run); err != nil {
		return nil, fmt.Errorf("nmap's XML: %w", err)
	}
	seen := map[netip.AddrPort]string{}
	for _, h := range run.Hosts {
		for _, p := range h.Ports {
			if p.State.State == "open" && len(h.Addresses) > 0 {
				seen[netip.AddrPortFrom(h.Addresses[0].Address, p.Number)] = p.Service.Product
			}
		}
	}
	return seen, nil
}

// parseList reads masscan's list ("open tcp PORT ADDRESS TIME") or naabu's ("ADDRESS:PORT").
func parseList(text []byte) (map[netip.AddrPort]string, error) {
	seen := map[netip.AddrPort]string{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		if fields := strings.Fields(line); len(fields) == 5 {
			line = fields[3] + ":" + fields[2]
		}
		if line == "" || line[0] == '#' {
			continue
		}
		at, err := netip.ParseAddrPort(line)
		if err != nil {
			return nil, errors.Join(errors.New("what the scanner wrote"), err)
		}
		seen[at] = ""
	}
	return seen, lines.Err()
}
