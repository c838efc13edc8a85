package email

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"ownmap/pipeline/lab/browser"
	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

// kinds are mails that differ in what is in them.
func kinds() map[string]state.Report {
	long := many(10, func(i int) string { return strings.Repeat("x", 300) + strconv.Itoa(i) })
	full(&long, 10, func(int) string { return strings.Repeat("LONG", 80) })
	return map[string]state.Report{
		"demo": demo.Nights(49).At(49), "first": demo.Nights(49).At(1), "quiet": demo.Nights(49).At(46), "calm": many(0, hostName), "100": many(100, hostName), "long": long,
	}
}

// TestBrowser holds that the mail can be read by everybody: no violation that axe-core
// finds, light and dark, with a mouse and on a telephone, and nothing to scroll sideways.
func TestBrowser(t *testing.T) {
	t.Parallel()
	b := browser.Start(t)
	brand := state.Brand{Organisation: "Example Ltd", Accent: state.Accent{Light: "#00695c", Dark: "#4db6ac"}}
	reports, dir := kinds(), t.TempDir()
	for i, tc := range []struct {
		name  string
		links leads
		view  browser.View
		axe   bool // all kinds were looked at so once; these show every element there is
	}{
		{"demo", links(), browser.View{Width: 900}, true},
		{"demo", links(), browser.View{Width: 900, Dark: true}, true},
		{"demo", links(), browser.View{Width: 390}, true},
		{"first", leads{}, browser.View{Width: 390, Dark: true}, true},
		{"long", leads{}, browser.View{Width: 390}, false},
		{"long", links(), browser.View{Width: 320}, false},
		{"100", links(), browser.View{Width: 390}, false},
	} {
		file := filepath.Join(dir, strconv.Itoa(i)+".html")
		if err := os.WriteFile(file, []byte(render(t, Options{Network: "office", Brand: brand}, reports[tc.name], tc.links).HTML), 0o600); err != nil {
			t.Fatal(err)
		}
		p := b.Open(t, "file://"+file, tc.view)
		if by := p.Overflow(t); by > 0 {
			t.Errorf("%s %+v: %d pixels too wide", tc.name, tc.view, by)
		}
		if messages := p.Messages(); len(messages) > 0 {
			t.Errorf("%s %+v: %q", tc.name, tc.view, messages)
		}
		if !tc.axe {
			continue
		}
		for _, violation := range p.Axe(t) {
			t.Errorf("%s %+v: %s", tc.name, tc.view, violation)
		}
	}
}

// TestStructure holds what a validator would find in the HTML, and that it needs nothing
// from elsewhere.
func TestStructure(t *testing.T) {
	t.Parallel()
	for name, r := range kinds() {
		for _, l := range []leads{{}, links()} {
			page := render(t, Options{}, r, l).HTML
			balanced(t, name, page)
			never(t, page, "@import", "url(", "src=", "<link", "<script", "<img", "position:", "ZgotmplZ")
			root, err := html.Parse(strings.NewReader(page))
			if err != nil {
				t.Fatal(err)
			}
			count, level := map[string]int{}, 0
			for n := range root.Descendants() {
				if n.Type != html.ElementNode {
					continue
				}
				count[n.Data]++
				if len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6' {
					now := int(n.Data[1] - '0')
					if now > level+1 {
						t.Errorf("%s: %s follows a heading of level %d", name, n.Data, level)
					}
					level = now
				}
				for _, a := range n.Attr {
					if count[a.Key+"="+a.Val]++; slices.Contains([]string{"align", "valign", "bgcolor", "width", "border", "cellpadding", "nowrap"}, a.Key) {
						t.Errorf("%s: the attribute %s is obsolete", name, a.Key)
					}
				}
			}
			if count["h1"] != 1 || count["title"] != 1 || count["role=main"] != 1 || count["lang=en"] != 1 || count["charset=utf-8"] != 1 {
				t.Errorf("%s: %v", name, count)
			}
		}
	}
}

// balanced holds that every element is closed, in order: a parser would mend it, and
// mail programs each in their own way.
func balanced(t *testing.T, name, page string) {
	t.Helper()
	void := []string{"meta", "br"}
	var open []string
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("%s: not closed: %q", name, open)
			}
			return
		case html.StartTagToken:
			if tag, _ := z.TagName(); !slices.Contains(void, string(tag)) {
				open = append(open, string(tag))
			}
		case html.EndTagToken:
			tag, _ := z.TagName()
			if len(open) == 0 || open[len(open)-1] != string(tag) {
				t.Fatalf("%s: </%s> closes %q", name, tag, open)
			}
			open = open[:len(open)-1]
		case html.TextToken, html.CommentToken, html.DoctypeToken:
		case html.SelfClosingTagToken:
			t.Errorf("%s: %s closes itself", name, z.Raw())
		}
	}
}
