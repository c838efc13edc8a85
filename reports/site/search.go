package site

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"ownmap/pipeline/state"
)

// searchIndex is what the search of the pages looks through: a line of text for each
// host, in shards. A page read from the disk may load nothing but scripts, so each shard
// is a script that hands one long string to the search, and names the next one.
type searchIndex struct {
	shards []*bytes.Buffer // each a string of JavaScript that is not closed yet
	hosts  int             // in the last one
	id     int64
	room   int // bytes to begin a shard with: about what the last archive had

	line, quoted              bytes.Buffer
	ports, services, products wordList
}

// shardHosts is how many hosts a shard has: some 6 MB; maxShard is more than that in bytes.
const (
	shardHosts = 50_000
	maxShard   = 16 << 20
)

// The columns of a line are apart by tabs, the lines by line feeds. The search shows the
// first two and looks through all but the last, which is the host's page.
func (s *searchIndex) add(h *state.HostReport) {
	if s.hosts > 0 && s.id == h.ID {
		return // seen from another vantage; its page is the same
	}
	if len(s.shards) == 0 || s.hosts == shardHosts {
		s.shards, s.hosts = append(s.shards, s.newShard()), 0
	}
	shard := s.shards[len(s.shards)-1]
	if s.hosts > 0 {
		shard.WriteString(`\n`)
	}
	s.hosts, s.id = s.hosts+1, h.ID
	s.ports, s.services, s.products = s.ports[:0], s.services[:0], s.products[:0]
	for i := range h.Ports {
		p := &h.Ports[i]
		s.ports = append(s.ports, p.String())
		s.services.add(p.Service.String())
		s.services.add(p.Behind().Name())
		s.products.add(p.Service.Product)
	}
	s.line.Reset()
	for i, column := range []wordList{h.Names, {h.Address.String()}, s.ports, s.services, s.products, {h.Owner}, h.Tags, {hostFile(h.ID)}} {
		if i > 0 {
			s.line.WriteByte('\t')
		}
		column.write(&s.line)
	}
	s.quote(shard)
}

// newShard begins a shard, with room for what is expected in it.
func (s *searchIndex) newShard() *bytes.Buffer {
	shard := new(bytes.Buffer)
	shard.Grow(s.room)
	shard.WriteString(`OWNMAP_INDEX("`)
	return shard
}

// quote adds the line to the string of a shard. JSON also escapes what HTML and
// JavaScript trip over; lines that hold nothing of the kind, most, go in as they are.
func (s *searchIndex) quote(shard *bytes.Buffer) {
	if line := s.line.Bytes(); plain(line) {
		for {
			column, rest, more := bytes.Cut(line, []byte("\t"))
			shard.Write(column)
			if !more {
				return
			}
			shard.WriteString(`\t`)
			line = rest
		}
	}
	s.quoted.Reset()
	_ = json.NewEncoder(&s.quoted).Encode(s.line.String()) // no string fails
	quoted := s.quoted.Bytes()
	shard.Write(quoted[1 : len(quoted)-len("\"\n")])
}

// plain says whether JSON escapes nothing of a text but tabs.
func plain(text []byte) bool {
	for _, c := range text {
		if c != '\t' && (c < ' ' || c >= 0x7f || strings.IndexByte(`"\<>&`, c) >= 0) {
			return false
		}
	}
	return true
}

// wordList is a list of words, each once; far apart a word may stand again, for a hostile
// host has a thousand times as many ports as any other.
type wordList []string

// apart is how many words before it a word is compared with.
const apart = 64

func (w *wordList) add(word string) {
	if word != "" && !slices.Contains((*w)[max(0, len(*w)-apart):], word) {
		*w = append(*w, word)
	}
}

func (w wordList) write(line *bytes.Buffer) {
	for i, word := range w {
		if i > 0 {
			line.WriteByte(' ')
		}
		line.WriteString(flat(word))
	}
}

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
		shards = append(shards, e.standing.search.newShard())
	}
	for i, shard := range shards {
		next := ""
		if i+1 < len(shards) {
			next = searchFile(i + 2)
		}
		fmt.Fprintf(shard, "\",%q);\n", next)
		if err := e.bytes("assets/"+searchFile(i+1), shard.Bytes()); err != nil {
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

// room is how many bytes the first shard of the live archive has, and some more.
func (e *edition) room() int {
	info, err := os.Stat(e.live("assets/" + searchFile(1)))
	if err != nil {
		return 0
	}
	return int(min(info.Size(), maxShard) * 9 / 8)
}
