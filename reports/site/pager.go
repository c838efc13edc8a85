package site

// listRows is how many rows a page of a long list has.
const listRows = 500

// pager leads from one page of a long list to the others.
type pager struct {
	Noun string // of what is listed
	Page int
	Of   int
	// First and Last count the rows of the page, of All.
	First, Last, All int
	Links            []pageLink
}

// pageLink is a page of a list; one without a number stands for those left out.
type pageLink struct {
	Number int
	Link   string
	Here   bool
}

// pagersOf returns the pager of each page of a list; one that has but one page has none.
func pagersOf(list, noun string, all int) []*pager {
	of := (all + listRows - 1) / listRows
	if of <= 1 {
		return []*pager{nil}
	}
	pagers := make([]*pager, of)
	for i := range pagers {
		p := &pager{Noun: noun, Page: i + 1, Of: of, First: i*listRows + 1, Last: min((i+1)*listRows, all), All: all}
		for n := 1; n <= of; n++ {
			switch {
			case of <= 25 || n == 1 || n == of || n >= p.Page-3 && n <= p.Page+3:
				p.Links = append(p.Links, pageLink{n, pageFile(list, n), n == p.Page})
			case p.Links[len(p.Links)-1].Number != 0:
				p.Links = append(p.Links, pageLink{})
			}
		}
		pagers[i] = p
	}
	return pagers
}
