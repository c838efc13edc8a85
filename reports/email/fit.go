package email

import (
	"fmt"
	"slices"
	"strings"

	"ownmap/pipeline/state"
	"ownmap/templates"
)

// fit renders both parts with as many rows as there is room for, in bytes of both as they
// are encoded. The page without rows is rendered first, the sizes of rows are estimated
// and added up, and the page is rendered once more, or a few times where the texts are
// longer in their encoding than most: never row by row. Where a user's templates leave no
// room the built-in ones are used.
func fit(v *view, room int, own, builtIn pages) (html, text string, err error) {
	const tries = 6
	notices := v.Notices
	for _, pages := range []pages{own, builtIn} {
		v.Notices = notices
		rows, empty := 0, 0
		for try := range tries {
			v.cut(rows)
			if html, text, err = pages.render(v); err != nil {
				break
			}
			used := encodedSize(html) + encodedSize(text)
			switch {
			case used > room && try == 0:
				err = fmt.Errorf("%d bytes without a single row are too many for a mail", used)
			case used <= room && (try > 0 || !v.hasRows()):
				return html, text, nil
			case try == 0:
				empty = used
				rows = (room - used) * 5 / 6 // what most texts become in their encoding
			case try < tries-2:
				rows = rows * (room - empty) / (used - empty) * 98 / 100
			default:
				rows = 0
			}
			if err != nil {
				break
			}
		}
		notices = append(slices.Clone(notices), fmt.Sprintf("Template email: %s; the built-in one is used.", err))
	}
	return "", "", err
}

// pages are the templates of both parts.
type pages struct{ html, text *templates.Page }

func pagesOf(set *templates.Set, name string) pages {
	return pages{set.HTML(name+".html", name+".html", "email/head.html", "email/style.html"), set.Text(name+".txt", name+".txt")}
}

// render makes both parts. Both tell of every template that could not be used, also of
// the other one's: where that is found out late they are made once more.
func (p pages) render(v *view) (html, text string, err error) {
	told := v.Notices
	for range 3 {
		before := told
		one := func(page *templates.Page) (string, error) {
			here := before
			out, err := page.Render(func(found []string) any {
				here = join(before, found)
				shown := *v
				shown.Notices, _ = lines(here, 6, "")
				return &shown
			})
			told = join(told, here)
			return string(out), err
		}
		if html, err = one(p.html); err != nil {
			return "", "", err
		}
		if text, err = one(p.text); err != nil {
			return "", "", err
		}
		if len(told) == len(before) {
			break
		}
	}
	return html, text, nil
}

// join adds what is not yet in a list.
func join(list, more []string) []string {
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

// What a group, a row and a link take in the built-in templates beside their texts, in
// bytes of both parts. What is too little for a user's templates is found out by
// rendering.
const (
	groupFrame   = 165
	rowFrame     = 185
	commandFrame = 75
	linkFrame    = 62
)

func (g group) size() int {
	n := groupFrame + both(g.Host) + both(g.About) + len(g.Link) + link(g.Approve)
	if g.address != "" {
		n += commandFrame + 2*longestCommand
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
