package email

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

// htmlRows returns the rows of the HTML part, as a reader sees them, with the host that
// they stand below; links are left out.
func htmlRows(t *testing.T, page string) (rows []string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	host := ""
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		switch {
		case n.Type == html.ElementNode && n.Data == "h2":
			host, rows = "", append(rows, "# "+strings.ToUpper(seen(n)))
		case has(n, "host"):
			host = strings.TrimSpace(cell(n, 0))
		case has(n, "row"):
			line := cell(n, 0) + " " + cell(n, 1)
			if tag := cell(n, 2); tag != "" {
				line += " · " + tag
			}
			rows = append(rows, host+" | "+line)
		case has(n, "owner"):
			ports := "ports"
			if cell(n, 1) == "1" {
				ports = "port"
			}
			rows = append(rows, strings.Join([]string{cell(n, 0), cell(n, 1) + " " + ports, cell(n, 2), "oldest " + cell(n, 3)}, " · "))
		default:
			for child := n.FirstChild; child != nil; child = child.NextSibling {
				walk(child)
			}
		}
	}
	walk(root)
	return rows
}

func has(n *html.Node, class string) bool {
	return n.Type == html.ElementNode && slices.ContainsFunc(n.Attr, func(a html.Attribute) bool {
		return a.Key == "class" && slices.Contains(strings.Fields(a.Val), class)
	})
}

func cell(row *html.Node, i int) string {
	for n := row.FirstChild; n != nil; n = n.NextSibling {
		if n.Type != html.ElementNode {
			continue
		}
		if i == 0 {
			return strings.TrimSpace(seen(n))
		}
		i--
	}
	return ""
}

// seen returns the text of a node without the buttons in it.
func seen(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var text strings.Builder
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		if !has(child, "go") {
			text.WriteString(seen(child))
		}
	}
	return text.String()
}

