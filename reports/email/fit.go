package email

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ownmap/pipeline/state"
	"ownmap/templates"
)

// fit renders both parts with as many rows as there is room for, in bytes of both
// together. The page without rows is rendered first, the sizes of rows are estimated and
// added up, so that the page is rendered twice, however many rows there could be.
// A user's template that cannot do it in the room is not used.
func (m *Mailer) fit(v *view, room int) (html, text string, err error) {
	const tries = 6
	notices := v.Notices
	for _, pages := range []pages{m.pages, m.fallback} {
		v.Notices = notices
		rows := 0
		for try := range tries {
			v.cut(rows)
			if html, text, err = pages.render(v); err != nil {
				break
			}
			left := room - len(html) - len(text)
			if left >= 0 && (try > 0 || !v.hasRows()) {
				return html, text, nil
			}
			if left < 0 && rows == 0 {
				err = errors.New("the page is too large for a mail even without rows")
				break
			}
			rows = max(0, rows+left-try*1000)
			if try == tries-2 {
				rows = 0
			}
		}
		notices = append(slices.Clone(notices), fmt.Sprintf("Template email: %s; the built-in one is used.", err))
	}
	return "", "", err
}

// pages are the templates of both parts.
type pages struct{ html, text *templates.Page }

func pagesOf(set *templates.Set) pages {
	return pages{set.HTML("email/message.html", "email/message.html"), set.Text("email/message.txt", "email/message.txt")}
}

// render makes both parts. Both tell of every template that could not be used, also of
// the other one's: where that is found out late they are made once more.
func (p pages) render(v *view) (html, text string, err error) {
	before := v.Notices
	defer func() { v.Notices = before }()
	for {
		var told []string
		one := func(page *templates.Page) (string, error) {
			var here []string
			out, err := page.Render(func(found []string) any {
				here = join2(before, found)
				shown := *v
				shown.Notices, _ = lines(here, 6, "")
				return &shown
			})
			told = join2(told, here)
			return string(out), err
		}
		if html, err = one(p.html); err != nil {
			return "", "", err
		}
		if text, err = one(p.text); err != nil {
			return "", "", err
		}
		if slices.Equal(told, before) || len(told) <= len(before) {
			return html, text, nil
		}
		before = told
	}
}

// join2 adds what is not yet in a list.
func join2(list, more []string) []string {
	list = slices.Clone(list)
	for _, text := range more {
		if !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return list
}

// cut lets each section show as many rows as it has room for. Each first gets its share,
// and what one leaves goes to the others, from the top.
func (v *view) cut(room int) {
	need, given := make([]int, len(v.Sections)), make([]int, len(v.Sections))
	left := room
	for i, s := range v.Sections {
		need[i] = s.size()
		given[i] = min(need[i], room*s.share/100)
		left -= given[i]
	}
	for i, s := range v.Sections {
		more := min(need[i]-given[i], left)
		left -= more
		s.cut(given[i] + more)
	}
}

func (v *view) hasRows() bool {
	return slices.ContainsFunc(v.Sections, func(s *section) bool { return len(s.all) > 0 })
}

func (s *section) size() (bytes int) {
	for _, g := range s.all {
		bytes += g.size()
		for _, r := range g.Rows {
			bytes += r.size()
		}
	}
	return bytes
}

func (s *section) cut(room int) {
	s.Groups, s.More = nil, ""
	shown := 0
	for _, g := range s.all {
		room -= g.size()
		rows := 0
		for rows < len(g.Rows) && room >= g.Rows[rows].size() {
			room -= g.Rows[rows].size()
			rows++
		}
		if rows == 0 {
			break
		}
		complete := rows == len(g.Rows)
		g.Rows = g.Rows[:rows]
		g.Command = g.command()
		s.Groups = append(s.Groups, g)
		if shown += rows; !complete {
			break
		}
	}
	s.More = state.MoreOf(shown, s.total, s.nouns)
}

// What a group and a row take in the built-in templates beside their texts, in bytes of
// both parts; a test holds that they are enough. What is too little for a user's
// templates is found out by rendering.
const (
	groupFrame = 420
	rowFrame   = 330
	linkFrame  = 120
)

func (g group) size() int {
	n := groupFrame + both(g.Host) + both(g.About) + link(g.Link) + link(g.Approve)
	if g.address != "" {
		n += 2*150 + linkFrame
	}
	return n
}

func (r row) size() int {
	return rowFrame + both(r.Name) + both(r.Words) + both(r.Detail) + both(r.Tag) + len(r.TagClass) + link(r.Approve)
}

func link(target string) int {
	if target == "" {
		return 0
	}
	return linkFrame + both(target)
}

// both is the size of a text in both parts, escaped in HTML.
func both(text string) int {
	const escaped = 4 // more bytes for each of these, as in &#34;
	n := 2 * len(text)
	for _, c := range []string{"&", "<", ">", `"`, "'", "+"} {
		n += escaped * strings.Count(text, c)
	}
	return n
}
