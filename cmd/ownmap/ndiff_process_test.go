package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// ndiffs is an ndiff that compares one pair of files after another: to start Python
// takes it ten times as long as to compare them.
type ndiffs struct {
	mu  sync.Mutex
	in  io.Writer
	out *bufio.Reader
}

// manyNdiffs loads the program ndiff, and runs it for each pair of files that it reads
// about, in a process of its own. It answers with the exit code and what was printed.
const manyNdiffs = `
import json, os, runpy, sys, traceback
runpy.run_path(sys.argv[1])
import ndiff
for line in sys.stdin:
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(w, 1)
        sys.argv = ["ndiff", "--xml"] + json.loads(line)
        code = 2
        try:
            code = ndiff.main()
        except SystemExit as e:
            code = e.code
        except BaseException:
            pass
        sys.stdout.flush()
        os._exit(code)
    os.close(w)
    with os.fdopen(r) as f:
        text = f.read()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    print(json.dumps({"Code": code, "Text": text}), flush=True)
`

// startNdiff starts one, which ends with the test.
func startNdiff(t *testing.T) *ndiffs {
	t.Helper()
	path, err := exec.LookPath("ndiff")
	if err != nil {
		t.Fatalf("ndiff, which comes with nmap: %v", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	python := strings.Fields(strings.TrimPrefix(first, "#!"))
	if len(python) == 0 {
		t.Fatalf("%s names no interpreter", path)
	}
	command := exec.Command(python[0], append(python[1:], "-c", manyNdiffs, path)...)
	command.Stderr = t.Output()
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := command.Wait(); err != nil {
			t.Error(err)
		}
	})
	return &ndiffs{in: in, out: bufio.NewReader(out)}
}

// compare returns what ndiff writes of two files as XML, and its exit code.
func (n *ndiffs) compare(t *testing.T, a, b string) (out []byte, code int) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := json.NewEncoder(n.in).Encode([]string{a, b}); err != nil {
		t.Fatal(err)
	}
	line, err := n.out.ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var said struct {
		Code int
		Text string
	}
	if err := json.Unmarshal(line, &said); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return []byte(said.Text), said.Code
}
