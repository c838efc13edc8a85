package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"time"
)

// saved is a slow rival's row in a file, so that the work on OwnMap need not wait for it each time.
type saved struct {
	Tool                    string
	Took, CPU               time.Duration
	Missed, Invented, Named int
	Packets, Peak           int64
	Memory                  int // MB
}

// load reads the rows of a file; none when there is no file.
func load(file string) (map[string]row, error) {
	rows := map[string]row{}
	text, err := os.ReadFile(file)
	if file == "" || errors.Is(err, fs.ErrNotExist) {
		return rows, nil
	}
	if err != nil {
		return nil, err
	}
	var all map[string]saved
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	for key, s := range all {
		rows[key] = row{
			tool: s.Tool + " (saved)", repeats: 1, took: s.Took, cpu: s.CPU, missed: s.Missed, invented: s.Invented,
			named: s.Named, packets: s.Packets, peak: s.Peak, nmaps: s.Memory,
		}
	}
	return rows, nil
}

// save adds a row to a file.
func save(file, key string, r row) error {
	if file == "" {
		return nil
	}
	all := map[string]saved{}
	if text, err := os.ReadFile(file); err == nil {
		if err := json.Unmarshal(text, &all); err != nil {
			return err
		}
	}
	all[key] = saved{r.tool, r.took, r.cpu, r.missed, r.invented, r.named, r.packets, r.peak, r.nmaps}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}
