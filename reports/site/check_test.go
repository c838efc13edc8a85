package site

import (
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// find returns the nodes below n for which is says yes.
func find(n *html.Node, is func(*html.Node) bool) []*html.Node {
	var found []*html.Node
	for d := range n.Descendants() {
		if is(d) {
			found = append(found, d)
		}
	}
	return found
}

func elements(n *html.Node, name string) []*html.Node {
	return find(n, func(d *html.Node) bool { return d.Type == html.ElementNode && d.Data == name })
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// textOf returns the text of a node as a reader has it, with its spaces folded:
// cells and lines are apart, words with markup in them are not.
func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		} else if !slices.Contains([]string{"span", "b", "a", "time", "code"}, d.Data) {
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func parse(t *testing.T, content string) *html.Node {
	t.Helper()
	node, err := html.Parse(strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return node
}

func checkPolicy(t *testing.T, file string, page *html.Node) {
	t.Helper()
	metas := find(page, func(n *html.Node) bool { return attr(n, "http-equiv") == "Content-Security-Policy" })
	if len(metas) != 1 || !strings.HasPrefix(attr(metas[0], "content"), "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:") {
		t.Errorf("%s has no strict content security policy", file)
	}
	for d := range page.Descendants() {
		for _, a := range d.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("%s: <%s %s> is blocked by the policy", file, d.Data, a.Key)
			}
		}
		if (d.Data == "script" || d.Data == "style") && d.Type == html.ElementNode && d.FirstChild != nil {
			t.Errorf("%s: <%s> with content is blocked by the policy", file, d.Data)
		}
	}
}

func checkTables(t *testing.T, file string, page *html.Node) {
	t.Helper()
	for _, table := range elements(page, "table") {
		if captions := elements(table, "caption"); len(captions) != 1 || textOf(captions[0]) == "" {
			t.Errorf("%s: a table without a caption", file)
		}
		columns := -1
		for _, row := range elements(table, "tr") {
			cells := find(row, func(n *html.Node) bool { return n.Data == "td" || n.Data == "th" })
			if columns >= 0 && len(cells) != columns {
				t.Errorf("%s: a row of %d cells below a head of %d", file, len(cells), columns)
			}
			columns = len(cells)
		}
		for _, th := range elements(table, "th") {
			if attr(th, "scope") == "" {
				t.Errorf("%s: a heading %q without scope", file, textOf(th))
			}
		}
	}
	ids := make(map[string]bool)
	for _, n := range find(page, func(n *html.Node) bool { return attr(n, "id") != "" }) {
		if id := attr(n, "id"); ids[id] {
			t.Errorf("%s: the id %q stands twice", file, id)
		} else {
			ids[id] = true
		}
	}
	for _, n := range find(page, func(n *html.Node) bool { return attr(n, "aria-labelledby") != "" }) {
		for id := range strings.FieldsSeq(attr(n, "aria-labelledby")) {
			if !ids[id] {
				t.Errorf("%s: nothing has the id %q of a label", file, id)
			}
		}
	}
}

func (a archive) checkLinks(t *testing.T, file string, page *html.Node) {
	t.Helper()
	for d := range page.Descendants() {
		for _, link := range d.Attr {
			if link.Key != "href" && link.Key != "src" {
				continue
			}
			u, err := url.Parse(link.Val)
			switch {
			case err != nil:
				t.Errorf("%s: link %q: %v", file, link.Val, err)
			case link.Val == "data:,":
			case u.Scheme != "" || u.Host != "" || strings.HasPrefix(link.Val, "/"):
				t.Errorf("%s: %q leads out of the archive", file, link.Val)
			default:
				a.checkTarget(t, file, u)
			}
		}
	}
}

func (a archive) checkTarget(t *testing.T, file string, u *url.URL) {
	t.Helper()
	target := file
	if u.Path != "" {
		target = path.Join(path.Dir(file), u.Path)
	}
	if _, ok := a.files[target]; !ok {
		t.Errorf("%s: link %q leads nowhere", file, u)
	} else if u.Fragment != "" && len(find(a.pages[target], func(n *html.Node) bool { return attr(n, "id") == u.Fragment })) == 0 {
		t.Errorf("%s: nothing in %s has the id %q", file, target, u.Fragment)
	}
}
