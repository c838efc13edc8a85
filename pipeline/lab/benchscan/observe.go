package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/lab/netlab"
)

// memory is the most that was in use at the same time, in MB.
type memory struct {
	nmaps int // of all scanners together
	own   int // of OwnMap itself
}

// observe runs a command and measures it: time, processors, memory, and packets.
func observe(cmd *exec.Cmd, l *netlab.Lab) (s sample, err error) {
	before := l.Packets()
	l.ResetPeak()
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return s, err
	}
	ended := make(chan struct{})
	watched := make(chan memory)
	go func() { watched <- watch(cmd.Process.Pid, ended) }()
	err = cmd.Wait()
	s.took = time.Since(start)
	close(ended)
	s.memory = <-watched
	s.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	s.packets = l.Packets()
	s.packets.Received -= before.Received
	s.packets.Overrun -= before.Overrun
	s.packets.Resets -= before.Resets
	s.packets.Crowded -= before.Crowded
	return s, err
}

// watch looks five times a second at the memory of a process and its descendants, until it ended.
func watch(pid int, ended <-chan struct{}) (most memory) {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ended:
			return most
		case <-ticker.C:
			now := look(pid)
			most.nmaps, most.own = max(most.nmaps, now.nmaps), max(most.own, now.own)
		}
	}
}

// look adds up resident memory as proc(5) tells it, in whole MB.
func look(root int) memory {
	type process struct {
		parent, pages int
		name          string
	}
	processes := map[int]process{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		open, shut := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
		fields := strings.Fields(string(text[shut+1:]))
		if open < 0 || len(fields) < 22 {
			continue
		}
		pid, _ := strconv.Atoi(strings.TrimSpace(string(text[:open])))
		parent, _ := strconv.Atoi(fields[1])
		pages, _ := strconv.Atoi(fields[21])
		processes[pid] = process{parent, pages, string(text[open+1 : shut])}
	}
	var nmaps, own int
	for pid, p := range processes {
		at := pid
		for at > 1 && at != root {
			at = processes[at].parent
		}
		switch {
		case at != root:
		case p.name == "nmap" || p.name == masscan || p.name == naabu:
			nmaps += p.pages
		case p.name == "ownmap":
			own += p.pages
		}
	}
	size := os.Getpagesize()
	return memory{nmaps * size >> 20, own * size >> 20}
}
