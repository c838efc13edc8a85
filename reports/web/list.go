package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// pageRows is how many rows a page of a list has, unless its address says otherwise.
const pageRows = 100

// list is how a list was asked for, and which part of it is shown.
type list struct {
	path       string
	Filter     string // as it was typed
	Sort       string // empty: the usual order
	Descending bool
	limit      int
	Page       int
	Pages      int
	Total      int
	Noun       string // of many rows
}

// listOf reads how a list is asked for; what cannot be read is an error that the page
// shows beside what was typed.
func listOf(r *http.Request, path, noun string) list {
	query := r.URL.Query()
	return list{
		path: path, Noun: noun, Filter: query.Get("filter"), Sort: query.Get("sort"), Descending: query.Get("descending") == "true",
		Page: 1, Pages: 1, limit: limitOf(query.Get("limit")),
	}
}

// limitOf is how many rows are asked for, 0 for as many as usual.
func limitOf(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n == pageRows || n < 1 || n > state.MaxRows {
		return 0
	}
	return n
}

// address is a path of ours with what it is asked for; pairs of which the second is empty
// are left out.
func address(path string, pairs ...string) string {
	values := make(url.Values)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			values.Add(pairs[i], pairs[i+1])
		}
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// at is the address of the list in another order, or of another page of it.
func (l list) at(sort string, descending bool, page int) string {
	number, down, limit := "", "", ""
	if page > 1 {
		number = strconv.Itoa(page)
	}
	if descending {
		down = "true"
	}
	if l.limit > 0 {
		limit = strconv.Itoa(l.limit)
	}
	return address(l.path, "filter", l.Filter, "sort", sort, "descending", down, "page", number, "limit", limit)
}

// Here is the address of what is shown.
func (l list) Here() string { return l.at(l.Sort, l.Descending, l.Page) }

// column is the head of a column.
type column struct {
	Label string
	Class string
	Link  string // sorts by it; empty: it does not
	Sort  string // of aria-sort; empty: the list is not sorted by it
}

// column is one by which the list can be sorted. A list that begins with the most has
// that as its rising order.
func (l list) column(label, class, sort string, first, most bool) column {
	here := l.Sort == sort || l.Sort == "" && first
	c := column{Label: label, Class: class, Link: l.at(sort, here && !l.Descending, 1)}
	if first && (!here || l.Descending) {
		c.Link = l.at("", false, 1)
	}
	if here {
		c.Sort = "ascending"
		if l.Descending != most {
			c.Sort = "descending"
		}
	}
	return c
}

// pageLink leads to a page of the list; without a number it stands for those left out.
type pageLink struct {
	Number int
	Link   string
	Here   bool
}

// Links lead to the first, the last and the nearest pages; there are none where all is on
// one page.
func (l list) Links() []pageLink {
	if l.Pages <= 1 {
		return nil
	}
	var links []pageLink
	for n := 1; n <= l.Pages; n++ {
		switch {
		case n == 1 || n == l.Pages || n >= l.Page-2 && n <= l.Page+2:
			links = append(links, pageLink{n, l.at(l.Sort, l.Descending, n), n == l.Page})
		case n < l.Page:
			links = append(links, pageLink{})
			n = l.Page - 3
		default:
			links = append(links, pageLink{})
			n = l.Pages - 1
		}
	}
	return links
}

// Previous is the page before, Next the one after; empty: there is none.
func (l list) Previous() string {
	if l.Page <= 1 {
		return ""
	}
	return l.at(l.Sort, l.Descending, l.Page-1)
}

// Next is the page after; empty: there is none.
func (l list) Next() string {
	if l.Page >= l.Pages {
		return ""
	}
	return l.at(l.Sort, l.Descending, l.Page+1)
}

// Range says which rows are shown: "101 to 200 of 1,234 ports".
func (l list) Range(rows int) string {
	limit := l.limit
	if limit == 0 {
		limit = pageRows
	}
	first := (l.Page-1)*limit + 1
	return number(first) + " to " + number(first+rows-1) + " of " + counted(l.Total, strings.TrimSuffix(l.Noun, "s"), l.Noun)
}

// number writes a number so that large ones can be read: "1,234,567".
func number(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// counted joins a number and its noun: "1 port", "1,234 ports".
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// ago says how long before now something was: "just now", "5 min ago", "3 h ago".
func ago(t, now time.Time) string {
	switch d := now.Sub(t); {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + " min ago"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + " h ago"
	default:
		return strconv.Itoa(int(d/(24*time.Hour))) + " days ago"
	}
}

// word is a word of a filter whose value may hold anything.
func word(key, value string) string {
	if value == "" {
		return key + ":"
	}
	return key + `:"` + strings.ReplaceAll(value, `"`, `""`) + `"`
}
