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
	pages := make(map[string]string)
	for name, r := range reports {
		pages[name] = render(t, Options{Network: "office", Brand: brand}, r, leads{}).HTML
		pages[name+", links"] = render(t, Options{Network: "office", Brand: brand}, r, links()).HTML
	}
	for name, m := range messages() {
		pages["kind "+name] = renderAny(t, Options{Network: "office", Brand: brand, Links: links().Links}, m).HTML
	}
	for i, tc := range []struct {
		name string
		view browser.View
		axe  bool // all kinds were looked at so once; these show every element there is
	}{
		{"demo, links", browser.View{Width: 900}, true},
		{"demo, links", browser.View{Width: 900, Dark: true}, true},
		{"demo, links", browser.View{Width: 390}, true},
		{"first", browser.View{Width: 390, Dark: true}, true},
		{"long", browser.View{Width: 390}, false},
		{"long, links", browser.View{Width: 320}, false},
		{"100, links", browser.View{Width: 390}, false},
		{"kind lost", browser.View{Width: 900}, true},
		{"kind lost", browser.View{Width: 390, Dark: true}, true},
		{"kind test", browser.View{Width: 320}, false},
		{"kind reminder", browser.View{Width: 390, Dark: true}, true},
	} {
		file := filepath.Join(dir, strconv.Itoa(i)+".html")
		if err := os.WriteFile(file, []byte(pages[tc.name]), 0o600); err != nil {
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
	pages := make(map[string]string)
	for name, r := range kinds() {
		pages[name], pages[name+", links"] = render(t, Options{}, r, leads{}).HTML, render(t, Options{}, r, links()).HTML
	}
	for name, m := range messages() {
		pages["kind "+name] = renderAny(t, Options{}, m).HTML
	}
	for name, page := range pages {
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
