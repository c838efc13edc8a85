package site

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// searchIndex is what the search of the pages looks through: a line of text for each
// host, in shards. A page read from the disk may load nothing but scripts, so each shard
// is a script that hands one long string to the search, and names the next one.
type searchIndex struct {
	shards []*strings.Builder
	hosts  int // in the last one
	id     int64
}

// shardHosts is how many hosts a shard has: some 6 MB.
const shardHosts = 50_000

// The columns of a line are apart by tabs, the lines by line feeds. The search shows the
// first two and looks through all but the last, which is the host's page.
func (s *searchIndex) add(h state.HostReport) {
	if s.hosts > 0 && s.id == h.ID {
		return // seen from another vantage; its page is the same
	}
	if len(s.shards) == 0 || s.hosts == shardHosts {
		s.shards, s.hosts = append(s.shards, new(strings.Builder)), 0
	}
	b := s.shards[len(s.shards)-1]
	if s.hosts > 0 {
		b.WriteByte('\n')
	}
	s.hosts, s.id = s.hosts+1, h.ID
	var ports, services, products wordList
	for _, p := range h.Ports {
		ports.add(p.String())
		services.add(p.Service.String())
		services.add(p.Behind().Name())
		products.add(p.Service.Product)
	}
	for i, column := range []string{
		strings.Join(h.Names, " "), h.Address.String(), ports.String(), services.String(), products.String(), h.Owner, strings.Join(h.Tags, " "), hostFile(h.ID),
	} {
		if i > 0 {
			b.WriteByte('\t')
		}
		b.WriteString(flat(column))
	}
}

// wordList is a list of words, each once.
type wordList []string

func (w *wordList) add(word string) {
	if word != "" && !slices.Contains(*w, word) {
		*w = append(*w, word)
	}
}

func (w wordList) String() string { return strings.Join(w, " ") }

// flat makes a text one column: what people type may hold anything.
func flat(s string) string {
	s = state.Visible(s)
	if !strings.ContainsAny(s, "\n\t") {
		return s
	}
	return strings.Join(strings.Fields(s), " ")
}

// searchFiles writes the shards.
func (e *edition) searchFiles() error {
	shards := e.standing.search.shards
	if len(shards) == 0 {
		shards = append(shards, new(strings.Builder))
	}
	for i, shard := range shards {
		next := ""
		if i+1 < len(shards) {
			next = searchFile(i + 2)
		}
		text, err := json.Marshal(shard.String()) // which also escapes what HTML and JavaScript trip over
		if err != nil {
			return err
		}
		if err := e.bytes("assets/"+searchFile(i+1), fmt.Appendf(nil, "OWNMAP_INDEX(%s,%q);\n", text, next)); err != nil {
			return err
		}
	}
	e.standing.search = searchIndex{}
	return nil
}

func searchFile(shard int) string {
	if shard == 1 {
		return "index.js"
	}
	return fmt.Sprintf("index-%d.js", shard)
}
