package intake

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

// shelf keeps what becomes of files, as text.
type shelf struct {
	asked map[string][]state.Host
	kept  []string
}

func (s *shelf) AskedBefore(_ context.Context, _, question string) ([]state.Host, error) {
	return s.asked[question], nil
}

func (s *shelf) Add(_ context.Context, scan state.ImportedScan) (state.Run, error) {
	var hosts []string
	for _, h := range scan.Hosts {
		hosts = append(hosts, fmt.Sprintf("%s %s", h.Address, h.Status()))
	}
	for _, left := range scan.Left {
		hosts = append(hosts, left.String()+" left")
	}
	s.kept = append(s.kept, scan.File+": "+strings.Join(hosts, ", "))
	return state.Run{ID: int64(len(s.kept))}, nil
}

// night is a file of nmap that names hosts, each "ADDRESS" or "ADDRESS NAME".
func night(args string, end, total int, hosts ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<nmaprun scanner="nmap" args="%s" start="%d" version="7.93"><scaninfo type="syn" protocol="tcp" numservices="1" services="22"/>`, args, end-60)
	for _, h := range hosts {
		address, name, _ := strings.Cut(h, " ")
		if name != "" {
			name = `<hostname name="` + name + `" type="user"/>`
		}
		fmt.Fprintf(&b, `<host><status state="up" reason="echo-reply"/><address addr="%s" addrtype="ipv4"/><hostnames>%s</hostnames><ports><port protocol="tcp" portid="22"><state state="closed" reason="reset"/></port></ports></host>`, address, name)
	}
	fmt.Fprintf(&b, `<runstats><finished time="%d" exit="success"/><hosts up="%d" down="%d" total="%d"/></runstats></nmaprun>`, end, len(hosts), total-len(hosts), total)
	return b.String()
}

// write writes files into a folder.
func write(t *testing.T, files map[string]string) (paths []string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		out, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ".gz") {
			zip := gzip.NewWriter(out)
			_, err = zip.Write([]byte(text))
			err = errors.Join(err, zip.Close())
		} else {
			_, err = out.WriteString(text)
		}
		if err = errors.Join(err, out.Close()); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

func clock() time.Time { return time.Unix(2_000_000_000, 0) }

// TestSeries reads files in the order of their times, and knows of which hosts the absence
// is silence: of those that a scan named which asked the same.
func TestSeries(t *testing.T) {
	t.Parallel()
	long := night("nmap 192.0.2.0/24 -oX a.xml", 1000, 256, "192.0.2.1", "192.0.2.2")
	files, faults := Survey(t.Context(), write(t, map[string]string{
		"z.xml":    long,
		"y.xml.gz": night("nmap 192.0.2.0/24 -oX b.xml", 2000, 256, "192.0.2.2"),
		"x.xml":    night("nmap -p 22 192.0.2.0/24", 3000, 256, "192.0.2.3"),
		"w.xml":    night("nmap 192.0.2.0/24", 4000, 256, "192.0.2.3"),
		"v.xml":    night("nmap web.example.org", 5000, 1, "192.0.2.8 web.example.org"),
		"u.xml":    night("nmap web.example.org", 6000, 1, "192.0.2.9 web.example.org"),
		"t.xml":    night("nmap web.example.org", 7000, 1, "192.0.2.9 web.example.org"),
		"s.xml":    night("nmap --open 192.0.2.0/24", 8000, 256),
		"r.json":   `[{"ip": "192.0.2.1", "timestamp": "9000", "ports": [{"port": 22, "proto": "tcp", "status": "open"}]},]`,
		"q.xml":    strings.TrimSuffix(long, "</nmaprun>"),
		"p.xml.gz": long[:len(long)/2],
		"o.xml":    "<html>\n</html>",
		"n.xml":    strings.Replace(long, ">", "> "+strings.Repeat("<!-- long -->\n", 5000), 1) + "\n",
		"m.xml":    "",
		"l.json":   `{"ip": "192.0.2.1", "port": 22}`,
	}), Options{Now: clock})
	var wrong []string
	for _, fault := range faults {
		wrong = append(wrong, fault.Error()[strings.LastIndex(fault.Error(), "/")+1:])
	}
	slices.Sort(wrong)
	want := []string{
		"l.json: it does not say when the scan was made: say so with --at, as in --at 2026-11-22T02:00:00Z",
		"m.xml: the file is empty",
		"o.xml:1: the root element is <html> and not <nmaprun>: no output of nmap",
		"p.xml.gz:1: the output of nmap ends half-way",
	}
	if !slices.Equal(wrong, want) {
		t.Errorf("faults %q, want %q", wrong, want)
	}
	keeper := &shelf{}
	var stopped []string
	err := Series(t.Context(), keeper, files, Options{Now: clock}, func(f File, _ state.Run, err error) error {
		if err != nil {
			stopped = append(stopped, f.Name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want = []string{
		"n.xml: 192.0.2.1 answered, 192.0.2.2 answered",
		"z.xml: 192.0.2.1 answered, 192.0.2.2 answered",
		"y.xml.gz: 192.0.2.1 silent, 192.0.2.2 answered",
		"x.xml: 192.0.2.3 answered",
		"w.xml: 192.0.2.1 silent, 192.0.2.2 silent, 192.0.2.3 answered",
		"v.xml: 192.0.2.8 answered",
		"u.xml: 192.0.2.9 answered, 192.0.2.8 left",
		"t.xml: 192.0.2.9 answered",
		"s.xml: ",
		"r.json: 192.0.2.1 answered",
	}
	if !slices.Equal(keeper.kept, want) {
		t.Errorf("kept\n%s\nwant\n%s", strings.Join(keeper.kept, "\n"), strings.Join(want, "\n"))
	}
	if !slices.Equal(stopped, []string{"q.xml"}) { // its end is there, and that of the document is not
		t.Errorf("faults of %v", stopped)
	}
}

// TestSeriesStops ends where it is told to, and keeps what was before.
func TestSeriesStops(t *testing.T) {
	t.Parallel()
	files, faults := Survey(t.Context(), write(t, map[string]string{
		"a.xml": night("nmap 192.0.2.1", 1000, 1, "192.0.2.1"),
		"b.xml": night("nmap 192.0.2.1", 2000, 1, "192.0.2.1"),
		"c.xml": night("nmap 192.0.2.1", 3000, 1, "192.0.2.1"),
	}), Options{Now: clock})
	if len(faults) > 0 || len(files) != 3 {
		t.Fatal(files, faults)
	}
	if err := os.WriteFile(files[1].Path, []byte(night("nmap 192.0.2.1", 2000, 1, "192.0.2.7")), 0o600); err != nil {
		t.Fatal(err)
	}
	keeper := &shelf{}
	err := Series(t.Context(), keeper, files, Options{Now: clock}, func(_ File, _ state.Run, err error) error { return err })
	var fault *FileError
	if !errors.As(err, &fault) || !strings.Contains(err.Error(), "it was changed while it was being imported") || len(keeper.kept) != 1 {
		t.Errorf("%v, kept %q", err, keeper.kept)
	}
}
