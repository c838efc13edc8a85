package enrich

import (
	"bytes"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// answer is what look.sh printed, taken apart.
type answer struct {
	system   string // uname -s
	root     bool
	whole    bool // the last line is there
	sections map[string]section
	owners   []owner
	procs    map[int]*proc
	users    map[int]string    // names of user numbers
	packages map[string]string // of paths
}

// section is the output of a command.
type section struct {
	text   []byte
	status int  // exit code
	ended  bool // the end is there
}

// good says whether the command went well.
func (s section) good() bool { return s.ended && s.status == 0 }

// owner is a process that holds a socket.
type owner struct {
	pid   int
	inode uint64
}

// proc is a process that holds a listening socket. Its texts are as the host gave
// them.
type proc struct {
	pid    int
	start  uint64 // clock ticks after boot; orders processes by age
	name   string
	uid    int // -1: not known
	exe    string
	cgroup string
	hash   string
}

// readAnswer takes apart what look.sh printed. Lines that do not begin with the
// nonce belong to the section before them or to a name with a line break in it;
// nobody on the host can make up a line that does.
func readAnswer(nonce string, text []byte) answer {
	a := answer{sections: map[string]section{}, procs: map[int]*proc{}, users: map[int]string{}, packages: map[string]string{}}
	var open string // the section that has begun and not ended
	var p *proc
	marker := []byte(nonce + " ")
	for len(text) > 0 {
		line := text
		if i := bytes.IndexByte(text, '\n'); i >= 0 {
			line, text = text[:i], text[i+1:]
		} else {
			text = nil
		}
		rest, ours := bytes.CutPrefix(line, marker)
		if !ours {
			if open != "" {
				s := a.sections[open]
				s.text = append(append(s.text, line...), '\n')
				a.sections[open] = s
			}
			continue
		}
		word, value, _ := strings.Cut(string(rest), " ")
		switch word {
		case "begin":
			open = value
			a.sections[open] = section{}
		case "end":
			name, status, _ := strings.Cut(value, " ")
			s := a.sections[name]
			code, err := strconv.Atoi(status)
			s.status, s.ended = code, err == nil && name == open
			a.sections[name], open = s, ""
		case "pid":
			p = a.begin(value)
		case "done":
			a.whole = true
		default:
			a.fact(p, word, value)
		}
	}
	return a
}

// begin adds a process: "PID START".
func (a *answer) begin(value string) *proc {
	number, start, _ := strings.Cut(value, " ")
	pid, err := strconv.Atoi(number)
	if err != nil {
		return nil
	}
	p := &proc{pid: pid, uid: -1}
	p.start, _ = strconv.ParseUint(start, 10, 64)
	a.procs[pid] = p
	return p
}

// fact takes in a line about the host or about the last process.
func (a *answer) fact(p *proc, word, value string) {
	switch word {
	case "hello":
		system, uid, _ := strings.Cut(value, " ")
		a.system, a.root = state.Clean(system), uid == "0"
		return
	case "owners":
		a.owners = ownersOf(value)
		return
	case "user": // a line of passwd(5)
		a.user(value)
		return
	case "owner", "apk", "pacman":
		if path, name, ok := packageOf(word, value); ok {
			a.packages[path] = name
		}
		return
	}
	if p == nil {
		return
	}
	switch word {
	case "name":
		p.name = value
	case "uid":
		if uid, err := strconv.Atoi(value); err == nil {
			p.uid = uid
		}
	case "exe":
		p.exe = value
	case "cgroup":
		p.cgroup = value
	case "hash":
		if len(value) == 64 && strings.Trim(value, "0123456789abcdef") == "" {
			p.hash = value
		}
	}
}

func ownersOf(value string) []owner {
	fields := strings.Fields(value)
	var list []owner
	for i := 0; i+1 < len(fields); i += 2 {
		pid, err := strconv.Atoi(fields[i])
		inode, wrong := strconv.ParseUint(fields[i+1], 10, 64)
		if err == nil && wrong == nil && pid > 0 && inode > 0 {
			list = append(list, owner{pid, inode})
		}
	}
	return list
}

// user takes in a line of passwd(5); the first name of a number stays.
func (a *answer) user(line string) {
	fields := strings.Split(line, ":")
	if len(fields) < 3 {
		return
	}
	uid, err := strconv.Atoi(fields[2])
	if _, known := a.users[uid]; err == nil && !known {
		a.users[uid] = state.Clean(fields[0])
	}
}

// userName returns the name of a user number, or the number.
func (a *answer) userName(uid int) string {
	if uid < 0 {
		return ""
	}
	if name := a.users[uid]; name != "" {
		return name
	}
	return strconv.Itoa(uid)
}
