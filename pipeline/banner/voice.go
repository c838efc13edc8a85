package banner

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// silence is the kind of a port that says nothing.
const silence = "silence"

// voice is what a port said, understood: a kind of service and the parts of its
// words that stay the same.
type voice struct {
	kind     string
	parts    []string
	sure     bool // one look is enough
	busy     bool // a refusal for now, which says nothing of the service
	asked    bool // it was asked first
	wantsTLS bool // it may speak TLS
}

func (v voice) silent() bool { return v.kind == silence }

// banner hashes kind and parts, each with its length before it, so that no two
// voices share their bytes.
func (v voice) banner() Banner {
	sum := sha256.New()
	for _, part := range append([]string{v.kind}, v.parts...) {
		sum.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		sum.Write([]byte(part))
	}
	return Banner{Hash: hex.EncodeToString(sum.Sum(nil)[:16]), Silent: v.silent()}
}

// agree is what two looks at a port have in common: all if they are equal, else
// the parts before the first that differs. It is false when they have not even the
// kind in common.
func agree(a, b voice) (voice, bool) {
	if a.kind != b.kind {
		return voice{}, false
	}
	common := 0
	for common < min(len(a.parts), len(b.parts)) && a.parts[common] == b.parts[common] {
		common++
	}
	if common < max(len(a.parts), len(b.parts)) {
		return voice{kind: a.kind + ", varying", parts: a.parts[:common]}, true
	}
	return a, true
}
