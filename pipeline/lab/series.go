package lab

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Series is a network that another scanner looked at every night, and kept the files: for
// imports. The same Series writes the same bytes.
type Series struct {
	Hosts, Nights int
	First         time.Time // when the first scan begins, in UTC
	// Whole leaves out what tells one scan's coverage from another's: every host is looked
	// at to the end, so that ndiff and OwnMap speak of the same.
	Whole bool
	Busy  int // how much more happens than in a network of that size; 0: as much
}

// Write writes the files scan-YYYY-MM-DD.xml into a folder and returns their paths, oldest
// first.
func (s Series) Write(dir string) ([]string, error) {
	paths := make([]string, s.Nights)
	changed := make([]byte, s.Hosts*len(seriesPorts())*2)
	for night := range s.Nights {
		paths[night] = filepath.Join(dir, "scan-"+s.at(night).Format(time.DateOnly)+".xml")
		if err := s.writeFile(paths[night], night, changed); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

func (s Series) at(night int) time.Time { return s.First.AddDate(0, 0, night) }

func (s Series) writeFile(path string, night int, changed []byte) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := bufio.NewWriter(file)
	s.writeNight(w, night, changed)
	return w.Flush()
}

// writeNight writes what nmap -sV prints of a night, counted from 0. changed tells how often
// each port flipped and was upgraded until the night before.
func (s Series) writeNight(w io.Writer, night int, changed []byte) {
	begin := s.at(night)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nmaprun>
<?xml-stylesheet href="file:///usr/bin/../share/nmap/nmap.xsl" type="text/xsl"?>
<nmaprun scanner="nmap" args="nmap -sS -sV -T4 -oX scan-%s.xml 10.64.0.0/16" start="%d" version="7.93" xmloutputversion="1.05">
<scaninfo type="syn" protocol="tcp" numservices="1000" services="1-1000"/>
<verbose level="0"/>
<debugging level="0"/>
`, begin.Format(time.DateOnly), begin.Unix())
	up := 0
	for host := range s.Hosts {
		own := changed[host*len(seriesPorts())*2:][:len(seriesPorts())*2]
		if night > 0 {
			s.change(own, host, night)
		}
		if s.down(host, night) {
			continue
		}
		up++
		s.writeHost(w, host, night, own)
	}
	fmt.Fprintf(w, `<runstats><finished time="%d" summary="Nmap done" elapsed="1800.00" exit="success"/><hosts up="%d" down="%d" total="65536"/></runstats>
</nmaprun>
`, begin.Add(30*time.Minute).Unix(), up, 65536-up)
}

// seriesPorts are where something may listen.
func seriesPorts() []int { return []int{21, 22, 25, 53, 80, 110, 111, 443, 993, 999} }

// draw returns a number that is the same for the same ones, evenly spread over 0 to 9,999.
func draw(kind, host, night int) int {
	n := uint64(kind)<<48 ^ uint64(host)<<24 ^ uint64(night)
	for _, factor := range []uint64{0xbf58476d1ce4e5b9, 0x94d049bb133111eb} {
		n = (n ^ n>>30 + 0x9e3779b97f4a7c15) * factor
	}
	return int((n ^ n>>31) % 10_000)
}

// Kinds of draws; those of ports are their numbers, and one or two thousand more.
const (
	drawAway = iota
	drawTimeout
	drawFlip    = 1000
	drawRelease = 2000
)

// down says whether a host is away: for some nights in a row.
func (s Series) down(host, night int) bool { return draw(drawAway, host, night/3) < 150+10*s.Busy }

// change opens, closes and upgrades the ports of a host from one night to the next.
func (s Series) change(own []byte, host, night int) {
	for i, port := range seriesPorts() {
		if draw(drawFlip+port, host, night) < 3*max(s.Busy, 1) {
			own[2*i]++
		}
		if draw(drawRelease+port, host, night) < 5*max(s.Busy, 1) {
			own[2*i+1]++
		}
	}
}

func (s Series) writeHost(w io.Writer, host, night int, changed []byte) {
	timedOut := ""
	if !s.Whole && draw(drawTimeout, host, night) < 50+10*s.Busy {
		timedOut = ` timedout="true"`
	}
	fmt.Fprintf(w, `<host starttime="1" endtime="2"%s><status state="up" reason="echo-reply" reason_ttl="63"/>
<address addr="10.64.%d.%d" addrtype="ipv4"/>
<hostnames>
<hostname name="host-%d.example.org" type="PTR"/>
</hostnames>
`, timedOut, host/250, 1+host%250, host)
	if timedOut != "" {
		fmt.Fprint(w, "</host>\n")
		return
	}
	ports, open := s.ports(host, changed)
	shut, reason := "closed", "reset"
	if host%3 == 0 {
		shut, reason = "filtered", "no-response"
	}
	fmt.Fprintf(w, `<ports><extraports state="%s" count="%d">
<extrareasons reason="%s" count="%d" proto="tcp" ports="%s"/>
</extraports>
%s</ports>
<times srtt="5123" rttvar="412" to="100000"/>
</host>
`, shut, 1000-len(open), reason, 1000-len(open), without(open), ports)
}

// without returns the ports from 1 to 1000 but for some, which are sorted, in nmap's spelling.
func without(open []int) string {
	var parts []string
	next := 1
	for _, port := range append(open, 1001) {
		switch {
		case port == next+1:
			parts = append(parts, strconv.Itoa(next))
		case port > next:
			parts = append(parts, fmt.Sprintf("%d-%d", next, port-1))
		}
		next = port + 1
	}
	return strings.Join(parts, ",")
}

// ports returns the ports of a host as nmap prints them, and their numbers.
func (s Series) ports(host int, changed []byte) (xml string, open []int) {
	services := nightServices()
	var b strings.Builder
	for i, port := range seriesPorts() {
		if here := draw(port, host, 0) < 5500; here == (changed[2*i]%2 == 1) {
			continue
		}
		open = append(open, port)
		service := services[i]
		if strings.Contains(service, "%d") {
			service = fmt.Sprintf(service, host%40+40*int(changed[2*i+1]))
		}
		fmt.Fprintf(&b, `<port protocol="tcp" portid="%d"><state state="open" reason="syn-ack" reason_ttl="63"/><service %s</port>`+"\n", port, service)
	}
	return b.String(), open
}