// textRows returns the same of the plain text.
func textRows(text string) (rows []string) {
	row, owner := regexp.MustCompile(`^  [^ ] `), regexp.MustCompile(` · \d+ ports? · .* · oldest \d{4}-\d\d-\d\d$`)
	lines := strings.Split(text, "\n")
	host := ""
	for i, line := range lines {
		blank := i > 0 && lines[i-1] == ""
		switch {
		case strings.HasPrefix(line, "    "):
		case row.MatchString(line):
			rows = append(rows, host+" | "+line[2:])
		case owner.MatchString(line):
			rows = append(rows, line[2:])
		case blank && line != "" && line == strings.ToUpper(line) && strings.Trim(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ ") == "":
			host, rows = "", append(rows, "# "+line)
		case blank && i+1 < len(lines) && strings.HasPrefix(lines[i+1], "  "):
			host = line
		}
	}
	return rows
}

// TestSameRows holds that who reads the plain text reads what the HTML says: every row,
// below the same host, in the same order.
func TestSameRows(t *testing.T) {
	t.Parallel()
	crowded := many(40, hostName)
	full(&crowded, 40, func(i int) string { return "thing " + strconv.Itoa(i) + " · it's" })
	reports := map[string]state.Report{"demo": demo.Nights(49).At(49), "first": demo.Nights(49).At(1), "quiet": demo.Nights(49).At(46), "crowded": crowded}
	for _, n := range []int{0, 10, 1000} {
		reports[strconv.Itoa(n)] = many(n, hostName)
	}
	for name, r := range reports {
		for _, l := range []leads{{}, links()} {
			m := render(t, Options{}, r, l)
			fromHTML, fromText := htmlRows(t, m.HTML), textRows(m.Text)
			if !slices.Equal(fromHTML, fromText) {
				t.Errorf("%s: the parts differ:\n%s\n---\n%s", name, strings.Join(fromHTML, "\n"), strings.Join(fromText, "\n"))
			}
			if name == "1000" && len(fromHTML) < 100 {
				t.Errorf("only %d rows", len(fromHTML))
			}
		}
	}
}

// TestContent holds what a mail tells, and in which order.
func TestContent(t *testing.T) {
	t.Parallel()
	m := render(t, Options{Brand: state.Brand{Organisation: "Example Ltd"}}, demo.Nights(49).At(49), links())
	at := 0
	for _, want := range []string{
		"Example Ltd", "Outside and inside do not agree", "4 changes, 10 ports unapproved", "Run 49 of 2026-11-18 02:00 UTC, took 3 min 0 s, nmap 7.93 (SYN scan), compared with run 48",
		"https://ownmap.example.org/archive/run/49.html", "! 2 hosts gave no answer in 7 runs", "Review all that awaits approval: https://ownmap.example.org/approvals?run=49",
		"WHAT CHANGED", "2 high, 1 medium, 1 info", "(10.20.0.143) · desk@example.org", "+ 3389/tcp port opened · ms-wbt-server Microsoft Terminal Services · high", "approve: https://ownmap.example.org/a/",
		"WHAT AWAITS APPROVAL", "no owner · 3 ports · 3 over 30 days · oldest 2026-10-03", "printer-3rd-floor.example.org (10.20.0.99) · no owner",
		"approve all 3: https://ownmap.example.org/a/", "◇ 80/tcp http HP HTTP Server (HP Color LaserJet M553) · since 2026-10-03, 46 days",
		"WHERE OUTSIDE AND INSIDE DO NOT AGREE", "! 31337/tcp hidden from tool", "critical, new", "2 listeners are not reachable from outside.",
		"COVERAGE", "11 of 12 hosts answered, 1 silent (no answer)", "? db-1.example.org (10.20.0.21) tcp silent: no answer · 2 open ports kept · last answered 2026-11-16",
		"LOOKED INSIDE", "NOTES", "The port set of profile standard changed", "Run 49.",
	} {
		found := strings.Index(m.Text[at:], want)
		if found < 0 {
			t.Fatalf("%q is missing, or not where it belongs:\n%s", want, m.Text[at:])
		}
		at += found
	}
	if m := render(t, Options{}, demo.Nights(49).At(48), leads{}); !strings.Contains(m.Text, "APPROVALS THAT ENDED") || !strings.Contains(m.Text, "something else listens than what was approved · was approved by bob on 2026-10-02: monitoring") {
		t.Errorf("the approval that ended is not told:\n%s", m.Text)
	}
}

// TestCommands holds that without links a mail says what to type, and that nothing in it
// comes from a host but its address.
func TestCommands(t *testing.T) {
	t.Parallel()
	r := many(10, func(int) string { return "$(reboot);`id`" })
	r.Hosts[0].Address = r.Hosts[0].Address.Unmap()
	m := render(t, Options{}, r, leads{})
	var commands []string
	for line := range strings.SplitSeq(m.Text, "\n") {
		if after, found := strings.CutPrefix(line, "    "); found {
			commands = append(commands, after)
		}
	}
	want := []string{
		"ownmap approve 10.0.0.1 8000/tcp 8001/tcp 8002/tcp 8003/tcp 8004/tcp --reason WHY", "ownmap approve 10.0.0.2 8000/tcp 8001/tcp 8002/tcp 8003/tcp 8004/tcp --reason WHY",
	}
	if !slices.Equal(commands, want) {
		t.Errorf("%q, want %q", commands, want)
	}
	plain := regexp.MustCompile(`^ownmap approve [0-9a-f.:]+( \d+/(tcp|udp|sctp))+ --reason WHY$`)
	g := group{address: "10.0.0.1", Rows: []row{{Name: "22/tcp"}, {Name: "$(id)/tcp"}, {Name: "80/;id"}}}
	for i := range 100 {
		g.Rows = append(g.Rows, row{Name: strconv.Itoa(i+1) + "/udp"})
	}
	if text := g.command(); !plain.MatchString(text) || len(text) > longestCommand {
		t.Errorf("%d bytes: %s", len(text), text)
	}
}
